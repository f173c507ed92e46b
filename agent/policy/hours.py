"""When a timetable is on: pure, from local hours to moments (unix seconds).

A clock that is put forward or back is the zone's affair: of hours that a night does not have nothing is on,
those that it has twice are on from the first time to the last.
"""

from __future__ import annotations

from bisect import bisect_left as bisect
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo

from agent.policy.syntax.timetypes import zone
from agent.policy.timetable import Timetable

_DAY = timedelta(days=1)
#: How far ahead a change is looked for: whoever waits for one asks again by then.
AHEAD = 8


def inside(table: Timetable, at: int) -> bool:
    """Whether ``table``, whose zone is `known`, is on at ``at``."""
    return any(start <= at < end for start, end in _spans(table, at))


def known(table: Timetable) -> bool:
    """Whether this machine knows the clocks of ``table``."""
    return zone(table.zone) is not None


def changes(table: Timetable, at: int) -> int:
    """The next moment after ``at`` at which ``table`` goes on or off; `AHEAD` days from ``at`` if there is
    none until then."""
    ahead = [edge for span in _spans(table, at) for edge in span if edge > at]
    return min(*ahead, at + AHEAD * 86_400) if ahead else at + AHEAD * 86_400


def inside_locally(table: Timetable, moment: datetime) -> bool:
    """Whether ``table`` is on when its zone's clocks show ``moment`` (without zone), as far as a clock can
    tell."""
    day, minute = moment.date(), moment.hour * 60 + moment.minute
    weekly = any(
        day.weekday() in one.days and one.start <= minute < one.end for one in table.weekly
    ) and not _free(table, day)
    return weekly or any(start <= moment < end for start, end in table.dates)


def _spans(table: Timetable, at: int) -> list[tuple[int, int]]:
    """The times it is on that may touch the days from ``at`` on, those that meet joined, in order."""
    clocks = zone(table.zone)
    assert clocks is not None  # noqa: S101  # `Zone` took it
    today = datetime.fromtimestamp(at, clocks).date()
    joined: list[tuple[int, int]] = []
    for start, end in sorted(_edges(table, today, clocks)):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _edges(table: Timetable, today: date, clocks: tzinfo) -> Iterator[tuple[int, int]]:
    for day in (today + number * _DAY for number in range(-1, AHEAD + 1)):
        if not _free(table, day):
            midnight = datetime(day.year, day.month, day.day)  # local, see above
            for one in table.weekly:
                if day.weekday() in one.days:
                    begin, end = (midnight + timedelta(minutes=at) for at in (one.start, one.end))
                    yield _moment(begin, clocks), _moment(end, clocks, last=True)
    for begin, end in table.dates:
        if begin.date() <= today + AHEAD * _DAY and end.date() >= today - _DAY:
            yield _moment(begin, clocks), _moment(end, clocks, last=True)


def _free(table: Timetable, day: date) -> bool:
    return any(first <= day <= last for first, last in table.free)


def _moment(local: datetime, clocks: tzinfo, *, last: bool = False) -> int:
    first, second = (
        int(local.replace(tzinfo=clocks, fold=fold).astimezone(UTC).timestamp()) for fold in (0, 1)
    )
    if second < first:  # no clock ever shows it: when it first shows something later
        return bisect(range(second, first), local, key=lambda at: _local(at, clocks)) + second
    return second if last else first


def _local(at: int, clocks: tzinfo) -> datetime:
    return datetime.fromtimestamp(at, clocks).replace(tzinfo=None)
