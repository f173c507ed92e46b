"""policy: which policy is in force, how old the school's word is, and what holds it up."""

from __future__ import annotations

from collections.abc import Mapping

from agent.telemetry.declaration import Value
from agent.telemetry.seen import Seen

RECORD = "compliance"


def collect(seen: Seen) -> Mapping[str, Value]:
    """Ages are reckoned in trusted time, so a wrong clock does not make a word old."""
    word = seen.part("word")
    signed, expires = word.get("signed_at"), word.get("expires")
    fingerprint = seen.status.get("fingerprint")
    return {
        "fingerprint": fingerprint[:16] if isinstance(fingerprint, str) and fingerprint else None,
        "word-age": max(0, seen.at - signed) if type(signed) is int else None,
        "word-expired": seen.at >= expires if type(expires) is int else None,
        "overdue": seen.number("overdue"),
        "recovering": seen.flag("recovering"),
        "paused": seen.flag("paused"),
    }
