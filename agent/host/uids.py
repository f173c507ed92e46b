"""Which uids are people's. Lean: the resident process asks, too."""

FIRST_PERSON, LAST_PERSON = 1000, 59999  #: what Debian gives to people
