"""telemetry: the file that tells the telemetry worker, a user without rights, what policy lets it collect."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

from agent.core.layout import Layout
from agent.core.model import Power, State
from agent.host.base import Host
from agent.policy.filestate import look, put, replaceable, text_file
from agent.policy.resource import Resource

PATH = f"{Layout().public}/telemetry.json"
#: What `agent.telemetry` can report; a test compares.
RECORDS = ("compliance", "health")


@dataclass(frozen=True, slots=True)
class Telemetry(Resource):
    """One public file of Bookbag's own; no other policy can have a file there."""

    kind: ClassVar[str] = "telemetry"
    about: ClassVar[str] = "Which reports this laptop makes of itself."

    records: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return "records"

    @classmethod
    def named(cls, name: str) -> Self:
        return cls()

    def power(self) -> tuple[Power, str]:
        return Power.ORDINARY, ""

    def desired(self) -> State | None:
        return text_file(json.dumps({"records": self.records, "v": 1}, separators=(",", ":")) + "\n")

    def observe(self, host: Host) -> State | None:
        return look(host, PATH)

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        if after is None:
            replaceable(before, PATH)
        put(host, PATH, after)

    def paths(self) -> tuple[str, ...]:
        return (PATH,)

    def checklist(self) -> Mapping[str, State | None]:
        return {PATH: self.desired()}
