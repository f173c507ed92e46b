"""workers: how often each part of Bookbag died or hung since the last start."""

from __future__ import annotations

from collections.abc import Mapping

from agent.telemetry.declaration import Value
from agent.telemetry.seen import Seen

RECORD = "compliance"


def collect(seen: Seen) -> Mapping[str, Value]:
    """Of those that did."""
    return {"worker-failures": dict(seen.part("failures"))}
