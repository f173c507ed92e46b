"""Which documents are in force at a moment, and until when that stays so.

Where the moment is not known (a suspect clock) or a timetable is missing, a scheduled document is *doubtful*:
what it tightens holds, what it loosens does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from agent.core.errors import BookbagError
from agent.policy import hours
from agent.policy.document import PolicyDocument
from agent.policy.targeting import RANKS
from agent.policy.timetable import Timetable


class Moment(Protocol):
    """What of the time is known."""

    def inside(self, name: str, table: Timetable) -> bool | None:
        """Whether this timetable is on; None: that cannot be known."""
        ...

    def changes(self, table: Timetable) -> int:
        """When that may be otherwise, unix seconds; 0: never."""
        ...


@dataclass(frozen=True, slots=True)
class At:
    """A laptop's own time, unix seconds; None if it cannot be trusted."""

    at: int | None

    def inside(self, name: str, table: Timetable) -> bool | None:
        """See `Moment`."""
        return None if self.at is None else hours.inside(table, self.at)

    def changes(self, table: Timetable) -> int:
        """See `Moment`."""
        return 0 if self.at is None else hours.changes(table, self.at)


@dataclass(frozen=True, slots=True)
class Local:
    """What the clocks of every timetable's own zone show: for tests of policies."""

    moment: datetime

    def inside(self, name: str, table: Timetable) -> bool | None:
        """See `Moment`."""
        return hours.inside_locally(table, self.moment)

    def changes(self, table: Timetable) -> int:
        """See `Moment`."""
        return 0


@dataclass(frozen=True, slots=True)
class During:
    """While exactly these timetables are on: for plans, which show what happens then, whenever that is."""

    names: frozenset[str] = frozenset()

    def inside(self, name: str, table: Timetable) -> bool | None:
        """See `Moment`."""
        return name in self.names

    def changes(self, table: Timetable) -> int:
        """See `Moment`."""
        return 0


@dataclass(frozen=True, slots=True)
class Schedule:
    """The documents of one device at one moment."""

    certain: tuple[PolicyDocument, ...]
    doubtful: tuple[PolicyDocument, ...] = ()
    #: The id of each that has a timetable, and whether it is certain.
    scheduled: tuple[tuple[str, bool], ...] = ()
    until: int = 0  #: when to look again, unix seconds; 0: at no time
    missing: tuple[tuple[PolicyDocument, BookbagError], ...] = ()  #: whose timetable is not there

    @property
    def parts(self) -> tuple[tuple[PolicyDocument, ...], tuple[PolicyDocument, ...]]:
        """What is certainly in force, and what may be."""
        return self.certain, self.doubtful


def schedule(documents: Sequence[PolicyDocument], moment: Moment) -> Schedule:
    """What of ``documents``, all meant for one device, is in force at ``moment``."""
    certain, doubtful, missing, scheduled = [], [], [], []
    until = 0
    for document in documents:
        if document.when is None:
            certain.append(document)
            continue
        table = timetable_of(document, documents)
        inside = None
        if table is None:
            missing.append((document, missing_timetable(document)))
        else:
            inside = moment.inside(document.when.timetable, table)
            change = moment.changes(table)
            until = min(until or change, change or until)
        if inside is None:
            doubtful.append(document)
        elif inside is not document.when.outside:
            certain.append(document)
            scheduled.append((document.id, True))
    scheduled += [(document.id, False) for document in doubtful]
    return Schedule(tuple(certain), tuple(doubtful), tuple(scheduled), until, tuple(missing))


def timetable_of(document: PolicyDocument, documents: Sequence[PolicyDocument]) -> Timetable | None:
    """The timetable that ``document`` goes by: of those of this name that its own rank or a farther one
    gives, the nearest. What takes the power of two persons goes by a timetable that two persons signed."""
    if document.when is None:
        return None
    found = [
        one
        for one in documents
        if document.when.timetable in one.timetables
        and RANKS.index(one.rank) <= RANKS.index(document.rank)
        and (one.source.power or not document.source.power)
    ]
    nearest = max(found, key=lambda one: RANKS.index(one.rank), default=None)
    return nearest.timetables[document.when.timetable] if nearest else None


def names(documents: Sequence[PolicyDocument]) -> Iterator[str]:
    """The timetables that any of ``documents`` goes by, each once, in order."""
    yield from sorted({one.when.timetable for one in documents if one.when is not None})


def missing_timetable(document: PolicyDocument) -> BookbagError:
    """What to say of a document whose timetable is not there."""
    assert document.when is not None  # noqa: S101
    of = "power/ of rank" if document.source.power else "rank"
    return BookbagError(
        "not-found",
        f"cannot tell when {document.id} is in force: no document of {of} {document.rank}, or farther, "
        f"has a timetable {document.when.timetable!r}; until one has, only what it tightens holds",
        place=document.source.file,
        remedy="add timetables: to such a document, or mend the name",
    )
