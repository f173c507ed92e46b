"""Types of values that timetables have: hours of a day, moments, days, time zones. All local time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

from agent.policy.syntax.nodes import Node, Scalar
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import wrong

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOUR = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_ZONE = re.compile(r"[A-Z][A-Za-z0-9_+-]{1,31}(/[A-Za-z0-9_+-]{1,31}){0,2}")
_YEARS = (2020, 2200)
_DAY = r"2[01][0-9]{2}-[0-9]{2}-[0-9]{2}"
_MOMENT = rf"{_DAY} [0-9]{{2}}:[0-9]{{2}}"


def _text(node: Node) -> str:
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else ""


@dataclass(frozen=True, slots=True)
class HourMinute:
    """A time of day; the value is in minutes since midnight, 0 to 1440."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        text = _text(node)
        if not _HOUR.fullmatch(text):
            remedy = "quote it" if isinstance(node, Scalar) and type(node.value) is int else ""
            return wrong(self, node, problems, remedy=remedy)
        return int(text[:2]) * 60 + int(text[3:])

    def describe(self) -> str:
        """See `Type`."""
        return 'a quoted time such as "08:00", up to "24:00"'

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return {"type": "string", "pattern": f"^({_HOUR.pattern})$"}


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day that the calendar has."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        try:
            day = date.fromisoformat(_text(node)) if re.fullmatch(_DAY, _text(node)) else None
        except ValueError:
            day = None
        known = day is not None and _YEARS[0] <= day.year < _YEARS[1]
        return day if known else wrong(self, node, problems)

    def describe(self) -> str:
        """See `Type`."""
        return 'a quoted day such as "2026-12-19"'

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return {"type": "string", "pattern": f"^{_DAY}$"}


@dataclass(frozen=True, slots=True)
class DayAndTime:
    """A moment on the clock of the timetable's zone."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        text = _text(node)
        try:
            moment = datetime.strptime(text, "%Y-%m-%d %H:%M") if re.fullmatch(_MOMENT, text) else None
        except ValueError:
            moment = None
        known = moment is not None and _YEARS[0] <= moment.year < _YEARS[1]
        return moment if known else wrong(self, node, problems)

    def describe(self) -> str:
        """See `Type`."""
        return 'a quoted day and time such as "2026-12-03 08:30"'

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return {"type": "string", "pattern": f"^{_MOMENT}$"}


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone by its IANA name. The machine's own data say what its clocks show; whether it has any, ask
    `zone`."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        text = _text(node)
        if not _ZONE.fullmatch(text):
            return wrong(self, node, problems)
        return text

    def describe(self) -> str:
        """See `Type`."""
        return "the IANA name of a time zone, such as Europe/Berlin"

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return {"type": "string", "pattern": f"^{_ZONE.pattern}$"}


@cache
def zone(name: str) -> ZoneInfo | None:
    """The zone called ``name``; None if this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
