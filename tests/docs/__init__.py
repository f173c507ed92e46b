"""What the documents say is true: commands exist, links resolve, named tests are there, pages are fresh."""
