"""What people write: YAML read strictly, its types, and what is wrong where."""
