"""default-printer: where programs print unless told otherwise. Whoever chose one for themselves keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from agent.core.model import Power, State
from agent.host.base import Host
from agent.policy.bases.resource import Resource
from agent.policy.resources.printer import RISK, driver, printing


@dataclass(frozen=True, slots=True)
class DefaultPrinter(Resource):
    """CUPS's own default, of which there is one; read back as people get it who chose none."""

    kind: ClassVar[str] = "default-printer"
    sole: ClassVar[str] = "queue"
    about: ClassVar[str] = "The printer that programs print on unless told otherwise."
    needs: ClassVar[tuple[str, ...]] = ("printing",)
    effects: ClassVar[frozenset[str]] = frozenset(("effective",))
    late: ClassVar[bool] = True  #: its queue may be made in the same run

    queue: str = ""

    def power(self) -> tuple[Power, str]:
        return Power.ROOT, RISK

    def desired(self) -> State | None:
        return {"queue": self.queue, "effective": "yes"}

    def observe(self, host: Host) -> State | None:
        found, offered = printing(host).default(), printing(host).offered()
        effective = "yes" if offered == found else f"programs offer {offered or 'none'} (/etc/cups/lpoptions)"
        return {"queue": found, "effective": effective}

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        printing(host).set_default("" if after is None else str(after["queue"]))

    def retires(self, host: Host, now: State | None, prior: State | None) -> State | None:
        """The printer that was the default before may be gone by now: then there is none."""
        if prior is None or not prior["queue"] or prior["queue"] in printing(host).names():
            return prior
        return {**prior, "queue": ""}

    def watches(self) -> tuple[str, ...]:
        """A queue that is deleted is no default any more, also when it is there again."""
        return (driver(self.queue),) if self.queue else ()
