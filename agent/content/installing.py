"""Making a version readable: every byte of it is checked once, and only then it gets an index.

The packs' hashes say that these are the bytes its editor signed for; whether they make files that open is
found out here, file by file. What fails is refused as a whole, and an older version stays as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from agent.content import edition
from agent.content.effort import bounded
from agent.content.listing import File
from agent.content.manifest import Manifest, bad
from agent.content.packs import STEP, Packs
from agent.content.stream import Kept, Stream
from agent.content.version import read_files
from agent.core.errors import BookbagError


def install(
    packs: Packs, manifest: Manifest, path: str, step: Callable[[int], None] = lambda done: None
) -> None:
    """Write the index of ``manifest``'s version at ``path``, durably, after reading each of its files once.

    ``step`` hears of bytes that were read. Raises ``bad-content`` (its editor made it wrong),
    ``state-corrupt`` (a pack is damaged or not here), ``disk-full``.
    """
    for pack in manifest.packs:
        if packs.size(pack.sha256) != pack.size:
            raise BookbagError(
                "state-corrupt", "cannot open this version: a pack is not whole", place=pack.sha256
            )
    edition.write(path, _checked(packs, manifest, step))


def _checked(packs: Packs, manifest: Manifest, step: Callable[[int], None]) -> Iterator[File]:
    kept = Kept(packs)
    seen_entry = False
    for file in bounded(read_files(packs, manifest), manifest.size):
        digest = hashlib.sha256()
        with Stream(kept, file, 0, file.size) as stream:
            while data := stream.read(STEP):
                digest.update(data)
                step(len(data))
        if digest.hexdigest() != file.sha256:
            raise bad(f"{file.path[:80]!r} is not what its listing says")
        seen_entry = seen_entry or file.path == manifest.entry
        yield file
    if not seen_entry:
        raise bad(f"it is to be opened at {manifest.entry[:80]!r}, which it has not")
