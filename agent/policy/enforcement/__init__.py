"""A compiled policy made true on one machine: plan, apply, look again, undo, audit."""
