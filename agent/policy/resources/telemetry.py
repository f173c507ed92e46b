"""telemetry: the file that tells the telemetry worker, a user without rights, what policy lets it collect."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import ClassVar

from agent.core.layout import Layout
from agent.core.model import Power
from agent.policy.bases.onefile import OneFile

PATH = f"{Layout().public}/telemetry.json"
#: What `agent.telemetry` can report; a test compares.
RECORDS = ("compliance", "health")


@dataclass(frozen=True, slots=True)
class Telemetry(OneFile):
    """One public file of Bookbag's own; no other policy can have a file there."""

    kind: ClassVar[str] = "telemetry"
    sole: ClassVar[str] = "records"
    about: ClassVar[str] = "Which reports this laptop makes of itself."
    place: ClassVar[str] = PATH

    records: list[str] = field(default_factory=list)

    def power(self) -> tuple[Power, str]:
        return Power.ORDINARY, ""

    def text(self) -> str:
        return json.dumps({"records": self.records, "v": 1}, separators=(",", ":")) + "\n"
