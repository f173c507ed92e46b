"""The students' pages: what there is to learn, and what this laptop does and why. On loopback, offline, by
a user without rights.

Two origins: the portal's own pages, and content, whose scripts nobody has read. See `serve` for the process,
`guard` for who may ask what, `views` for the pages.
"""
