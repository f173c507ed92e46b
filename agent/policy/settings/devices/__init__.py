"""What is built into a laptop, and what is plugged into it."""
