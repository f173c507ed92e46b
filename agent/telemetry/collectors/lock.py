"""lock: whether the laptop is locked, and what the lock is worth."""

from __future__ import annotations

from collections.abc import Mapping

from agent.telemetry.declaration import Value
from agent.telemetry.seen import Seen

RECORD = "compliance"


def collect(seen: Seen) -> Mapping[str, Value]:
    """Not the message, not whom to call, not the challenge."""
    lock = seen.snapshot("lock")
    locked = lock.get("locked")
    if not isinstance(locked, bool):
        return {}
    return {"locked": locked, "lock-grade": lock.get("grade") if locked else None}
