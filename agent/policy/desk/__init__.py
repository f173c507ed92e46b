"""For IT, before anything is published: all errors at once, tests, previews, reference, schema."""
