"""How large anything of learning content may be: the desk makes nothing beyond, the laptop takes nothing
beyond."""

from __future__ import annotations

MOST_PIECE = 1 << 20  #: bytes that one compressed piece unpacks to
MOST_PACK = 8 << 20  #: bytes of a pack; a stored piece may fill one
MOST_PACKS = 4096  #: of one version
MOST_MANIFEST = 1 << 20  #: bytes
MOST_SEGMENTS = 8192  #: parts of a version's listing
MOST_FILES = 100_000  #: of one version
MOST_FILE = 8 << 30  #: bytes
MOST_ITEM = 16 << 30  #: bytes of all its files
MOST_EXTENTS = 20_000  #: of one file
MOST_ALL_EXTENTS = 1_000_000  #: of all files of a version
MOST_TIMES = 8  #: reading all of a version once may unpack so many times its size,
MOST_UNPACKED = 1 << 30  #: and so many bytes more
MOST_PATH = 512  #: bytes of a path inside an item
MOST_DEPTH = 32  #: folders deep
MOST_TITLE = 300  #: characters
MOST_TRACKS = 64  #: captions of one video
MOST_ITEMS = 2000  #: on one laptop
