"""What the school decides about browsers."""
