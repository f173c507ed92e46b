"""What a student, and the portal, may see: everything. Read from public files; the supervisor is not
needed.
"""

from __future__ import annotations

import os

from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.telemetry.declaration import Field, Record
from agent.telemetry.memory import MemoryFile
from agent.telemetry.outbox import Outbox
from agent.telemetry.records import LAPTOP, records
from agent.telemetry.sent import Sent
from agent.telemetry.wanted import wanted


def overview(layout: Layout) -> dict[str, object]:
    """``records`` that policy names, whether it ``decided`` at all, how many wait, what was ``dropped`` and
    why, the requests ``sent`` last (newest first, without their contents).
    """
    entries = _entries(layout)
    return {
        "v": 1,
        "records": [one.name for one in wanted(layout)],
        "decided": os.path.exists(f"{layout.public}/telemetry.json"),
        "waiting": len(Outbox(f"{layout.telemetry}/out").waiting()),
        "dropped": totals(layout),
        "sent": [{name: one for name, one in entry.items() if name != "reports"} for entry in entries],
    }


def last(layout: Layout) -> dict[str, object]:
    """The newest request of each signal, decoded from the bytes that left."""
    newest: dict[str, dict[str, object]] = {}
    for entry in _entries(layout):
        newest.setdefault(str(entry.get("signal")), entry)
    return {"v": 1, "sent": list(newest.values())}


def raw(layout: Layout) -> tuple[str, bytes]:
    """(signal, bytes) of the newest request. Raises ``not-found``."""
    sent = Sent(f"{layout.telemetry}/sent")
    for number in reversed(sent.numbers()):
        entry, body = sent.entry(number), sent.raw(number)
        if entry is not None and body is not None:
            return str(entry["signal"]), body
    raise BookbagError("not-found", "cannot show what was sent: nothing was yet", place=sent.directory)


def fields(layout: Layout) -> dict[str, object]:
    """Every record and field that there can be, with purpose and bounds, and which are on."""
    on = {one.name for one in wanted(layout)}
    return {
        "v": 1,
        "laptop": [_field(one) for one in LAPTOP],
        "records": [{**_record(one), "on": one.name in on} for one in records().values()],
    }


def totals(layout: Layout) -> dict[str, int]:
    """How many reports never arrived, by reason, since the laptop was set up."""
    return dict(MemoryFile(layout.telemetry, stay=True).read().dropped)


def _entries(layout: Layout) -> list[dict[str, object]]:
    sent = Sent(f"{layout.telemetry}/sent")
    return [entry for number in reversed(sent.numbers()) if (entry := sent.entry(number)) is not None]


def _record(record: Record) -> dict[str, object]:
    return {
        "record": record.name,
        "about": record.about,
        "purpose": record.purpose,
        "audience": record.audience,
        "retention_days": record.retention_days,
        "fields": [_field(one) for one in record.fields],
    }


def _field(field: Field) -> dict[str, object]:
    unit = f" ({field.unit})" if field.unit else ""
    return {
        "field": field.name,
        "about": field.about,
        "why": field.why,
        "form": f"{field.type.describe()}{unit}",
        "attribute": field.attribute,
    }


def spelled(value: object) -> str:
    """A value for people."""
    if isinstance(value, dict):
        return ", ".join(f"{count} {name}" for name, count in value.items()) or "none"
    if isinstance(value, list):
        return "; ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
