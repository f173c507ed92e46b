"""The time of day: who tells it, and how it is told."""
