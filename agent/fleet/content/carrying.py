"""Learning content onto a stick: what is published and not there yet, blob by blob, so that a stick that was
pulled out is simply gone on with."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.core import durable
from agent.core.errors import BookbagError
from agent.core.faults import explained
from agent.fleet.content.store import Blob, Store
from agent.fleet.folder import Folder
from agent.trust.catalogue import Catalogue, CatalogueItem
from agent.trust.paths import BLOBS, blob_place
from agent.trust.site.repository import SiteRepository

MOST_FILES = 200_000  #: names looked at on a stick
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Load:
    """What goes onto a stick, and how many bytes of it are not there yet."""

    blobs: tuple[Blob, ...]
    missing: int


def load(folder: Folder, stick: Path, only: Collection[str] | None) -> Load:
    """The blobs of all published items, or of those with the ids in ``only``. Raises ``not-found`` for an id
    that is not published."""
    store = Store(folder)
    blobs: dict[str, Blob] = {}
    for item in _items(folder, only):
        blobs |= {blob.sha256: blob for blob in store.needed(item)}
    listed = tuple(blobs[name] for name in sorted(blobs))
    return Load(listed, sum(blob.size for blob in listed if not _is_there(stick, blob)))


def carry(folder: Folder, stick: Path, wanted: Load, step: Callable[[int], None]) -> tuple[int, int]:
    """Copy what is missing and remove what is no longer wanted; (written, removed). ``step`` hears of bytes.

    Raises ``disk-full``, with what was copied so far in place.
    """

    removed = _prune(stick, {blob.sha256 for blob in wanted.blobs})  # first: it makes room
    written = 0
    for blob in wanted.blobs:
        if not _is_there(stick, blob):
            _copy(Path(Store(folder).published.path(blob.sha256)), stick / blob_place(blob.sha256), blob)
            written += 1
            step(blob.size)
    return written, removed


def _items(folder: Folder, only: Collection[str] | None) -> Iterator[CatalogueItem]:
    repository = SiteRepository.open(str(folder.root))
    found = set()
    for role, rule in sorted(folder.site().roles.items()):
        data = repository.catalogue(role, published=True) if rule.content else None
        for item in Catalogue.from_bytes(data).items if data else ():
            if only is None or item.id in only:
                found.add(item.id)
                yield item
    if only is not None and (unknown := sorted(set(only) - found)):
        raise BookbagError(
            "not-found", f"cannot take {', '.join(unknown)} along: it is not published", remedy="content list"
        )


def _is_there(stick: Path, blob: Blob) -> bool:
    """By its size: it got its name when it was whole, and a laptop checks the rest."""
    try:
        return os.lstat(stick / blob_place(blob.sha256)).st_size == blob.size
    except OSError:
        return False


def _copy(source: Path, target: Path, blob: Blob) -> None:
    durable.make_directories(str(target.parent), mode=0o755)
    temporary = f"{target}.{os.urandom(6).hex()}{durable.UNFINISHED}"
    try:
        with os.fdopen(os.open(source, _READ), "rb") as file, open(temporary, "xb") as out:
            shutil.copyfileobj(file, out, 1 << 20)
            out.flush()
            os.fsync(out.fileno())
            if out.tell() != blob.size:
                raise BookbagError("state-corrupt", "cannot copy this blob: it is damaged", place=str(source))
        os.rename(temporary, target)
    except OSError as problem:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise explained(problem, "fill this stick", str(target)) from None
    except BookbagError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _prune(stick: Path, keep: Collection[str]) -> int:
    removed = seen = 0
    for where, folders, files in os.walk(stick / BLOBS, followlinks=False):
        folders.sort()
        for name in files:
            seen += 1
            if seen > MOST_FILES:
                return removed
            if name not in keep:
                with contextlib.suppress(OSError):
                    os.unlink(os.path.join(where, name))
                    removed += 1
    return removed
