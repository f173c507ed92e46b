"""content: how much of the school's learning content is here, and how much is not."""

from __future__ import annotations

from collections.abc import Mapping

from agent.telemetry.declaration import Value
from agent.telemetry.seen import Seen

RECORD = "compliance"


def collect(seen: Seen) -> Mapping[str, Value]:
    """Two sums; which item was opened by whom is not even known here."""
    content = seen.part("content")
    return {"content-here": content.get("here"), "content-missing": content.get("missing")}
