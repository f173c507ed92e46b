"""What is decided before any system starts."""
