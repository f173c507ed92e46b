"""day: what the last whole day came to: how busy the processor was, how many starts were seen."""

from __future__ import annotations

from collections.abc import Mapping

from agent.telemetry.declaration import Value
from agent.telemetry.seen import Seen

RECORD = "health"


def collect(seen: Seen) -> Mapping[str, Value]:
    """Nothing if the laptop was off all that day. The day that is not over yet is nobody's business."""
    day = seen.memory.yesterday
    if not day.day or not day.whole:
        return {}
    return {"cpu-day": min(100, 100 * day.busy // day.whole), "boots-day": min(20, day.boots)}
