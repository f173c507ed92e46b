"""Who may decide what: keys, persons, signed envelopes, the site repository, and verification into
``Verified[T]``.

Root parses unverified bytes only in this room (I-1). What it hands out was signed by the persons entitled
to decide it.
"""
