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
#: For every kind that is not named below.
UNKNOWN_PERSONS = 2


@dataclass(frozen=True, slots=True)
class Floor:
    """The least that one kind of order needs. ``life`` in seconds: the longest from issued to expires; 0:
    no bound."""

    persons: int
    life: int = 0
    destructive: bool = False


FLOORS = MappingProxyType(
    {
        "message": Floor(1, 7 * DAY),
        "refresh": Floor(1, 7 * DAY),
        "diagnose": Floor(1, 7 * DAY),
        "rotate-keys": Floor(1, 7 * DAY),
        "lock": Floor(1),
        "unlock": Floor(1),
        "cancel": Floor(1),
        "assign": Floor(1),
        "readmit": Floor(2),
        "reset": Floor(2, 14 * DAY, destructive=True),
        "release": Floor(2, 14 * DAY, destructive=True),
        "wipe": Floor(2, 14 * DAY, destructive=True),
    }
)
_UNKNOWN = Floor(UNKNOWN_PERSONS, 7 * DAY, destructive=True)


def floor(kind: str) -> Floor:
    """What ``kind`` needs at least; a kind this version does not know is treated as destructive."""
    return FLOORS.get(kind, _UNKNOWN)


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
