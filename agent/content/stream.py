"""A file of an item, read a piece at a time: never more in memory than one piece and its packed form."""

from __future__ import annotations

import bisect
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

from agent.content.listing import File
from agent.content.manifest import Piece
from agent.content.pieces import STORED

KEPT = 4  #: pieces that stay unpacked where many files are read


class Pieces(Protocol):
    """Where pieces are read from."""

    def read(self, sha256: str, first: int, length: int) -> bytes:
        """Bytes of a pack. Raises ``state-corrupt``."""
        ...

    def piece(self, piece: Piece) -> bytes:
        """A piece, unpacked and checked. Raises ``state-corrupt``."""
        ...


class Kept:
    """The same pieces, the last few kept unpacked: neighbours lie in one piece."""

    def __init__(self, pieces: Pieces, most: int = KEPT) -> None:
        self._pieces = pieces
        self._most = most
        self._kept: dict[Piece, bytes] = {}

    def read(self, sha256: str, first: int, length: int) -> bytes:
        """As `Pieces.read`."""
        return self._pieces.read(sha256, first, length)

    def piece(self, piece: Piece) -> bytes:
        """As `Pieces.piece`."""
        data = self._kept.pop(piece, None)
        if data is None:
            while len(self._kept) >= self._most:
                self._kept.pop(next(iter(self._kept)))
            data = self._pieces.piece(piece)
        self._kept[piece] = data
        return data


class Stream:
    """``length`` bytes of a file from ``first`` on. A context manager; ``release`` is called when it is
    closed.

    ``read`` and ``left`` and ``close`` are what `agent.web` wants of a body.
    """

    def __init__(
        self, pieces: Pieces, file: File, first: int, length: int, release: Callable[[], None] = lambda: None
    ) -> None:
        self.first = first
        self.left = length
        self._pieces = pieces
        self._extents = file.extents
        self._release: Callable[[], None] | None = release
        self._starts = [0]
        for extent in file.extents:
            self._starts.append(self._starts[-1] + extent.length)
        self._at = first
        self._number = max(0, bisect.bisect_right(self._starts, first) - 1)
        self._piece: tuple[Piece, bytes] | None = None

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self, limit: int) -> bytes:
        """The next bytes, at most ``limit``; ``b""`` when all were read. Raises ``state-corrupt``."""
        if self.left <= 0 or limit <= 0:
            return b""
        extent = self._extents[self._number]
        inside = self._at - self._starts[self._number]
        count = min(limit, self.left, extent.length - inside)
        data = self._bytes(extent.piece, extent.first + inside, count)
        self._at += count
        self.left -= count
        if self._at == self._starts[self._number + 1]:
            self._number += 1
        return data

    def close(self) -> None:
        """Let go of the version (idempotent)."""
        self._piece = None
        if self._release is not None:
            self._release()
            self._release = None

    def _bytes(self, piece: Piece, first: int, count: int) -> bytes:
        if piece.method == STORED:  # any part of it can be had without the rest
            return self._pieces.read(piece.pack, piece.offset + first, count)
        if self._piece is None or self._piece[0] != piece:
            self._piece = None
            self._piece = (piece, self._pieces.piece(piece))
        return self._piece[1][first : first + count]
