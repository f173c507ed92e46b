"""What the school decides about the desktop."""
