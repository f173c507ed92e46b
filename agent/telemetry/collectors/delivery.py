"""delivery: when the school's host was last reached, and how much waits for it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from agent.telemetry.declaration import Value
from agent.telemetry.outbox import Outbox
from agent.telemetry.seen import Seen

RECORD = "health"
_MOST_FILES = 20_000


def collect(seen: Seen) -> Mapping[str, Value]:
    """Sizes; what waits is not read."""
    age = seen.part("sync").get("good_ago_s")
    return {
        "sync-age": age if type(age) is int else None,
        "outbox-size": _size(seen.layout.outbox),
        "reports-size": min(1 << 30, Outbox(f"{seen.layout.telemetry}/out").size()),
    }


def _size(folder: str) -> int | None:
    total = 0
    try:
        with os.scandir(folder) as entries:
            for count, entry in enumerate(entries):
                if count >= _MOST_FILES:
                    break
                if entry.is_file(follow_symlinks=False):
                    total += entry.stat(follow_symlinks=False).st_size
    except OSError:
        return None
    return min(1 << 30, total)
