"""package: whether one package of the distribution's is installed, and kept at its version.

It is never waited for: a unit of its own fetches it, another installs it, and until then it is on its way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.core.model import Power, State
from agent.host.base import Host
from agent.host.lacking import need
from agent.host.packages import AUTO, HALF, MANUAL, NO, YES, Packages, Wish, weighty
from agent.policy.bases.resource import Resource

HOLDING = "what is held gets no security updates"
FOREIGN = "what comes from a source that is not the distribution's runs as root when it is installed"
WEIGHTY = "without it the laptop may not start, or not reach the school"
RISK = f"Takes two persons where something is held ({HOLDING}), foreign or weighty to remove; else one."


@dataclass(frozen=True, slots=True)
class Package(Resource):
    """What policy had installed is marked as come along with others, so that it can be told whether somebody
    wanted it for themselves since; it goes with the policy only if nobody did and nothing of theirs needs it.
    """

    kind: ClassVar[str] = "package"
    about: ClassVar[str] = "Whether one package is installed, and whether it keeps its version."
    needs: ClassVar[tuple[str, ...]] = ("packages",)

    package: str
    installed: bool | None = None
    held: bool | None = None
    foreign: bool = False

    @property
    def name(self) -> str:
        return self.package

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(name)

    def power(self) -> tuple[Power, str]:
        if self.held:
            return Power.ROOT, HOLDING
        if self.foreign:
            return Power.ROOT, FOREIGN
        if self.installed is False and weighty(self.package):
            return Power.ROOT, WEIGHTY
        return Power.ORDINARY, ""

    # -- what should be, what is

    def desired(self) -> State | None:
        installed = None if self.installed is None else YES if self.installed else NO
        return {"installed": installed, "held": self.held}

    def intended(self, before: State | None) -> State | None:
        there = before or {"installed": NO, "held": False, "mark": ""}
        wanted = {name: one for name, one in (self.desired() or {}).items() if one is not None}
        mark = there["mark"]
        if self.installed is not None:
            mark = (mark or AUTO) if self.installed else ""
        return {**there, **wanted, "mark": mark}

    def observe(self, host: Host) -> State | None:
        found = packages(host).find(self.package)
        return {"installed": found.installed, "held": found.held, "mark": found.mark}

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        packages(host).ask(self.package, self.wish(after))

    def wish(self, after: State | None) -> Wish:
        """What is asked for, where ``after`` is to be."""
        wanted = after or {}
        # What is put back was there before any policy: wherever it came from, it may again.
        foreign = self.foreign or self.installed is None
        return Wish(
            wanted.get("installed") == YES, wanted.get("held") is True, str(wanted.get("mark", "")), foreign
        )

    def underway(self, host: Host, after: State | None) -> str:
        told = packages(host).told(self.package, self.wish(after))
        if told.code:
            raise BookbagError(told.code, told.text)
        return told.text

    # -- undoing

    def retires(self, host: Host, now: State | None, prior: State | None) -> State | None:
        """It stays where somebody's package needs it by now, and where it was just being installed when
        policy came."""
        if now is None or prior is None or now["installed"] != YES or prior["installed"] == YES:
            return prior
        if prior["installed"] == HALF or packages(host).needed_by(self.package):
            return {**now, "held": prior["held"]}
        return prior

    def partly(self, now: State, prior: State) -> Iterator[tuple[State, State]]:
        """Somebody wanted it for themselves since, or no more: then only the hold is given back."""
        if now["held"] != prior["held"]:
            for mark in (AUTO, MANUAL):
                if mark != now["mark"]:
                    yield {**now, "mark": mark}, {**now, "held": prior["held"]}

    def watches(self) -> tuple[str, ...]:
        """What dpkg knows, and how it goes with what is on its way."""
        return "/var/lib/dpkg/status", f"{Layout().packages}/told.json"


def packages(host: Host) -> Packages:
    """The machine's package manager. Raises ``not-supported`` if it has none."""
    return need(host.packages, "packages")
