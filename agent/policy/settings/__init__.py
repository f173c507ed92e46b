"""What a school means: one file per setting, found by listing this folder."""
