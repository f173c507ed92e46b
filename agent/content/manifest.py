"""A version of an item: which packs it needs, where its listing lies in them, what to open first.

The manifest is a blob of its own, canonical JSON, named by its SHA-256 in the signed catalogue. The listing,
which can be long, is cut in segments that lie in the packs as pieces: what an edit leaves alone is not
fetched again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent.content.bounds import (
    MOST_FILES,
    MOST_ITEM,
    MOST_MANIFEST,
    MOST_PACK,
    MOST_PACKS,
    MOST_PATH,
    MOST_SEGMENTS,
)
from agent.content.pieces import METHODS, check_shape
from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.trust.fields import Fields

VERSION = 1
WHAT = "manifest"
#: How an item is opened: pages in a browser, chapters in their order, or one file with the reader it needs.
FORMS = ("site", "book", "document", "video", "audio", "image", "file")


@dataclass(frozen=True, slots=True)
class Pack:
    """One pack, by hash."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Where a piece lies. ``crc`` is that of its unpacked bytes."""

    pack: str  #: sha256
    offset: int
    stored: int
    raw: int
    method: int
    crc: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """One version of one item."""

    form: str
    entry: str  #: the path to open first
    files: int
    size: int  #: bytes of all files
    packs: tuple[Pack, ...]
    segments: tuple[Piece, ...]  #: the listing's, in order

    @property
    def stored(self) -> int:
        """Bytes of all packs: what it costs to fetch and to keep."""
        return sum(pack.size for pack in self.packs)

    def to_bytes(self) -> bytes:
        """The one byte form."""
        numbers = {pack.sha256: number for number, pack in enumerate(self.packs)}
        return jsontext.canonical(
            {
                "v": VERSION,
                "form": self.form,
                "entry": self.entry,
                "files": self.files,
                "size": self.size,
                "packs": [[pack.sha256, pack.size] for pack in self.packs],
                "listing": [encode_piece(piece, numbers) for piece in self.segments],
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """Read one, strictly. Raises ``bad-content``, ``bad-json``, ``too-large``, ``format-too-new``."""
        value = jsontext.parse(data, what=WHAT, max_bytes=MOST_MANIFEST, max_depth=4, max_nodes=100_000)
        top = Fields(value, WHAT, code="bad-content")
        top.version(VERSION)
        packs = _packs(top)
        return cls(
            form=_one_of(top.text("form", 16)),
            entry=top.text("entry", MOST_PATH),
            files=top.integer("files", 1, MOST_FILES),
            size=top.integer("size", 0, MOST_ITEM),
            packs=packs,
            segments=decode_pieces(rows(top, "listing", MOST_SEGMENTS), packs),
        )


def encode_piece(piece: Piece, numbers: Mapping[str, int]) -> list[int]:
    """A piece as the row that manifests and segments hold; ``numbers``: pack → its number there."""
    return [numbers[piece.pack], piece.offset, piece.stored, piece.raw, piece.method, piece.crc]


def decode_pieces(listed: list[list[object]], packs: tuple[Pack, ...]) -> tuple[Piece, ...]:
    """The inverse, each within its pack. Raises ``bad-content``."""
    return tuple(_piece(row, packs) for row in listed)


def rows(fields: Fields, key: str, most: int) -> list[list[object]]:
    """A list of lists. Raises ``bad-content``."""
    value = fields.raw(key)
    if not isinstance(value, list) or len(value) > most or not all(isinstance(row, list) for row in value):
        raise bad(f"{key} must be a list of at most {most} rows")
    return value


def whole(value: object, low: int, high: int) -> int:
    """A whole number of a row. Raises ``bad-content``."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise bad(f"a number must be from {low} to {high}")
    return value


def is_hash(text: object) -> bool:
    """Whether ``text`` is a SHA-256 as blobs are named."""
    return isinstance(text, str) and len(text) == 64 and set(text) <= set("0123456789abcdef")


def bad(why: str) -> BookbagError:
    """What is not as this format says."""
    return BookbagError("bad-content", f"cannot take this learning content: {why}")


def _packs(top: Fields) -> tuple[Pack, ...]:
    found = []
    for row in rows(top, "packs", MOST_PACKS):
        if len(row) != 2 or not is_hash(row[0]):
            raise bad("a pack is a hash and a size")
        found.append(Pack(str(row[0]), whole(row[1], 1, MOST_PACK)))
    if len({pack.sha256 for pack in found}) != len(found):
        raise bad("a pack is listed twice")
    return tuple(found)


def _piece(row: list[object], packs: tuple[Pack, ...]) -> Piece:
    if len(row) != 6:
        raise bad("a piece has six numbers")
    pack = packs[whole(row[0], 0, len(packs) - 1)]
    offset, stored, raw, method, crc = (whole(value, 0, 1 << 32) for value in row[1:])
    if method not in METHODS or not check_shape(method, stored, raw) or offset + stored > pack.size:
        raise bad("a piece does not fit its pack")
    return Piece(pack.sha256, offset, stored, raw, method, crc)


def _one_of(form: str) -> str:
    if form not in FORMS:
        raise bad(f"its form {form!r} is none of {', '.join(FORMS)}")
    return form
