"""heat: how warm the processor is."""

from __future__ import annotations

from collections.abc import Mapping

from agent.telemetry.declaration import Value
from agent.telemetry.seen import Seen

RECORD = "health"


def collect(seen: Seen) -> Mapping[str, Value]:
    """Where the machine says."""
    return {"temperature": seen.readings.sensors.temperature()}
