"""What was ordered of laptops and what came of it, for `status` and the fleet page."""

from __future__ import annotations

from dataclasses import dataclass

from agent.core.clock import day
from agent.core.errors import BookbagError
from agent.fleet import filed, orders, receipts
from agent.fleet.folder import Folder
from agent.fleet.mailing import waiting_orders
from agent.trust.persons import TrustDocument

HEAD = ("laptop", "order", "given", "signed by", "what came of it")


@dataclass(frozen=True, slots=True)
class Ordered:
    """One order that still lies in the folder; assignments are not told here."""

    laptop: str
    kind: str
    id: str
    issued: int
    persons: tuple[str, ...]
    outcome: str

    def cells(self) -> list[str]:
        """Under `HEAD`."""
        return [self.laptop, self.kind, day(self.issued), ", ".join(self.persons) or "nobody", self.outcome]

    def value(self) -> dict[str, object]:
        """The same for programs."""
        return {
            "device": self.laptop,
            "kind": self.kind,
            "id": self.id,
            "issued": self.issued,
            "persons": list(self.persons),
            "outcome": self.outcome,
        }


def read_ordered(
    folder: Folder, trust: TrustDocument, now: int, *, most: int | None = None
) -> tuple[Ordered, ...]:
    """Newest first, ``most`` of them. Raises BookbagError for a file of the folder that cannot be read."""
    lacking = {one.id: one.why for one in waiting_orders(folder, trust, now, assignments=False)}
    mailed = filed.read(folder)
    given = [
        one
        for record in folder.devices()
        if record.state != "retired"
        for one in orders.read_orders(folder, record.name, assignments=False)
    ]
    given = sorted(given, key=lambda one: (-one.draft.order.issued, one.laptop, one.id))[:most]
    told = {laptop: _told(folder, laptop) for laptop in {one.laptop for one in given}}
    found = []
    for one in given:
        if one.id in told[one.laptop]:
            outcome = told[one.laptop][one.id]
        elif one.id in lacking:
            outcome = f"waits: {lacking[one.id]}"
        elif one.draft.order.expires <= now:
            outcome = "out of date"
        else:
            outcome = "no word yet" if one.laptop in mailed else "waits to be published"
        persons = one.signed_by(trust)
        found.append(Ordered(one.laptop, one.kind, one.id, one.draft.order.issued, persons, outcome))
    return tuple(found)


def _told(folder: Folder, laptop: str) -> dict[str, str]:
    """Order → the newest receipt about it, in words."""
    try:
        told = receipts.read(folder, laptop)
    except BookbagError as error:
        return {"": str(error)}
    return {
        one.order: f"{one.state} on {day(one.at)}" + (f": {one.message}" if one.message else "")
        for one in told
    }
