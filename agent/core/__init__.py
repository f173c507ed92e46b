"""Values, rules and ports that everything else speaks in. Standard library only; no IO but `durable`."""
