"""What the school decides about Bookbag itself."""
