"""Reads what root tells everyone on this laptop. A snapshot that is absent, malformed or of a later format
is "not known": a page then says so in a sentence.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.store import atomic

MAX_BYTES = 4 << 20
MAX_NODES = 200_000
VERSION = 1


class Public:
    """The snapshots in ``folder``. What was parsed is kept until the file is another one."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._held: dict[str, tuple[tuple[int, ...], Mapping[str, object] | None]] = {}

    def read(self, name: str) -> Mapping[str, object] | None:
        """The object in ``NAME.json``; None if it is not known."""
        path = f"{self._folder}/{name}.json"
        seen = _seen(path)
        if seen is None:
            return None
        held = self._held.get(name)
        if held is None or held[0] != seen:
            held = (seen, _parsed(path))
            self._held[name] = held
        return held[1]


def _seen(path: str) -> tuple[int, ...] | None:
    """Tells one file at ``path`` from another without reading it."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None


def _parsed(path: str) -> Mapping[str, object] | None:
    try:
        data = atomic.read(path, max_bytes=MAX_BYTES)
        value = jsontext.parse(data or b"", what=path, max_bytes=MAX_BYTES, max_nodes=MAX_NODES)
    except BookbagError:
        return None
    if not isinstance(value, dict):
        return None
    v = value.get("v")
    return value if type(v) is int and 1 <= v <= VERSION else None


# -- parts of what was read, of the kind expected or empty


def text(row: object, name: str) -> str:
    """A text of ``row``; "" if there is none."""
    value = row.get(name) if isinstance(row, Mapping) else None
    return value if isinstance(value, str) else ""


def whole(row: object, name: str) -> int:
    """A whole number of ``row``; 0 if there is none."""
    value = row.get(name) if isinstance(row, Mapping) else None
    return value if type(value) is int else 0


def rows(row: object, name: str) -> list[Mapping[str, object]]:
    """The objects in a list of ``row``."""
    value = row.get(name) if isinstance(row, Mapping) else None
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def mapping(row: object, name: str) -> Mapping[str, object]:
    """An object of ``row``; empty if there is none."""
    value = row.get(name) if isinstance(row, Mapping) else None
    return value if isinstance(value, Mapping) else {}
