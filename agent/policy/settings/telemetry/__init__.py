"""What a laptop may report."""
