"""What reaches the laptop, and what it reaches."""
