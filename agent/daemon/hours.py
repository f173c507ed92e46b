"""The hours in which packages may be installed and removed, as `updates.automatic` decides them in root's
public file (`agent.policy.resources.agent`).
"""

from __future__ import annotations

from datetime import UTC, datetime

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.core.layout import Layout

BEGIN, LENGTH = "install_begin", "install_minutes"
_DAY = 24 * 60
_MOST = 4096


def decided(layout: Layout) -> dict[str, int]:
    """What policy decided about Bookbag itself; nothing where it did not, or where that cannot be read."""
    try:
        with open(f"{layout.public}/agent.json", "rb") as file:
            found = jsontext.parse(file.read(_MOST), what="agent.json", max_bytes=_MOST)
    except (OSError, BookbagError):
        return {}
    if not isinstance(found, dict) or found.get("v") != 1:
        return {}
    return {name: one for name, one in found.items() if type(one) is int}


def closed(layout: Layout, at: float) -> str:
    """Why nothing may be installed at ``at`` (unix seconds), for people; "": it may."""
    values = decided(layout)
    begin, length = values.get(BEGIN, -1), values.get(LENGTH, 0)
    if not (0 <= begin < _DAY and 0 < length < _DAY):
        return ""
    local = datetime.fromtimestamp(at, UTC).astimezone()
    since = (local.hour * 60 + local.minute - begin) % _DAY
    if since < length:
        return ""
    return f"the school lets packages be installed from {begin // 60:02}:{begin % 60:02} on"
