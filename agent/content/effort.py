"""How much unpacking a version takes to read once, told from its listing alone: bytes named twice cost
nothing to fetch, and without a bound a few of them could keep a laptop busy for days.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent.content.bounds import MOST_ALL_EXTENTS, MOST_TIMES, MOST_UNPACKED
from agent.content.listing import File
from agent.content.manifest import Piece, bad
from agent.content.pieces import STORED
from agent.content.stream import KEPT


def bounded(files: Iterable[File], size: int) -> Iterator[File]:
    """``files`` as they come, of a version of ``size`` bytes. Raises ``bad-content`` before the one that
    costs too much."""
    kept: dict[Piece, None] = {}
    unpacked, extents = 0, 0
    for file in files:
        extents += len(file.extents)
        for extent in file.extents:
            if extent.piece.method == STORED:
                continue
            if extent.piece not in kept:
                unpacked += extent.piece.raw
                while len(kept) >= KEPT:
                    del kept[next(iter(kept))]
            kept.pop(extent.piece, None)
            kept[extent.piece] = None
        if extents > MOST_ALL_EXTENTS or unpacked > MOST_TIMES * size + MOST_UNPACKED:
            raise bad("reading it once takes far more work than its size allows")
        yield file
