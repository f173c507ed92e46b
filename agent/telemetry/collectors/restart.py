"""restart: for how long the laptop has run, and whether it should be restarted."""

from __future__ import annotations

from collections.abc import Mapping

from agent.telemetry.declaration import Value
from agent.telemetry.seen import Seen

RECORD = "health"


def collect(seen: Seen) -> Mapping[str, Value]:
    """In whole days, so that nobody can tell when it is switched on."""
    return {
        "uptime": seen.readings.clock.boottime(),
        "restart-needed": seen.readings.sensors.restart_needed(),
    }
