"""Attacks with a teacher's key: on other classes, beyond its last day, and on what teachers do not sign."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agent.trust import floors
from agent.trust.orders import MOST_JUMP
from agent.trust.teachers import Teacher
from tests.trust.evil.attacks.orders import Took, offered, order_id
from tests.trust.evil.bench import Bench
from tests.trust.evil.desk import DAY, START, key
from tests.trust.evil.table import attack

HOUR = 3600
EXAM = {"action": "start", "timetable": "exam"}


def employed(bench: Bench, *, classes: tuple[str, ...] = ("class-1",), **changes: Any) -> None:
    """The site has a teacher, and the laptop is in class-1."""
    given: dict[str, Any] = {"school": "high", "since": START - DAY, "until": START + 30 * DAY, **changes}
    teacher = Teacher(id="tea", keys=(key("tea").public,), classes=classes, **given)
    desk = bench.north
    desk.repository.stage_trust(replace(desk.trust(), teachers=(teacher,)), at=bench.at)
    desk.sign("targets", "ann", "ben")
    desk.publish(bench.at)
    bench.settle(bench.mailed(bench.order()))


def session(bench: Bench, **changes: Any) -> bytes:
    given: dict[str, Any] = {"kind": "session", "args": EXAM, "expires": bench.at + HOUR, **changes}
    return bench.order(("tea",), **given)


@attack("not-allowed", step="check_teacher")
def session_by_a_teacher_of_another_class(bench: Bench, evil: bool) -> Took:
    employed(bench, classes=("class-7",) if evil else ("class-7", "class-1"))
    return offered(bench, session(bench))


@attack("not-allowed", step="check_teacher")
def session_by_a_teacher_of_another_school(bench: Bench, evil: bool) -> Took:
    employed(bench, school="low" if evil else "high")
    return offered(bench, session(bench))


@attack("not-allowed", step="check_teacher")
def session_by_a_key_whose_year_is_over(bench: Bench, evil: bool) -> Took:
    employed(bench, until=bench.at - HOUR if evil else bench.at + HOUR)
    return offered(bench, session(bench))


@attack("not-allowed", step="check_teacher")
def session_that_outlasts_the_key(bench: Bench, evil: bool) -> Took:
    employed(bench, until=bench.at + HOUR)
    return offered(bench, session(bench, expires=bench.at + HOUR + (1 if evil else 0)))


@attack("not-allowed", step="check_teacher")
def session_dated_back_into_the_year_of_the_key(bench: Bench, evil: bool) -> Took:
    """Whoever finds last year's key writes last year's date."""
    employed(bench, until=bench.at + (0 if evil else 2 * HOUR))
    return offered(bench, session(bench, at=bench.at - HOUR, expires=bench.at + (0 if evil else 1)))


@attack("bad-signature", step="check_signatures")
def unlock_by_a_teacher(bench: Bench, evil: bool) -> Took:
    employed(bench)
    bench.settle(bench.mailed(bench.order(("ann",), kind="lock")))
    return offered(bench, bench.order(("tea",) if evil else ("ann",), kind="unlock"))


@attack("bad-signature", step="check_signatures")
def session_by_the_students_own_laptop(bench: Bench, evil: bool) -> Took:
    employed(bench)
    given: dict[str, Any] = {"kind": "session", "args": EXAM, "expires": bench.at + HOUR}
    return offered(bench, bench.order(("laptop a",) if evil else ("tea",), **given))


@attack("bad-envelope", step="check_window")
def session_longer_than_any(bench: Bench, evil: bool) -> Took:
    employed(bench)
    return offered(bench, session(bench, expires=bench.at + floors.LONGEST_SESSION + (1 if evil else 0)))


@attack("bad-envelope", step="check_own_id")
def session_with_the_id_of_a_lock_to_come(bench: Bench, evil: bool) -> Took:
    """The lock would be refused as seen before: what only those who decide may call off."""
    employed(bench)
    lock = bench.order(("ann",), kind="lock")
    changes = {"id": order_id(lock)} if evil else {}
    return offered(bench, session(bench, **changes))


@attack("seq-jump", step="check_sequence")
def session_that_runs_ahead_of_all_to_come(bench: Bench, evil: bool) -> Took:
    """Whatever its number, a session that is signed some minutes later is newer."""
    employed(bench)
    return offered(bench, session(bench, seq=bench.at + MOST_JUMP + (1 if evil else 0)))


@attack("replayed", step="check_sequence")
def session_of_this_morning_after_its_end(bench: Bench, evil: bool) -> Took:
    """The order that started it is still within its time."""
    employed(bench)
    start = session(bench)
    bench.settle(bench.mailed(start))
    bench.settle(bench.mailed(session(bench, args={"action": "end"})))
    return offered(bench, start if evil else session(bench))
