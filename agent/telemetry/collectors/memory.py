"""memory: how much, how much of it to be had."""

from __future__ import annotations

from collections.abc import Mapping

from agent.telemetry.declaration import Value
from agent.telemetry.seen import Seen

RECORD = "health"


def collect(seen: Seen) -> Mapping[str, Value]:
    """Of the machine as a whole; no program is looked at."""
    memory = seen.readings.sensors.memory()
    return {} if memory is None else {"memory-total": memory[0], "memory-available": memory[1]}
