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
from agent.core.model import Mode
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
    """A laptop's own time, unix seconds; None if it cannot be trusted. ``session``: the timetable that a
    teacher has on there, and for how many seconds in all; that needs no clock. Empty: none."""

    at: int | None
    session: tuple[str, int] | tuple[()] = ()

    def inside(self, name: str, table: Timetable) -> bool | None:
        """See `Moment`."""
        if self.session and name == self.session[0] and self.session[1] <= table.startable:
            return True
        if not (table.weekly or table.dates):
            return False  # on by a teacher's word alone: no clock and no zone can say otherwise
        return None if self.at is None or not hours.known(table) else hours.inside(table, self.at)

    def changes(self, table: Timetable) -> int:
        """See `Moment`."""
        return 0 if self.at is None or not hours.known(table) else hours.changes(table, self.at)


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
    #: Of whose timetable there is none or more than one.
    unsure: tuple[tuple[PolicyDocument, BookbagError], ...] = ()

    @property
    def parts(self) -> tuple[tuple[PolicyDocument, ...], tuple[PolicyDocument, ...]]:
        """What is certainly in force, and what may be."""
        return self.certain, self.doubtful


def schedule(documents: Sequence[PolicyDocument], moment: Moment) -> Schedule:
    """What of ``documents``, all meant for one device, is in force at ``moment``."""
    certain, doubtful, unsure, scheduled = [], [], [], []
    until = 0
    for document in documents:
        if document.when is None:
            certain.append(document)
            continue
        tables = timetables_of(document, documents)
        if len(tables) != 1:
            unsure.append((document, several_timetables(document) if tables else missing_timetable(document)))
        for change in map(moment.changes, tables):
            until = min(until or change, change or until)
        told = {moment.inside(document.when.timetable, table) for table in tables}
        inside = told.pop() if len(told) == 1 else None
        if inside is None:
            doubtful.append(document)
        elif inside is not document.when.outside:
            certain.append(document)
            scheduled.append((document.id, True))
    scheduled += [(document.id, False) for document in doubtful]
    return Schedule(tuple(certain), tuple(doubtful), tuple(scheduled), until, tuple(unsure))


def timetables_of(document: PolicyDocument, documents: Sequence[PolicyDocument]) -> tuple[Timetable, ...]:
    """The timetable that ``document`` goes by; several if documents of one rank give different ones.

    Of those of this name that its own rank or a farther one gives, the nearest: its own, else one that two
    persons signed. What takes the power of two persons goes by nothing else, and what is in force by nothing
    that is only observed.
    """
    if document.when is None:
        return ()
    name = document.when.timetable
    if name in document.timetables:
        return (document.timetables[name],)
    found = [
        one
        for one in documents
        if name in one.timetables
        and RANKS.index(one.rank) <= RANKS.index(document.rank)
        and (one.source.power or not document.source.power)
        and (one.mode is Mode.ENFORCE or document.mode is Mode.OBSERVE)
    ]
    best = max((_precedence(one) for one in found), default=None)
    tables: list[Timetable] = []
    for one in found:
        if _precedence(one) == best and one.timetables[name] not in tables:
            tables.append(one.timetables[name])
    return tuple(tables)


def _precedence(document: PolicyDocument) -> tuple[int, bool]:
    return RANKS.index(document.rank), document.source.power


def startable(documents: Sequence[PolicyDocument]) -> dict[str, int]:
    """Which timetables of ``documents``, all meant for one device, a teacher may start there, and for how
    many seconds: where documents go by several of one name, for the shortest."""
    found: dict[str, int] = {}
    for document in documents:
        if document.when is not None:
            name = document.when.timetable
            tables = timetables_of(document, documents)
            least = min((one.startable for one in tables), default=0)
            found[name] = min(found.get(name, least), least)
    return {name: seconds for name, seconds in sorted(found.items()) if seconds}


def names(documents: Sequence[PolicyDocument]) -> Iterator[str]:
    """The timetables that any of ``documents`` goes by, each once, in order."""
    yield from sorted({one.when.timetable for one in documents if one.when is not None})


def several_timetables(document: PolicyDocument) -> BookbagError:
    """What to say of a document for which others of one rank give different hours."""
    assert document.when is not None  # noqa: S101
    return BookbagError(
        "conflict",
        f"cannot tell when {document.id} is in force: several documents of one rank have a timetable "
        f"{document.when.timetable!r}; where these differ, only what it tightens holds",
        place=f"{document.source.file}:1:1",
        remedy="keep one of them",
    )


def missing_timetable(document: PolicyDocument) -> BookbagError:
    """What to say of a document whose timetable is not there."""
    assert document.when is not None  # noqa: S101
    of = "power/ of rank" if document.source.power else "rank"
    return BookbagError(
        "not-found",
        f"cannot tell when {document.id} is in force: no document of {of} {document.rank}, or farther, "
        f"has a timetable {document.when.timetable!r}; until one has, only what it tightens holds",
        place=f"{document.source.file}:1:1",
        remedy="add timetables: to such a document, or mend the name",
    )
