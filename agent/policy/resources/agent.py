"""agent: the file in which policy decides how Bookbag itself works here, before what agent.yaml says.

It is read by `agent.daemon.workers.configure`, which bounds it once more; without the file the laptop's own
agent.yaml holds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

from agent.core.layout import Layout
from agent.core.model import Power
from agent.policy.bases.onefile import OneFile

PATH = f"{Layout().public}/agent.json"


@dataclass(frozen=True, slots=True)
class Agent(OneFile):
    """One public file of Bookbag's own, or one setting's part of it; no other kind has it."""

    kind: ClassVar[str] = "agent"
    sole: ClassVar[str] = "values"
    about: ClassVar[str] = (
        "How often Bookbag looks for news and reports, what learning content may take and when it comes, "
        "when packages are installed."
    )
    shared: ClassVar[bool] = True
    place: ClassVar[str] = PATH

    values: Mapping[str, int] = field(default_factory=dict)

    def joined(self, other: Self) -> Self:
        return type(self)({**self.values, **other.values})

    def power(self) -> tuple[Power, str]:
        return Power.ORDINARY, ""

    def text(self) -> str:
        return json.dumps({**self.values, "v": 1}, separators=(",", ":"), sort_keys=True) + "\n"
