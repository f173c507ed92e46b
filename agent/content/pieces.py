"""One piece of a pack: bytes as they are, or compressed; unpacking is bounded by what was promised.

Compressed is raw LZMA2 with a window of one piece: the standard library has it, and over groups of small
pages it packs tighter than anything else that was tried (docs/adr). It has no checksum of its own; each piece
has one.
"""

from __future__ import annotations

import lzma
import zlib

from agent.content.bounds import MOST_PACK, MOST_PIECE
from agent.core.errors import BookbagError

STORED, PACKED = 0, 1
METHODS = (STORED, PACKED)
#: No more than this part of its size may be left for compressing to be worth the reader's time.
WORTH = 0.95
#: Literal context 4 and no position bits suit text; the reader finds them in the data.
_WRITE = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": MOST_PIECE, "lc": 4, "lp": 0, "pb": 0}]
_READ = [{"id": lzma.FILTER_LZMA2, "dict_size": MOST_PIECE}]


def pack(data: bytes) -> tuple[int, bytes]:
    """(method, bytes to store) of at most `MOST_PIECE` bytes: compressed if that is worth it."""
    packed = lzma.compress(data, format=lzma.FORMAT_RAW, filters=_WRITE)
    return (PACKED, packed) if len(packed) < WORTH * len(data) else (STORED, data)


def unpack(method: int, stored: bytes, raw: int, crc: int) -> bytes:
    """The ``raw`` bytes that were packed; never more memory than those and a little. Raises
    ``state-corrupt``."""
    if method == STORED:
        data = stored
    elif raw > MOST_PIECE:
        raise _damaged("it promises too much")
    else:
        data = _unpacked(stored, raw)
    if len(data) != raw or checksum(data) != crc:
        raise _damaged("it is not what was packed")
    return data


def checksum(data: bytes) -> int:
    """CRC-32: tells damage (a bad sector), not malice; that is what a pack's hash is for."""
    return zlib.crc32(data)


def check_shape(method: int, stored: int, raw: int) -> bool:
    """Whether a piece of these sizes can exist."""
    if method == STORED:
        return stored == raw and 0 <= raw <= MOST_PACK
    return method == PACKED and 0 < raw <= MOST_PIECE and 0 < stored <= MOST_PIECE


def _unpacked(stored: bytes, raw: int) -> bytes:
    try:
        return lzma.LZMADecompressor(format=lzma.FORMAT_RAW, filters=_READ).decompress(stored, raw + 1)
    except (lzma.LZMAError, EOFError):
        raise _damaged("it cannot be unpacked") from None


def _damaged(why: str) -> BookbagError:
    return BookbagError("state-corrupt", f"cannot read a piece of learning content: {why}")
