"""When the screen locks by itself."""
