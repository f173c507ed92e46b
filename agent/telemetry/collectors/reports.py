"""reports: what is missing from these very reports."""

from __future__ import annotations

from collections.abc import Mapping

from agent.telemetry.declaration import Value
from agent.telemetry.seen import Seen

RECORD = "compliance"


def collect(seen: Seen) -> Mapping[str, Value]:
    """Totals, so that a report that arrives twice or not at all makes no difference."""
    resting = sorted(name for name, strikes in seen.memory.collectors.items() if strikes.rest)
    return {"dropped": dict(seen.memory.dropped), "collectors-resting": resting}
