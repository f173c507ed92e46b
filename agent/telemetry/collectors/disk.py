"""disk: how large, how much of it free."""

from __future__ import annotations

from collections.abc import Mapping

from agent.telemetry.declaration import Value
from agent.telemetry.seen import Seen

RECORD = "health"


def collect(seen: Seen) -> Mapping[str, Value]:
    """Of the system's disk as a whole; no folder of anybody's is looked into."""
    disk = seen.readings.sensors.disk()
    return {} if disk is None else {"disk-total": disk[0], "disk-free": disk[1]}
