"""When a laptop sleeps, and what its power button does."""
