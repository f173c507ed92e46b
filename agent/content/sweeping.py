"""Removing from the store what the shelf on the disk does not name, and nothing that is under way needs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable

from agent.content.packs import Packs
from agent.content.shelf import Shelf, edition_path
from agent.content.version import read_manifest
from agent.core import durable
from agent.core.errors import BookbagError


def sweep(store: str, packs: Packs, shelves: Iterable[Shelf], needed: Iterable[str] = ()) -> None:
    """Remove every index and blob that neither ``shelves`` nor ``needed`` (blobs) account for.

    Nothing is fsynced: what a power cut brings back is removed by the next sweep.
    """
    shelves = tuple(shelves)
    editions = {one for shelf in shelves for one in shelf.editions()}
    names = {os.path.basename(edition_path(store, *one)) for one in editions}
    names |= {shelf.search for shelf in shelves}
    for folder in (f"{store}/editions", store):
        for name in _names(folder):
            if (name.endswith(".db") and name not in names) or name.endswith(durable.UNFINISHED):
                with contextlib.suppress(OSError):
                    os.unlink(f"{folder}/{name}")
    keep = set(needed)
    for _, edition in editions:
        keep.add(edition)
        with contextlib.suppress(BookbagError):
            keep |= {pack.sha256 for pack in read_manifest(packs, edition).packs}
    for name in list(packs.all()):
        if name not in keep:
            packs.remove(name)


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []
