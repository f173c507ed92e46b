"""The desk's side of learning content: what teachers bring becomes items of packs, and a signed catalogue of
them.

Everything that has to be understood about a file (archives, titles, languages) is understood here, so that a
laptop never takes an archive apart.
"""
