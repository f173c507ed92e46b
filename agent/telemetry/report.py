"""One report: a record's values at one moment, as it waits in the spool and as the service keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from agent.core import jsontext, schema
from agent.core.errors import BookbagError
from agent.core.ids import is_id
from agent.telemetry.declaration import Value

Cause = Literal["schedule", "change", "asked"]
CAUSES: tuple[str, ...] = get_args(Cause)
MAX_BYTES = 32 << 10  #: of one report as JSON
#: No report is of a later moment: what claims to be was made by a broken clock or by a joker. 2100-01-01.
LATEST = 4_102_444_800


@dataclass(frozen=True, slots=True)
class Report:
    """``laptop`` are the values of `agent.telemetry.records.LAPTOP`, ``values`` those of the record's
    fields.
    """

    record: str
    id: str  #: 32 hex: a report that arrives twice is kept once
    at: int  #: trusted time, unix seconds
    cause: Cause
    laptop: Mapping[str, Value]
    values: Mapping[str, Value]
    v: int = 1

    def __post_init__(self) -> None:
        if not is_id(self.id) or not 0 <= self.at < LATEST:
            raise ValueError("a report has an id of 32 hex characters and a time before the year 2100")

    def to_bytes(self) -> bytes:
        """As it waits in the spool."""
        return jsontext.canonical(schema.encode(self)) + b"\n"

    @classmethod
    def from_bytes(cls, data: bytes, place: str) -> Report:
        """The inverse. Raises ``bad-json``, ``too-large`` or ``format-too-new``."""
        value = jsontext.parse(data, what=place, max_bytes=MAX_BYTES, max_depth=6, max_nodes=2000)
        report = schema.decode(cls, value, what=place, keep_unknown=True)
        if not isinstance(report, cls):  # for the type checker: decode gives what it was asked for
            raise BookbagError("bad-json", "cannot read this report", place=place)
        return report
