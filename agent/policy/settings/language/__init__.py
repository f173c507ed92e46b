"""How the desktop speaks and counts."""
