"""How a student writes."""
