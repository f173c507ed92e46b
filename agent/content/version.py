"""A whole version as its blobs tell it: the manifest, and every file of its listing."""

from __future__ import annotations

from collections.abc import Iterator

from agent.content.bounds import MOST_MANIFEST
from agent.content.listing import File, decode
from agent.content.manifest import Manifest, bad
from agent.content.packs import Packs
from agent.core.errors import BookbagError


def read_manifest(blobs: Packs, sha256: str) -> Manifest:
    """The manifest of that hash. Raises ``not-found``, and what `Manifest.from_bytes` does."""
    size = blobs.size(sha256)
    if size is None:
        raise BookbagError("not-found", "cannot read this version: its manifest is not here", place=sha256)
    if size > MOST_MANIFEST:
        raise BookbagError("too-large", "cannot read this version: its manifest is too large", place=sha256)
    return Manifest.from_bytes(blobs.read(sha256, 0, size))


def read_files(blobs: Packs, manifest: Manifest) -> Iterator[File]:
    """Every file, by path. Its packs must be here. Raises ``bad-content`` for a listing that is not as its
    manifest says, ``state-corrupt`` for damage."""
    packs = {pack.sha256: pack for pack in manifest.packs}
    count, size, last = 0, 0, ""
    for segment in manifest.segments:
        for file in decode(blobs.piece(segment), packs):
            if file.path <= last:
                raise bad("its listing is not in order, or names a file twice")
            last = file.path
            count += 1
            size += file.size
            if count > manifest.files or size > manifest.size:
                raise bad("its listing holds more than its manifest says")
            yield file
    if (count, size) != (manifest.files, manifest.size):
        raise bad("its listing holds less than its manifest says")
