"""The floors (I-4): how many different persons each kind of decision needs, compiled in.

trust.json may raise a number, never lower it; a value outside its bounds is refused, not clamped; a kind
that is not in the table needs two persons.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from agent.core.clock import DAY
from agent.core.errors import BookbagError

#: What one decision may at most ask for.
MOST_PERSONS = 16
#: Persons that must have signed the repository's own offline roles.
ROOT_PERSONS = 2
TARGETS_PERSONS = 2
POLICY_PERSONS = 1
POWER_PERSONS = 2
CONTENT_PERSONS = 1
#: By kind of role.
ROLE_PERSONS = MappingProxyType(
    {"policy": POLICY_PERSONS, "power": POWER_PERSONS, "content": CONTENT_PERSONS}
)
#: For every kind that is not named below.
UNKNOWN_PERSONS = 2


#: Slots that several kinds share: in each, the newest order is what is meant.
HOLD, ERASE = "hold", "erase"
#: The one kind that teachers sign.
SESSION = "session"
#: Seconds that a session may last from its signature on: a long exam with time to spare.
LONGEST_SESSION = 5 * 3600
#: Seconds that anybody entitled has to call a destructive order off.
GRACE = 4 * 3600
#: The longest that something is arranged for one laptop: a school year, with room at both ends.
ARRANGED = 400 * DAY
#: Seconds that a laptop must have been locked as lost before it is erased without grace.
LOST = DAY


@dataclass(frozen=True, slots=True)
class Floor:
    """The least that one kind of order needs."""

    persons: int
    life: int = 0  #: seconds: the longest from issued to expires; 0: no bound
    destructive: bool = False
    slot: str = ""  #: where its numbers count; "": in one of its own, called like the kind
    logged: str = ""  #: the class under which the public log must name it; "": it need not
    queue: bool = False  #: several may wait side by side, each obeyed once; else the newest is what is meant


_ERASING = Floor(2, 14 * DAY, destructive=True, slot=ERASE, logged=ERASE)
FLOORS = MappingProxyType(
    {
        "message": Floor(1, 7 * DAY, queue=True),
        "reply": Floor(1, 60 * DAY, queue=True),
        "secrets": Floor(1),
        "arrange": Floor(1, ARRANGED),
        "refresh": Floor(1, 7 * DAY),
        "diagnose": Floor(1, 7 * DAY),
        "rotate-keys": Floor(1, 7 * DAY),
        "lock": Floor(1, slot=HOLD, logged=HOLD),
        "unlock": Floor(1, slot=HOLD),
        "cancel": Floor(1, queue=True),
        SESSION: Floor(1, LONGEST_SESSION),
        "assign": Floor(1),
        "readmit": Floor(2),
        "reset": _ERASING,
        "release": _ERASING,
        "wipe": _ERASING,
    }
)
_UNKNOWN = Floor(UNKNOWN_PERSONS, 7 * DAY, destructive=True)
#: Class of the public log → (at least, hundredths of the fleet): how many a day pass before the brake holds.
_BRAKES = MappingProxyType({HOLD: (10, 2), ERASE: (3, 2)})
#: Persons that a lock needs beyond the brake. What erases is refused beyond it, whoever signed.
BRAKED_PERSONS = 2


def floor(kind: str) -> Floor:
    """What ``kind`` needs at least; a kind this version does not know is treated as destructive."""
    return FLOORS.get(kind, _UNKNOWN)


def slot(kind: str) -> str:
    """Where the numbers of ``kind`` count."""
    return floor(kind).slot or kind


def brake(logged: str, fleet_size: int) -> int:
    """How many orders of one class of the public log a fleet of that size may see in a day."""
    least, hundredths = _BRAKES[logged]
    return max(least, fleet_size * hundredths // 100)


def check_raise(kind: str, persons: int, *, place: str) -> int:
    """``persons`` as trust.json's own number for ``kind``. Raises ``bad-metadata`` if it would lower the
    floor."""
    least = floor(kind).persons
    if not least <= persons <= MOST_PERSONS:
        raise BookbagError(
            "bad-metadata",
            f"cannot let {kind} need {persons} persons: the number is from {least} to {MOST_PERSONS}",
            place=place,
            remedy=f"write {least} or more",
        )
    return persons


def needed(kind: str, asked: int = 0) -> int:
    """How many persons an order of ``kind`` needs, where the site asks for ``asked`` (0: says nothing)."""
    return max(floor(kind).persons, asked)
