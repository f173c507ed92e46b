"""Learning content on the laptop: what is meant for it, what is here, and how a file of it is read.

An *item* is what a teacher adds (a book, a site, a video). A version of it is a *manifest*, which names
*packs*; a pack holds *pieces* one after another, and a file is a list of *extents* of pieces. Packs and
manifests are named by their SHA-256, and that is all that anybody trusts in them.
"""
