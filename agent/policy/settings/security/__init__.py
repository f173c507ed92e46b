"""Whom and what the laptop believes."""
