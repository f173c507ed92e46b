"""What policy lets this laptop report, as root's public snapshot says. Without one: nothing."""

from __future__ import annotations

from agent.core import jsontext
from agent.core.layout import Layout
from agent.store import atomic
from agent.telemetry.declaration import Record
from agent.telemetry.records import records

MAX_BYTES = 4096


def wanted(layout: Layout) -> tuple[Record, ...]:
    """The records that are named and known here. Raises ``bad-json`` and its kin if the file says nothing
    readable: then nothing may be collected or sent.
    """
    path = f"{layout.public}/telemetry.json"
    data = atomic.read(path, max_bytes=MAX_BYTES)
    if data is None:
        return ()
    said = jsontext.parse(data, what=path, max_bytes=MAX_BYTES)
    names = said.get("records") if isinstance(said, dict) and said.get("v") == 1 else None
    known = records()
    asked = {one for one in names if isinstance(one, str)} if isinstance(names, list) else set()
    return tuple(record for name, record in known.items() if name in asked)
