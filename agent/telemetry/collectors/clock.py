"""clock: whether the laptop's clock can be right."""

from __future__ import annotations

from collections.abc import Mapping

from agent.telemetry.declaration import Value
from agent.telemetry.seen import Seen

RECORD = "compliance"


def collect(seen: Seen) -> Mapping[str, Value]:
    """As the last run judged it."""
    return {"clock": seen.part("clock").get("quality")}
