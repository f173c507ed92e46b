"""Timetables as people write them: lessons, exams and holidays, in the local time of one zone."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from agent.policy.syntax.headtypes import Name
from agent.policy.syntax.nodes import Mapping, Node
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.timetypes import DAYS, CalendarDay, DayAndTime, HourMinute, Zone
from agent.policy.syntax.values import BAD, Choice, Duration, Key, ListOf, Record, spell, wrong
from agent.trust.floors import LONGEST_SESSION

MOST = 50  #: timetables of one document
#: One date lasts a month at most: what holds for longer is no lesson and no exam.
LONGEST = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Weekly:
    """The same hours on certain days of each week; minutes since midnight, ``start`` before ``end``."""

    days: tuple[int, ...]  #: 0 is Monday
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Timetable:
    """When something is on: in the weekly hours, except on free days, and at the dates, free day or not."""

    zone: str
    weekly: tuple[Weekly, ...] = ()
    dates: tuple[tuple[datetime, datetime], ...] = ()  #: local, without zone; the end is not in it
    free: tuple[tuple[date, date], ...] = ()  #: first and last day
    startable: int = 0  #: seconds for which a teacher may have it on; 0: no teacher may

    def __str__(self) -> str:
        weekly = [
            f"{' '.join(DAYS[day] for day in one.days)} {_clock(one.start)}–{_clock(one.end)}"
            for one in self.weekly
        ]
        dates = [f"{begin:%Y-%m-%d %H:%M} – {end:%Y-%m-%d %H:%M}" for begin, end in self.dates]
        free = [f"not {first} – {last}" for first, last in self.free]
        started = [f"a teacher may start it for {spell(self.startable)}"] if self.startable else []
        return f"{self.zone}: {'; '.join([*weekly, *dates, *free, *started])}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@dataclass(frozen=True, slots=True)
class When:
    """During a timetable, or at all other times (``outside``)."""

    timetable: str
    outside: bool = False

    def __str__(self) -> str:
        return f"outside {self.timetable}" if self.outside else self.timetable


_HOURS = {
    "days": Key(ListOf(Choice(DAYS), 7), required=True, about="the days of the week"),
    "from": Key(HourMinute(), required=True),
    "until": Key(HourMinute(), required=True, about="later on the same day"),
}
_DATE = {
    "from": Key(DayAndTime(), required=True),
    "until": Key(DayAndTime(), required=True, about="within a month"),
}
_FREE = {
    "from": Key(CalendarDay(), required=True, about="the first free day"),
    "until": Key(CalendarDay(), required=True, about="the last one"),
}


@dataclass(frozen=True, slots=True)
class _Span:
    """A mapping with from and until, in this order in time."""

    keys: AnyMapping[str, Key]
    what: str
    remedy: str = "put the earlier one into from"

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        values = Record(self.keys, what=self.what).read(node, problems)
        if not isinstance(values, dict):
            return BAD
        begin, end = values["from"], values["until"]
        if begin > end or (begin == end and type(begin) is not date):  # one free day is fine
            return wrong(self, node, problems, why="until is not after from", remedy=self.remedy)
        if isinstance(begin, datetime) and end - begin > LONGEST:
            return wrong(self, node, problems, why="it is too long", remedy="write weekly hours")
        return values

    def describe(self) -> str:
        """See `Type`."""
        return Record(self.keys, what=self.what).describe()

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return Record(self.keys, what=self.what).schema()


_WEEKLY = _Span(_HOURS, "hours", remedy="what goes beyond midnight is two entries")
_TIMETABLE = {
    "zone": Key(Zone(), required=True, about="whose clocks it means, whatever the laptop's own shows"),
    "weekly": Key(ListOf(_WEEKLY, 100), about="hours of each week"),
    "dates": Key(ListOf(_Span(_DATE, "a date"), 200), about="single dates, such as exams"),
    "except": Key(ListOf(_Span(_FREE, "free days"), 100), about="days without the weekly hours"),
    "startable": Key(
        Duration(60, LONGEST_SESSION), about="teachers may start it in their classes, for so long"
    ),
}
_ON = ("weekly", "dates", "startable")  #: one of them at least, or it is never on
_WHEN = {
    "timetable": Key(Name(), about="in force while this timetable is on"),
    "outside": Key(Name(), about="in force while this timetable is not on"),
}


def tables() -> AnyMapping[str, AnyMapping[str, Key]]:
    """The keys of a timetable and of its parts, for the reference page."""
    return {"": _TIMETABLE, "weekly": _HOURS, "dates": _DATE, "except": _FREE, "when": _WHEN}


class Timetables:
    """Name → timetable."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        if not isinstance(node, Mapping) or not 1 <= len(node.entries) <= MOST:
            return wrong(self, node, problems)
        found: dict[str, object] = {}
        whole = True
        for key, child in node.entries:
            name = Name().read(key, problems)
            made = _timetable(child, problems)
            whole = whole and name is not BAD and made is not BAD
            if isinstance(name, str):
                found[name] = made
        return found if whole else BAD

    def describe(self) -> str:
        """See `Type`."""
        return "a mapping of names to timetables, see Timetables"

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        one = {**Record(_TIMETABLE).schema(), "anyOf": [{"required": [one]} for one in _ON]}
        named = {"propertyNames": Name().schema(), "additionalProperties": one}
        return {"type": "object", "minProperties": 1, "maxProperties": MOST, **named}


class Whenever:
    """During a timetable, or outside of one."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        values = Record(_WHEN, what="a mapping").read(node, problems)
        if not isinstance(values, dict):
            return BAD
        if len(values) != 1:
            return wrong(self, node, problems)
        ((how, name),) = values.items()
        return When(name, how == "outside")

    def describe(self) -> str:
        """See `Type`."""
        return "{timetable: NAME} or {outside: NAME}"

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return {**Record(_WHEN).schema(), "minProperties": 1, "maxProperties": 1}


def _timetable(node: Node, problems: Problems) -> object:
    values = Record(_TIMETABLE, what="a timetable").read(node, problems)
    if not isinstance(values, dict):
        return BAD
    if not any(one in values for one in _ON):
        remedy = "add weekly: or dates:"
        problems.add("bad-policy", "cannot use a timetable that is never on", place=node.place, remedy=remedy)
        return BAD
    weekly = [
        Weekly(tuple(sorted(map(DAYS.index, one["days"]))), one["from"], one["until"])
        for one in values.get("weekly", ())
    ]
    dates, free = (
        tuple((one["from"], one["until"]) for one in values.get(name, ())) for name in ("dates", "except")
    )
    return Timetable(values["zone"], tuple(weekly), dates, free, values.get("startable", 0))
