"""What the sync worker remembers between rounds, in the spool: the tag of what each source gave last.

Losing it costs one download. It is bound to the mirror's own timestamp.json and to the laptop's mailbox: when
either is not as it was, no tag counts, so that an answer "nothing new" can never hide a missing file.
"""

from __future__ import annotations

import json
import os

from agent.core import durable
from agent.core.errors import BookbagError
from agent.core.jsontext import parse

MAX_BYTES = 16 << 10
MAX_SOURCES = 16


class Memory:
    """Tags by source name, kept in the file at ``path`` for the mirror at ``mirror`` and whoever ``key``
    names.
    """

    def __init__(self, path: str, mirror: str, key: str) -> None:
        self._path = path
        self._timestamp = f"{mirror}/metadata/timestamp.json"
        self._key = key
        self._tags = self._load()

    @property
    def bound(self) -> bool:
        """Whether the mirror is as it was left for this laptop's mailbox."""
        return bool(self._tags)

    def tag(self, source: str) -> str:
        """What ``source`` gave last; "" if the mirror is not what it was then."""
        return self._tags.get(source, "")

    def keep(self, source: str, tag: str, *, fresh: bool) -> None:
        """What the mirror holds is what ``tag`` of ``source`` stands for. ``fresh``: it was brought just now,
        so that what other sources gave last was something else.
        """
        seen = self._seen()
        if not seen or self._tags.get(source) == tag:
            return
        others = {} if fresh else dict(list(self._tags.items())[1 - MAX_SOURCES :])
        self._tags = {**others, source: tag}
        value = {"v": 1, "key": self._key, "seen": seen, "tags": self._tags}
        durable.write(self._path, json.dumps(value).encode(), mode=0o600)

    def _load(self) -> dict[str, str]:
        try:
            with open(self._path, "rb") as file:
                value = parse(file.read(MAX_BYTES + 1), what=self._path, max_bytes=MAX_BYTES)
        except (OSError, BookbagError):
            return {}
        if not isinstance(value, dict) or value.get("v") != 1 or value.get("key") != self._key:
            return {}
        tags = value.get("tags")
        if value.get("seen") != self._seen() or not isinstance(tags, dict):
            return {}
        return {name: tag for name, tag in tags.items() if isinstance(tag, str)}

    def _seen(self) -> list[int]:
        try:
            found = os.lstat(self._timestamp)
        except OSError:
            return []
        return [found.st_ino, found.st_size, found.st_mtime_ns]
