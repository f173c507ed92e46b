"""Values, rules and ports that everything else speaks in. Standard library only; nothing here does IO."""
