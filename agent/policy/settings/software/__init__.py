"""How what is installed is kept new."""
