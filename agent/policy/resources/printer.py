"""printer: one queue of CUPS, made without asking the printer, so that it may be off or out of reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from agent.core.errors import BookbagError
from agent.core.model import Power, State
from agent.host.base import Host
from agent.host.lacking import need
from agent.host.printing import Printing, Queue
from agent.policy.bases.resource import Resource

RISK = "whoever answers at its address reads what is printed there"
_OURS = "Bookbag's"
_TEXTS = ("address", "speaks", "shown", "place", "paper")


@dataclass(frozen=True, slots=True)
class Printer(Resource):
    """A queue of a person's that has the name already is left alone: what it holds beyond these few words
    (its driver's own options, who may use it) could not be put back.
    """

    kind: ClassVar[str] = "printer"
    about: ClassVar[str] = "One printer that programs offer, as a queue of CUPS with a general driver."
    needs: ClassVar[tuple[str, ...]] = ("printing",)
    risk: ClassVar[str] = RISK

    queue: str
    address: str = ""
    speaks: str = ""
    shown: str = ""
    place: str = ""
    paper: str = ""

    @property
    def name(self) -> str:
        return self.queue

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(name)

    def power(self) -> tuple[Power, str]:
        return Power.ROOT, self.risk

    def lacking(self, host: Host) -> str:
        there = printing(host).find(self.queue)
        if there is not None and not there.ours:
            return f"free name {self.queue}: somebody made a printer of that name; choose another"
        return printing(host).lacks(self.address, self.speaks)

    # -- what should be, what is

    def desired(self) -> State | None:
        return _state(Queue(self.address, self.speaks, self.shown, self.place, self.paper))

    def observe(self, host: Host) -> State | None:
        """What CUPS itself says, never what its files do: it holds them back for half a minute."""
        there = printing(host).find(self.queue)
        return None if there is None else _state(there)

    def guard(self, host: Host) -> None:
        there = printing(host).find(self.queue)
        if there is not None and not there.ours:
            raise BookbagError(
                "not-allowed", f"cannot set up {self.queue}: somebody made a printer of that name"
            )

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        if after is None:
            self.guard(host)
            printing(host).remove(self.queue)
            return
        address, speaks, shown, place, paper = (str(after[name]) for name in _TEXTS)
        printing(host).put(self.queue, Queue(address, speaks, shown, place, paper))

    def release(self, now: State | None, prior: State | None) -> State | None:
        """Whatever somebody changed of our queue, it is ours and goes; one made since in its place stays."""
        return prior if now is not None and now["whose"] == _OURS else now

    def watches(self) -> tuple[str, ...]:
        """Goes at once when somebody deletes the queue."""
        return (driver(self.queue),)


def driver(queue: str) -> str:
    """Where CUPS keeps the driver of a queue, as long as there is one."""
    return f"/etc/cups/ppd/{queue}.ppd"


def printing(host: Host) -> Printing:
    """The machine's spooler. Raises ``not-supported`` if it has none."""
    return need(host.printing, "printing")


def _state(queue: Queue) -> State:
    return {
        "address": queue.address,
        "speaks": queue.speaks,
        "shown": queue.about,
        "place": queue.place,
        "paper": queue.paper,
        "open": queue.open,
        "shared": queue.shared,
        "whose": _OURS if queue.ours else "a person's",
    }
