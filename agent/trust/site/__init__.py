"""The desk's side of trust: the site repository, made and signed in a folder, published as plain files."""
