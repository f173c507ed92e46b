"""flatpak: whether one application of flatpak is installed, for all people of the laptop.

It is never waited for: a unit of its own fetches it, another installs it, and until then it is on its way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.core.model import Power, State
from agent.host.base import Host
from agent.host.flatpaks import STATE, Flatpaks, Wish
from agent.host.lacking import need
from agent.policy.bases.resource import Resource


@dataclass(frozen=True, slots=True)
class Flatpak(Resource):
    """It runs as who starts it, so one person may: whose applications are believed at all takes two
    (`flatpak-source`). One that is there stays, whichever source it came from.
    """

    kind: ClassVar[str] = "flatpak"
    about: ClassVar[str] = "Whether one application of flatpak is installed for all people of the laptop."
    needs: ClassVar[tuple[str, ...]] = ("flatpaks",)

    application: str  #: ``org.gnome.Calculator//stable``
    installed: bool | None = None
    source: str = ""

    @property
    def name(self) -> str:
        return self.application

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(name)

    def power(self) -> tuple[Power, str]:
        return Power.ORDINARY, ""

    def lacking(self, host: Host) -> str:
        # Where nothing is wanted but its absence, there is nothing to lack.
        return "" if self.installed is False or flatpaks(host).there() else "flatpak"

    # -- what should be, what is

    def desired(self) -> State | None:
        return {"installed": self.installed, "source": None}

    def intended(self, before: State | None) -> State | None:
        there = before or {"installed": False, "source": ""}
        if self.installed is None or there["installed"] == self.installed:
            return there
        return {"installed": self.installed, "source": self.source if self.installed else ""}

    def observe(self, host: Host) -> State | None:
        found = flatpaks(host).find(self.application)
        return {"installed": found is not None, "source": found or ""}

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        flatpaks(host).ask(self.application, self.wish(after))

    def wish(self, after: State | None) -> Wish:
        """What is asked for, where ``after`` is to be."""
        wanted = after or {}
        return Wish(wanted.get("installed") is True, str(wanted.get("source", "")))

    def underway(self, host: Host, after: State | None) -> str:
        told = flatpaks(host).told(self.application, self.wish(after))
        if told.code:
            raise BookbagError(told.code, told.text)
        return told.text

    def watches(self) -> tuple[str, ...]:
        """What flatpak touches whenever anything came or went, and how it goes with what is on its way."""
        return f"{STATE}/.changed", f"{Layout().flatpaks}/told.json"


def flatpaks(host: Host) -> Flatpaks:
    """The machine's flatpak. Raises ``not-supported`` if there can be none."""
    return need(host.flatpaks, "flatpaks")
