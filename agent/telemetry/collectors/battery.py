"""battery: how full it is, and how worn."""

from __future__ import annotations

from collections.abc import Mapping

from agent.telemetry.declaration import Value
from agent.telemetry.seen import Seen

RECORD = "health"


def collect(seen: Seen) -> Mapping[str, Value]:
    """Nothing on a machine without a battery."""
    battery = seen.readings.sensors.battery()
    if battery is None:
        return {}
    return {
        "battery-level": battery.level,
        "battery-health": battery.health,
        "battery-cycles": battery.cycles,
    }
