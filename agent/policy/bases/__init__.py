"""What every setting and every resource kind is, and what several of them have in common."""
