"""One order on its way: what it asks, how far it is, what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from agent.core.errors import BookbagError
from agent.trust import floors
from agent.trust.view import Order


class Step(StrEnum):
    """How far an order is. Each is durable before what follows is begun; being cut off anywhere, the same
    step is taken again."""

    RECEIVED = "received"  #: taken down; nothing was done
    ARMED = "armed"  #: will be carried out when its grace is over, and can be called off until then
    STARTED = "started"  #: being carried out
    COMMITTED = "committed"  #: cannot be called off any more
    KEYS = "keys"  #: what opens the volumes is being destroyed
    UNPROVEN = "unproven"  #: done, and reading back does not prove it: once more, later
    VERIFIED = "verified"  #: reading back proves it
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    TOO_LATE = "too-late"
    CONFLICT = "conflict"


#: Nothing more comes of it.
FINAL = frozenset(
    (
        Step.DONE,
        Step.FAILED,
        Step.REFUSED,
        Step.CANCELLED,
        Step.TOO_LATE,
        Step.CONFLICT,
    )
)
#: Steps of which a receipt tells, and as what.
TOLD: Mapping[Step, str] = {
    Step.ARMED: "armed",
    Step.COMMITTED: "started",
    Step.UNPROVEN: "unconfirmed",
    **{step: str(step) for step in FINAL},
}
#: Until here an order can be called off.
REVOCABLE = frozenset((Step.RECEIVED, Step.ARMED))
#: At these an erasure is decided: it ends erased, whatever goes wrong on the way.
DECIDED = frozenset((Step.COMMITTED, Step.KEYS, Step.UNPROVEN, Step.VERIFIED))


@dataclass(frozen=True, slots=True)
class Case:
    """An order that this laptop took down. Times are unix seconds of trusted time."""

    id: str
    kind: str
    seq: int
    digest: str
    persons: tuple[str, ...]
    issued: int
    not_before: int
    expires: int
    grace_s: int
    args: Mapping[str, object]
    reason: str
    step: Step = Step.RECEIVED
    since: int = 0  #: when it came to this step
    until: int = 0  #: when the next step may be taken; 0: at once
    tries: int = 0  #: of the present step that did not succeed
    code: str = ""
    message: str = ""
    evidence: Mapping[str, object] = field(default_factory=dict)  #: for the receipt
    memory: Mapping[str, object] = field(default_factory=dict)  #: for later steps, told to nobody
    epoch: int = 0  #: in which it was signed; 0: taken down before epochs were noted here
    extra: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, order: Order, at: int) -> Case:
        """A verified order, just taken down."""
        return cls(
            order.id,
            order.kind,
            order.seq,
            order.digest,
            order.persons,
            order.issued,
            order.not_before,
            order.expires,
            order.grace_s,
            dict(order.args),
            order.reason,
            since=at,
            epoch=order.epoch,
        )

    @property
    def turn(self) -> tuple[int, int]:
        """Of two orders in one slot the one with the greater turn is newer: numbers begin anew with each
        epoch."""
        return (self.epoch, self.seq)

    @property
    def final(self) -> bool:
        """Whether nothing more comes of it."""
        return self.step in FINAL

    @property
    def decided(self) -> bool:
        """Whether it is an erasure past the decision, which nothing ends or overtakes any more. A lock that
        could not close everything is not: whoever is entitled may want it open again."""
        return self.step in DECIDED and floors.floor(self.kind).destructive

    def to(self, step: Step, at: int, **changes: object) -> Case:
        """The same, one step further."""
        fresh: dict[str, object] = {"until": 0, "tries": 0, "code": "", "message": ""}
        return replace(self, step=step, since=at, **{**fresh, **changes})  # type: ignore[arg-type]

    def ended(self, step: Step, at: int, problem: BookbagError, **changes: object) -> Case:
        """The same, ended with an error."""
        return self.to(step, at, code=problem.code, message=str(problem)[:1000], **changes)
