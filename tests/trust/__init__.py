"""Who may decide what: every refusal beside the same thing accepted."""
