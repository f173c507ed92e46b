"""The id of a session follows from all else that it says: a teacher's order cannot take the id of another
order, which laptops would then refuse as seen before, or call done."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from agent.core import jsontext
from agent.trust import dsse


def of(payload: Mapping[str, object]) -> str:
    """What its id has to be; the one that ``payload`` has does not matter."""
    rest = {key: one for key, one in payload.items() if key != "id"}
    return hashlib.sha256(jsontext.canonical(rest)).hexdigest()[:32]


def fits(payload: bytes) -> bool:
    """Whether the order in these bytes, which were read as one already, has the id of its own."""
    value = jsontext.parse(payload, what="order", max_bytes=dsse.MOST_BYTES)
    return isinstance(value, dict) and of(value) == value.get("id")
