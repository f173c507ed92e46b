"""Files become a version: what is stored already is pointed to, what is new goes into new packs.

Small files that compress are packed in groups, by kind and name, because alike compresses with alike; what is
compressed in itself is stored as it is, and may span packs. The same files after the same former version give
the same bytes.
"""

from __future__ import annotations

import hashlib
import itertools
import mmap
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

from agent.content.bounds import MOST_EXTENTS, MOST_PIECE
from agent.content.effort import bounded
from agent.content.listing import Extent, File, Track, segments
from agent.content.manifest import Manifest, Pack, Piece
from agent.content.packs import Packs
from agent.content.pieces import STORED, checksum, pack
from agent.content.stream import Stream
from agent.content.types import ending
from agent.core import durable
from agent.core.errors import BookbagError
from agent.fleet.content.matching import SHORTEST, runs
from agent.fleet.content.reuse import Reuse

PACK = 4 << 20  #: bytes: when a pack is closed
GROUP = 256 << 10  #: bytes of small files that are compressed together
HUGE = 64 << 20  #: bytes: files beyond are cut in larger pieces, or their listing would be long
LEAST_PIECE = 64 << 10  #: bytes of a stored piece that begins a pack's last room
THREADS = 2
#: Endings of what is compressed in itself.
COMPRESSED = frozenset(
    {
        *("7z", "aac", "avif", "br", "bz2", "epub", "flac", "gif", "gz", "heic", "jpeg", "jpg", "m4a", "m4v"),
        *("mp3", "mp4", "oga", "ogg", "ogv", "opus", "png", "rar", "weba", "webm", "webp", "woff", "woff2"),
        *("xz", "zip", "zst"),
    }
)


@dataclass(frozen=True, slots=True)
class Source:
    """A file to be packed: where it lies here, and what the item says of it."""

    path: str
    place: Path
    size: int
    sha256: str
    title: str = ""
    lang: str = ""
    direction: str = ""
    order: int = 0
    tracks: tuple[Track, ...] = ()


@dataclass(frozen=True, slots=True)
class Packed:
    """What came out: the manifest's hash and value, and which blobs are new."""

    sha256: str
    manifest: Manifest
    new: tuple[Pack, ...]

    @property
    def fresh(self) -> int:
        """Bytes that a laptop with the former version has to fetch."""
        return sum(one.size for one in self.new)


@dataclass(slots=True)
class _Literal:
    """Bytes of a source that are stored anew; ``extents`` are filled in once they are."""

    source: Source
    first: int
    length: int
    extents: list[Extent] = field(default_factory=list)


def pack_version(
    sources: Sequence[Source],
    form: str,
    entry: str,
    blobs: Packs,
    reuse: Reuse,
    step: Callable[[int], None] = lambda done: None,
) -> Packed:
    """Pack ``sources`` into ``blobs``. ``step`` hears of bytes that are done. Raises ``disk-full``,
    ``bad-content``.

    Where pointing into former versions would make reading take too much work, all of it is stored anew.
    """
    try:
        return _pack_version(sources, form, entry, blobs, reuse, step)
    except BookbagError as problem:
        if problem.code != "bad-content" or not reuse.files:
            raise
    return _pack_version(sources, form, entry, blobs, Reuse(), lambda done: None)


def _pack_version(
    sources: Sequence[Source],
    form: str,
    entry: str,
    blobs: Packs,
    reuse: Reuse,
    step: Callable[[int], None],
) -> Packed:
    writer = _Writer(blobs)
    plans: dict[str, list[Extent | _Literal]] = {}  # by content: the same twice is stored once
    for source in sorted(sources, key=lambda one: one.path):
        if source.sha256 not in plans:
            plans[source.sha256] = list(_plan(source, blobs, reuse))
    literals = [part for parts in plans.values() for part in parts if isinstance(part, _Literal)]
    reused = sum(source.size for source in sources) - sum(one.length for one in literals)
    step(reused)
    _store(literals, writer, step)
    files = [_file(source, plans[source.sha256]) for source in sources]
    size = sum(file.size for file in files)
    for _ in bounded(sorted(files, key=lambda one: one.path), size):
        pass
    listing = _list(files, writer, reuse)
    sizes = {**reuse.sizes, **{one.sha256: one.size for one in writer.packs}}
    named = {extent.piece.pack for file in files for extent in file.extents} | {one.pack for one in listing}
    manifest = Manifest(
        form=form,
        entry=entry,
        files=len(files),
        size=size,
        packs=tuple(Pack(name, sizes[name]) for name in sorted(named)),
        segments=tuple(listing),
    )
    written = store(blobs, manifest.to_bytes())
    return Packed(
        written.sha256, manifest, (*writer.packs, *(() if reuse.knows(written.sha256) else (written,)))
    )


def store(blobs: Packs, data: bytes) -> Pack:
    """Put a blob where it belongs, durably; one that is there stays."""
    sha256 = hashlib.sha256(data).hexdigest()
    if blobs.size(sha256) != len(data):
        path = blobs.path(sha256)
        durable.make_directories(path.rpartition("/")[0], mode=0o755)
        durable.write(path, data, mode=0o644)
    return Pack(sha256, len(data))


class _Writer:
    """Fills packs one after another. A piece's place is known when its pack is closed."""

    def __init__(self, blobs: Packs) -> None:
        self._blobs = blobs
        self._parts: list[bytes] = []
        self._waiting: list[tuple[int, int, int, int, int, Callable[[Piece], None]]] = []
        self.size = 0
        self.packs: list[Pack] = []

    def add(self, method: int, stored: bytes, raw: int, crc: int, then: Callable[[Piece], None]) -> None:
        """Append a piece; ``then`` hears where it lies."""
        self._waiting.append((self.size, len(stored), raw, method, crc, then))
        self._parts.append(stored)
        self.size += len(stored)
        if self.size >= PACK:
            self.close()

    def close(self) -> None:
        """Write the pack that is being filled."""
        if not self._parts:
            return
        made = store(self._blobs, b"".join(self._parts))
        if made not in self.packs:
            self.packs.append(made)
        for offset, stored, raw, method, crc, then in self._waiting:
            then(Piece(made.sha256, offset, stored, raw, method, crc))
        self._parts, self._waiting, self.size = [], [], 0


# -- what is new in a file


def _plan(source: Source, blobs: Packs, reuse: Reuse) -> Iterator[Extent | _Literal]:
    """The parts of a file in order: extents that are stored already, literals that are not."""
    if not source.size:
        return
    same = reuse.same(source.sha256)
    if same is not None:
        yield from same
        return
    former = reuse.former(source.path)
    if former is None or min(former.size, source.size) < 4 * SHORTEST:
        yield _Literal(source, 0, source.size)
        return
    parts = list(_edited(source, former, blobs))
    yield from parts if len(parts) < MOST_EXTENTS // 2 else [_Literal(source, 0, source.size)]


def _edited(source: Source, former: File, blobs: Packs) -> Iterator[Extent | _Literal]:
    """An edited file as runs of its former version and what is new; all of it new where little is left or the
    file would be in shreds."""
    with tempfile.TemporaryFile() as old_file, open(source.place, "rb") as new_file:
        with Stream(blobs, former, 0, former.size) as stream:
            while data := stream.read(MOST_PIECE):
                old_file.write(data)
        old_file.flush()
        with _mapped(old_file) as old, _mapped(new_file) as new:
            found = list(runs(old, new))
    kept = sum(run.length for run in found)
    if kept * 2 < source.size or len(found) > 8 + source.size // 2048:
        yield _Literal(source, 0, source.size)
        return
    at = 0
    for run in found:
        if run.new > at:
            yield _Literal(source, at, run.new - at)
        yield from _slice(former.extents, run.old, run.length)
        at = run.new + run.length
    if at < source.size:
        yield _Literal(source, at, source.size - at)


def _mapped(file: IO[bytes]) -> mmap.mmap:
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _slice(extents: Iterable[Extent], first: int, length: int) -> Iterator[Extent]:
    """The extents of ``length`` bytes from ``first`` on."""
    at = 0
    for extent in extents:
        low, high = max(first, at), min(first + length, at + extent.length)
        if low < high:
            yield Extent(extent.piece, extent.first + low - at, high - low)
        at += extent.length


