"""assurance: that the machine is something which no policy can make it; it is looked for, and told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from agent.core.model import Power, State
from agent.host.base import Host
from agent.host.lacking import need
from agent.policy.bases.resource import Resource


@dataclass(frozen=True, slots=True)
class Assurance(Resource):
    """``what``: a word of `agent.host.assurances.KNOWN`. ``required``: whether its lack is told."""

    kind: ClassVar[str] = "assurance"
    about: ClassVar[str] = "What the machine was set up to be: only looked for."
    needs: ClassVar[tuple[str, ...]] = ("assurances",)
    only_looks: ClassVar[bool] = True

    what: str
    required: bool = False

    @property
    def name(self) -> str:
        return self.what

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(name)

    def power(self) -> tuple[Power, str]:
        return Power.ORDINARY, ""

    def desired(self) -> State | None:
        return {"found": "yes" if self.required else None}

    def observe(self, host: Host) -> State | None:
        return {"found": need(host.assurances, "assurances").lacks(self.what) or "yes"}

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        """Nothing."""
