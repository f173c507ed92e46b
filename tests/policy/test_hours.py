"""When a timetable is on: exact at its edges, whatever the zone's clocks do, and on free days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.policy.hours import AHEAD, changes, inside, inside_locally
from agent.policy.timetable import Timetable, Weekly

DAY = 86_400
BERLIN = ZoneInfo("Europe/Berlin")
MORNING = Weekly((0, 1, 2, 3, 4), 8 * 60, 13 * 60 + 15)
LESSONS = Timetable("Europe/Berlin", (MORNING,), free=((date(2026, 12, 19), date(2027, 1, 3)),))
EXAM = (datetime(2026, 12, 21, 9, 0), datetime(2026, 12, 21, 11, 30))


def at(text: str, zone: str = "Europe/Berlin") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


def test_it_is_on_from_its_first_second_and_not_in_its_last() -> None:
    assert not inside(LESSONS, at("2026-11-26 07:59:59"))
    assert inside(LESSONS, at("2026-11-26 08:00"))
    assert inside(LESSONS, at("2026-11-26 13:14:59"))
    assert not inside(LESSONS, at("2026-11-26 13:15"))
    assert not inside(LESSONS, at("2026-11-28 09:00")), "a Saturday"


def test_the_zone_decides_and_not_the_machine() -> None:
    there = Timetable("Asia/Kolkata", (MORNING,))
    assert inside(there, at("2026-11-26 08:00", "Asia/Kolkata"))
    assert not inside(there, at("2026-11-26 10:00"))


def test_free_days_have_no_lessons_but_may_have_an_exam() -> None:
    assert inside(LESSONS, at("2026-12-18 09:00")) and not inside(LESSONS, at("2026-12-21 09:00"))
    assert not inside(LESSONS, at("2027-01-01 09:00")) and inside(LESSONS, at("2027-01-04 09:00"))
    both = Timetable("Europe/Berlin", (MORNING,), (EXAM,), LESSONS.free)
    assert inside(both, at("2026-12-21 09:00")) and not inside(both, at("2026-12-21 11:30"))


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2026-11-26 07:00", "2026-11-26 08:00"),
        ("2026-11-26 08:00", "2026-11-26 13:15"),
        ("2026-11-27 13:15", "2026-11-30 08:00"),
        ("2026-12-18 20:00", "2026-12-26 20:00"),  # nothing within AHEAD days: ask again then
        ("2026-12-30 20:00", "2027-01-04 08:00"),
    ],
)
def test_the_next_change(now: str, then: str) -> None:
    assert changes(LESSONS, at(now)) == at(then)


def test_hours_that_touch_are_one() -> None:
    table = Timetable("UTC", (Weekly((3, 4), 0, 1440), Weekly((5,), 0, 60)))
    begin = int(datetime(2026, 11, 26, tzinfo=UTC).timestamp())
    assert changes(table, begin) == begin + 2 * DAY + 3600


def test_an_hour_that_the_night_has_twice_is_on_both_times() -> None:
    night = Timetable("Europe/Berlin", (Weekly((6,), 2 * 60, 3 * 60),))
    first = at("2026-10-25 02:00")
    assert changes(night, first) - first == 2 * 3600


def test_an_hour_that_the_night_does_not_have_is_soon_over() -> None:
    night = Timetable("Europe/Berlin", (Weekly((6,), 2 * 60, 4 * 60),))
    assert changes(night, at("2027-03-28 01:00")) == at("2027-03-28 03:00")
    assert inside(night, at("2027-03-28 03:00")) and not inside(night, at("2027-03-28 04:00"))


def test_what_ends_with_a_day_whose_last_hour_leads_into_none_ends_then() -> None:
    """In Cairo clocks leap from midnight to one: a day until 24:00 is as long as any."""
    night = Timetable("Africa/Cairo", (Weekly((3,), 20 * 60, 1440),))
    begin = at("2027-04-29 20:00", "Africa/Cairo")
    assert changes(night, begin) - begin == 4 * 3600


def test_what_is_always_on_is_looked_at_again() -> None:
    always = Timetable("UTC", (Weekly(tuple(range(7)), 0, 1440),))
    assert changes(always, at("2026-11-26 07:00")) == at("2026-11-26 07:00") + AHEAD * DAY


SPANS = st.tuples(st.integers(0, 1440), st.integers(0, 1440)).filter(lambda one: one[0] < one[1])
WEEKLY = st.builds(
    lambda days, span: Weekly(tuple(sorted(days)), *span), st.sets(st.integers(0, 6), min_size=1), SPANS
)


@given(st.lists(WEEKLY, min_size=1, max_size=4), st.integers(0, 400 * 24 * 60))
def test_it_agrees_with_a_clock_on_the_wall(weekly: list[Weekly], minutes: int) -> None:
    table = Timetable("Europe/Berlin", tuple(weekly), (EXAM,), LESSONS.free)
    moment = datetime(2026, 8, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    local = moment.astimezone(BERLIN).replace(tzinfo=None)
    if (local.month, local.day) != (10, 25):  # the night that has an hour twice
        assert inside(table, int(moment.timestamp())) == inside_locally(table, local)


@given(st.lists(WEEKLY, min_size=1, max_size=4), st.integers(0, 400 * DAY))
def test_nothing_changes_before_the_next_change(weekly: list[Weekly], seconds: int) -> None:
    table = Timetable("Europe/Berlin", tuple(weekly), (EXAM,), LESSONS.free)
    now = at("2026-08-01 00:00") + seconds
    then = changes(table, now)
    assert now < then <= now + AHEAD * DAY
    assert {inside(table, now + (then - 1 - now) * part // 50) for part in range(51)} == {inside(table, now)}
    if then < now + AHEAD * DAY:
        assert inside(table, then) is not inside(table, now)
