"""What a teacher may start: timetables that say so, for no longer than they say, and nothing else."""

from __future__ import annotations

import pytest

from agent.policy.compile import compile_site
from agent.policy.compiled import Compiled
from agent.policy.document import Source, read_document
from agent.policy.hours import inside
from agent.policy.scheduling import At
from agent.policy.syntax.problems import Problems
from tests.policy.machine import DEVICE, policy, source
from tests.policy.test_hours import at

KEY = "browser.blocked-sites"
CLOSED = f"settings:\n  {KEY}: [games.example]\n"
NOW = at("2026-11-26 17:00")
WHILE = "when: {timetable: exam}\n"


def table(body: str, *, name: str = "table", rank: str = "school", power: bool = False) -> Source:
    text = f"timetables: {{exam: {{zone: Europe/Berlin, {body}}}}}\n"
    return source(text, name=name, rank=rank, power=power)


def made(*sources: Source, session: tuple[str, int] | tuple[()] = (), at: int | None = NOW) -> Compiled:
    return compile_site(sources, DEVICE, None, At(at, session))


def on(policy: Compiled) -> bool:
    return KEY in policy.settings


EXAM = source(CLOSED, name="exam", rank="class", more=WHILE)


def test_it_is_on_while_a_teacher_has_it_on_and_not_otherwise() -> None:
    given = (table("startable: 90m"), EXAM)
    assert not on(made(*given))
    started = made(*given, session=("exam", 5400))
    assert on(started) and started.scheduled == [("exam", True)]
    assert not on(made(*given, session=("lesson", 5400))), "another one"
    assert started.fingerprint != made(*given).fingerprint
    assert started.startable == {"exam": 5400}


def test_a_stopped_clock_changes_nothing_about_it() -> None:
    given = (table("startable: 90m"), EXAM)
    assert made(*given, session=("exam", 60), at=None).scheduled == [("exam", True)]


def test_without_hours_no_stopped_clock_puts_it_on() -> None:
    """A laptop that cannot tell the time is in no exam that nobody started."""
    assert not on(made(table("startable: 90m"), EXAM, at=None))
    dated = 'dates: [{from: "2026-11-27 08:00", until: "2026-11-27 10:00"}], startable: 90m'
    assert on(made(table(dated), EXAM, at=None)), "the control: with hours it may be on"


def test_longer_than_it_says_or_not_startable_at_all_is_not_on() -> None:
    assert not on(made(table("startable: 90m"), EXAM, session=("exam", 5401)))
    dated = 'dates: [{from: "2026-11-27 08:00", until: "2026-11-27 10:00"}]'
    plain = made(table(dated), EXAM, session=("exam", 60))
    assert not on(plain) and plain.startable == {}
    both = table(f"{dated}, startable: 90m")
    assert on(made(both, EXAM, session=("exam", 60))) and not on(made(both, EXAM))


def test_who_ends_it_ends_no_hours_of_the_school() -> None:
    both = table('dates: [{from: "2026-11-26 16:00", until: "2026-11-26 18:00"}], startable: 90m')
    assert on(made(both, EXAM)) and on(made(both, EXAM, session=("exam", 60)))


def test_what_takes_two_persons_is_startable_by_the_word_of_two() -> None:
    mighty = source(CLOSED, name="exam", more=WHILE, power=True)
    one, two = table("startable: 90m"), table("startable: 30m", name="mighty", power=True)
    assert not made(one, mighty, session=("exam", 60)).startable
    assert made(one, two, mighty).startable == {"exam": 1800}


def test_it_is_another_policy_while_it_is_on() -> None:
    given = (table("startable: 90m"), EXAM)
    before, started = made(*given), made(*given, session=("exam", 60))
    assert before.timely(NOW) and not before.timely(NOW, ("exam", 60))
    assert started.timely(NOW, ("exam", 60)) and not started.timely(NOW)
    assert not started.timely(NOW, ("exam", 120)), "it was extended"


def problems(body: str) -> list[str]:
    found = Problems()
    text = f"timetables: {{exam: {{zone: Europe/Berlin, {body}}}}}\n"
    read_document(Source("policies/ict/t.yaml", policy(text), "ict"), found)
    return [one.message for one in found.errors]


@pytest.mark.parametrize(
    ("body", "ok"), [("90m", True), ("5h", True), ("6h", False), ("30s", False), ("90", False)]
)
def test_how_long_it_may_be(body: str, ok: bool) -> None:
    assert (problems(f"startable: {body}") == []) is ok


def test_one_that_nobody_starts_and_no_hour_begins_is_never_on() -> None:
    assert "never on" in problems('except: [{from: "2026-12-21", until: "2026-12-22"}]')[0]


def test_startable_alone_has_no_hours() -> None:
    document = read_document(table("startable: 90m"), Problems())
    assert document is not None and not inside(document.timetables["exam"], NOW)
    assert "a teacher may start it for 90m" in str(document.timetables["exam"])
