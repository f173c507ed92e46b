"""What a machine has: one file per kind, found by listing this folder."""
