"""A strict HTTP/1.1 server for one school or one laptop: the central service and the portal are built on it.

One selector loop holds every connection, so a stalled client costs one socket and never a thread. It knows
nothing of what it serves: handlers do.
"""
