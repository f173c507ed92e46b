"""Looking for damage while nobody waits: packs are read again, a part of them at a time; what is damaged
goes, and the next look has it fetched again.
"""

from __future__ import annotations

import contextlib
import os

from agent.content import shelf
from agent.content.edition import Edition
from agent.content.manifest import is_hash
from agent.content.packs import Packs
from agent.content.shelf import edition_path
from agent.core import durable
from agent.core.errors import BookbagError

AT_A_TIME = 256 << 20  #: bytes


def scrub(store: str, *, everything: bool = False) -> list[str]:
    """Check the next packs (or all), and every index; returns what was damaged and was removed."""
    packs = Packs(f"{store}/packs")
    names = list(packs.all())
    place = f"{store}/scrubbed"
    last = "" if everything else _last(place)
    ahead = [name for name in names if name > last] + [name for name in names if name <= last]
    damaged = []
    read = 0
    for name in ahead:
        if read >= AT_A_TIME and not everything:
            break
        read += packs.size(name) or 0
        last = name
        if not packs.is_whole(name):
            packs.remove(name)
            damaged.append(name)
    if names:
        durable.write(place, last.encode(), mode=0o640)
    return damaged + _indexes(store)


def _indexes(store: str) -> list[str]:
    """Indexes that cannot be read to their end: they are made again from their packs."""
    damaged = []
    try:
        seen = shelf.read(store)
    except BookbagError:
        return []  # the next look writes another shelf
    for key, version in sorted(seen.editions()) if seen else []:
        path = edition_path(store, key, version)
        try:
            edition = Edition(path)
            try:
                for _ in edition.files():
                    pass
            finally:
                edition.close()
        except BookbagError:
            with contextlib.suppress(OSError):
                os.unlink(path)
            damaged.append(os.path.basename(path))
    return damaged


def _last(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            name = file.read(65)
    except (OSError, UnicodeDecodeError):
        return ""
    return name if is_hash(name) else ""