# -- storing it


def _store(literals: list[_Literal], writer: _Writer, step: Callable[[int], None]) -> None:
    apart = [one for one in literals if ending(one.source.path) in COMPRESSED]
    together = [one for one in literals if ending(one.source.path) not in COMPRESSED]
    for group, data, (method, stored) in _packed(_groups(sorted(together, key=_kind))):
        writer.add(method, stored, len(data), checksum(data), _placer(group))
        step(len(data))
    writer.close()
    for one in sorted(apart, key=_kind):
        for first, length in _cuts(one, writer):
            data = _read(one.source, one.first + first, length)
            writer.add(STORED, data, length, checksum(data), _placer([(one, first, length)]))
            step(length)
    writer.close()


_Part = tuple[_Literal, int, int]  # of a literal, from, length


def _kind(one: _Literal) -> tuple[str, str, int]:
    return ending(one.source.path), one.source.path, one.first


def _groups(literals: Iterable[_Literal]) -> Iterator[list[_Part]]:
    """What is compressed together: whole literals while they fit, cut ones alone."""
    group: list[_Part] = []
    size = 0
    for one in literals:
        if size + one.length > GROUP and group:
            yield group
            group, size = [], 0
        largest = MOST_PIECE if one.length > HUGE else GROUP
        at = 0
        while one.length - at > largest:
            yield [(one, at, largest)]
            at += largest
        group.append((one, at, one.length - at))
        size += one.length - at
    if group:
        yield group


def _packed(groups: Iterator[list[_Part]]) -> Iterator[tuple[list[_Part], bytes, tuple[int, bytes]]]:
    """Each group with its bytes, raw and packed; in order, a few at a time on every processor."""
    with ThreadPoolExecutor(THREADS) as pool:
        while batch := list(itertools.islice(groups, 4 * THREADS)):
            datas = [
                b"".join(_read(one.source, one.first + at, length) for one, at, length in group)
                for group in batch
            ]
            yield from zip(batch, datas, pool.map(pack, datas), strict=True)


def _cuts(one: _Literal, writer: _Writer) -> Iterator[tuple[int, int]]:
    """(from, length) of the pieces of a literal that is stored as it is, each as large as its pack has
    room."""
    at = 0
    while at < one.length:
        room = PACK - writer.size
        length = min(max(room, LEAST_PIECE), one.length - at)
        yield at, length
        at += length


def _placer(parts: list[_Part]) -> Callable[[Piece], None]:
    def place(piece: Piece) -> None:
        first = 0
        for literal, _, length in parts:
            if length:
                literal.extents.append(Extent(piece, first, length))
            first += length

    return place


def _read(source: Source, first: int, length: int) -> bytes:
    with open(source.place, "rb") as file:
        file.seek(first)
        data = file.read(length)
    if len(data) != length:
        raise OSError(f"{source.place} became shorter while it was read")
    return data


def _file(source: Source, parts: list[Extent | _Literal]) -> File:
    extents: list[Extent] = []
    for part in parts:
        extents += part.extents if isinstance(part, _Literal) else [part]
    return File(
        path=source.path,
        size=source.size,
        sha256=source.sha256,
        extents=tuple(extents),
        title=source.title,
        lang=source.lang,
        direction=source.direction,
        order=source.order,
        tracks=source.tracks,
    )


def _list(files: list[File], writer: _Writer, reuse: Reuse) -> list[Piece]:
    """The listing, segment by segment; those that the former version has are pointed to."""
    placed: dict[int, Piece] = {}
    for number, segment in enumerate(segments(files)):
        digest = hashlib.sha256(segment).hexdigest()
        known = reuse.segment(digest)
        if known is not None:
            placed[number] = known
            continue
        method, stored = pack(segment)
        place = partial(placed.__setitem__, number)
        writer.add(method, stored, len(segment), checksum(segment), place)
    writer.close()
    return [placed[number] for number in sorted(placed)]
