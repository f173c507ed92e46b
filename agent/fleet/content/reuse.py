"""What a new version may point to instead of storing it again: files of its former version, and of other
items.

A laptop fetches packs whole, so pointing into one is only worth it while enough of that pack is wanted. What
is mostly dead, or lies about in many small packs, is stored anew and so tidied up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from agent.content.listing import Extent, File
from agent.content.manifest import Manifest, Piece
from agent.content.packs import Packs
from agent.content.version import read_files, read_manifest

LIVELY = 0.5  #: of a pack of the former version must still be wanted
SHARED = 0.25  #: of another item's pack must be wanted here
SMALL = 256 << 10  #: bytes: packs below are small,
MOST_SMALL = 24  #: and this many of them are enough


@dataclass(slots=True)
class Reuse:
    """What there is to point to. Made by `find`."""

    files: Mapping[str, tuple[Extent, ...]] = field(default_factory=dict)  #: by content, sha256
    paths: Mapping[str, File] = field(default_factory=dict)  #: of the former version
    segments: Mapping[str, Piece] = field(default_factory=dict)  #: of its listing, by content
    sizes: Mapping[str, int] = field(default_factory=dict)  #: of packs
    manifests: frozenset[str] = frozenset()

    def same(self, sha256: str) -> tuple[Extent, ...] | None:
        """Where a file of exactly this content is stored."""
        return self.files.get(sha256)

    def former(self, path: str) -> File | None:
        """What the former version has at this path."""
        return self.paths.get(path)

    def segment(self, sha256: str) -> Piece | None:
        """Where a segment of exactly this content is stored."""
        return self.segments.get(sha256)

    def knows(self, manifest: str) -> bool:
        """Whether the manifest was there before."""
        return manifest in self.manifests


@dataclass(frozen=True, slots=True)
class Known:
    """One version that is stored."""

    sha256: str
    manifest: Manifest
    files: tuple[File, ...]


def known(blobs: Packs, sha256: str) -> Known:
    """Read a stored version. Raises ``not-found``, ``state-corrupt``, ``bad-content``."""
    manifest = read_manifest(blobs, sha256)
    return Known(sha256, manifest, tuple(read_files(blobs, manifest)))


def find(blobs: Packs, former: Known | None, others: Iterable[Known], wanted: Mapping[str, str]) -> Reuse:
    """What may be pointed to by a version that holds ``wanted`` (path → sha256)."""
    contents = set(wanted.values())
    files: dict[str, tuple[Extent, ...]] = {}
    paths: dict[str, File] = {}
    segments: dict[str, Piece] = {}
    sizes: dict[str, int] = {}
    manifests = set()
    if former is not None:
        good = _lively(former, wanted)
        manifests.add(former.sha256)
        sizes |= {pack.sha256: pack.size for pack in former.manifest.packs}
        for file in former.files:
            if all(extent.piece.pack in good for extent in file.extents):
                files.setdefault(file.sha256, file.extents)
                paths[file.path] = file
        for piece in former.manifest.segments:
            if piece.pack in good:
                segments[hashlib.sha256(blobs.piece(piece)).hexdigest()] = piece
    for other in others:
        manifests.add(other.sha256)
        missing = [file for file in other.files if file.sha256 in contents - files.keys()]
        enough = _wanted_enough(other, missing)
        sizes |= {pack.sha256: pack.size for pack in other.manifest.packs}
        for file in missing:
            if all(extent.piece.pack in enough for extent in file.extents):
                files.setdefault(file.sha256, file.extents)
    return Reuse(files, paths, segments, sizes, frozenset(manifests))


def _lively(former: Known, wanted: Mapping[str, str]) -> set[str]:
    """Packs of the former version that are worth keeping: enough of them is wanted, and they are not too many
    small ones. Where nothing has changed, nothing is tidied up either: that alone would be a new version."""
    if {file.path: file.sha256 for file in former.files} == wanted:
        return {pack.sha256 for pack in former.manifest.packs}
    contents = set(wanted.values())
    staying = [file for file in former.files if file.sha256 in contents or file.path in wanted]
    used = _bytes_by_pack(staying, former.manifest.segments)
    good = {pack for pack in former.manifest.packs if used.get(pack.sha256, 0) >= LIVELY * pack.size}
    small = {pack for pack in good if pack.size < SMALL}
    return {pack.sha256 for pack in (good - small if len(small) > MOST_SMALL else good)}


def _wanted_enough(other: Known, files: Iterable[File]) -> set[str]:
    used = _bytes_by_pack(files)
    return {pack.sha256 for pack in other.manifest.packs if used.get(pack.sha256, 0) >= SHARED * pack.size}


def _bytes_by_pack(files: Iterable[File], pieces: Iterable[Piece] = ()) -> dict[str, int]:
    """Bytes of each pack that these need; a part of a compressed piece counts for that part of it."""
    used: dict[str, int] = {}
    for piece in pieces:
        used[piece.pack] = used.get(piece.pack, 0) + piece.stored
    for extent in {extent for file in files for extent in file.extents}:
        part = extent.piece.stored * extent.length // extent.piece.raw
        used[extent.piece.pack] = used.get(extent.piece.pack, 0) + part
    return used
