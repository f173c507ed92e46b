"""The listing of a version: each file with its size, hash, place and what is known of it for reading and
search."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent.content.bounds import (
    MOST_DEPTH,
    MOST_EXTENTS,
    MOST_FILE,
    MOST_PACK,
    MOST_PACKS,
    MOST_PATH,
    MOST_TITLE,
    MOST_TRACKS,
)
from agent.content.languages import is_language
from agent.content.manifest import Pack, Piece, bad, decode_pieces, encode_piece, is_hash, rows, whole
from agent.core import jsontext
from agent.trust.fields import Fields

WHAT = "listing"
MOST_SEGMENT = 1 << 20  #: bytes
MOST_NODES = 400_000  #: values in one segment
#: Files of which about one begins a new segment.
PER_SEGMENT = 16
DIRECTIONS = ("", "ltr", "rtl")
TRACKS = ("captions", "subtitles", "descriptions", "chapters")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\]")


@dataclass(frozen=True, slots=True)
class Extent:
    """``length`` bytes of a piece, from ``first`` on."""

    piece: Piece
    first: int
    length: int


@dataclass(frozen=True, slots=True)
class Track:
    """Captions of a video: a WebVTT file of the same item."""

    path: str
    lang: str
    kind: str


@dataclass(frozen=True, slots=True)
class File:
    """One file of an item. ``lang`` and ``direction`` are "" where they are the item's; ``order`` is its
    place among a book's chapters, from 1; 0: none."""

    path: str
    size: int
    sha256: str
    extents: tuple[Extent, ...]
    title: str = ""
    lang: str = ""
    direction: str = ""
    order: int = 0
    tracks: tuple[Track, ...] = ()


def is_path(path: str) -> bool:
    """Whether ``path`` may name a file inside an item: relative, plain, of one meaning everywhere."""
    parts = path.split("/")
    return (
        0 < len(path.encode("utf-8", "replace")) <= MOST_PATH
        and len(parts) <= MOST_DEPTH
        and not any(part in ("", ".", "..") for part in parts)
        and not _CONTROL.search(path)
    )


def segments(files: Iterable[File]) -> Iterator[bytes]:
    """The listing's segments. Where one ends depends on paths alone, so that an edit changes only its own."""
    part: list[File] = []
    size = 0
    for file in sorted(files, key=lambda one: one.path):
        weight = 200 + 16 * len(file.extents)
        if part and (_begins(file.path) or size + weight > MOST_SEGMENT // 4):
            yield encode(part)
            part, size = [], 0
        part.append(file)
        size += weight
    if part:
        yield encode(part)


def encode(files: list[File]) -> bytes:
    """One segment."""
    packs: dict[str, int] = {}
    pieces: dict[Piece, int] = {}
    listed = []
    for file in files:
        at = []
        for extent in file.extents:
            packs.setdefault(extent.piece.pack, len(packs))
            at.append([pieces.setdefault(extent.piece, len(pieces)), extent.first, extent.length])
        listed.append(_file_row(file, at))
    return jsontext.canonical(
        {"packs": list(packs), "pieces": [encode_piece(piece, packs) for piece in pieces], "files": listed}
    )


def decode(data: bytes, packs: dict[str, Pack]) -> list[File]:
    """The files of one segment; ``packs``: those of the manifest. Raises ``bad-content``, ``bad-json``."""
    value = jsontext.parse(data, what=WHAT, max_bytes=MOST_SEGMENT, max_depth=6, max_nodes=MOST_NODES)
    top = Fields(value, WHAT, code="bad-content")
    named = []
    for name in top.texts("packs", MOST_PACKS):
        if name not in packs:
            raise bad("its listing names a pack that its manifest does not")
        named.append(packs[name])
    pieces = decode_pieces(rows(top, "pieces", MOST_EXTENTS), tuple(named))
    return [_file(one, pieces) for one in top.objects("files", MOST_NODES)]


def _begins(path: str) -> bool:
    return int.from_bytes(hashlib.sha256(path.encode()).digest()[:4], "big") % PER_SEGMENT == 0


def _file_row(file: File, at: list[list[int]]) -> dict[str, object]:
    row: dict[str, object] = {"path": file.path, "size": file.size, "sha256": file.sha256, "at": at}
    known = {"title": file.title, "lang": file.lang, "dir": file.direction, "order": file.order}
    row |= {name: value for name, value in known.items() if value}
    if file.tracks:
        row["tracks"] = [[track.path, track.lang, track.kind] for track in file.tracks]
    return row


def _file(one: Fields, pieces: tuple[Piece, ...]) -> File:
    path, size, sha256 = (
        one.text("path", MOST_PATH),
        one.integer("size", 0, MOST_FILE),
        one.text("sha256", 64),
    )
    if not is_path(path) or not is_hash(sha256):
        raise bad(f"{path[:80]!r} is no plain path, or has no hash")
    extents = tuple(_extent(row, pieces) for row in rows(one, "at", MOST_EXTENTS))
    if sum(extent.length for extent in extents) != size:
        raise bad(f"the parts of {path[:80]!r} do not make its size")
    lang, direction = one.text("lang", 35, ""), one.text("dir", 3, "")
    if (lang and not is_language(lang)) or direction not in DIRECTIONS:
        raise bad(f"the language of {path[:80]!r} is none")
    return File(
        path=path,
        size=size,
        sha256=sha256,
        extents=extents,
        title=one.text("title", MOST_TITLE, ""),
        lang=lang,
        direction=direction,
        order=one.integer("order", 0, 1 << 20, 0),
        tracks=tuple(_track(row) for row in rows(one, "tracks", MOST_TRACKS)) if one.has("tracks") else (),
    )


def _extent(row: list[object], pieces: tuple[Piece, ...]) -> Extent:
    if len(row) != 3:
        raise bad("a part of a file has three numbers")
    piece = pieces[whole(row[0], 0, len(pieces) - 1)]
    first, length = whole(row[1], 0, MOST_PACK), whole(row[2], 1, MOST_PACK)
    if first + length > piece.raw:
        raise bad("a part of a file goes beyond its piece")
    return Extent(piece, first, length)


def _track(row: list[object]) -> Track:
    if len(row) != 3 or not all(isinstance(text, str) for text in row):
        raise bad("a track is a path, a language and a kind")
    path, lang, kind = (str(text) for text in row)
    if not is_path(path) or not is_language(lang) or kind not in TRACKS:
        raise bad(f"the track {path[:80]!r} is not as tracks are")
    return Track(path, lang, kind)
