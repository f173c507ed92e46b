"""Sessions that teachers start on a laptop in a folder, and how long is left of them."""

from __future__ import annotations

import json

import pytest

from agent.commands.handlers.session import PATIENCE
from agent.commands.sessions import Session, Sessions
from agent.store.statefile import StateFile
from tests.commands.laptop import CommandLaptop
from tests.trust.school import START

HOUR = 3600
EXAM = {"action": "start", "timetable": "exam"}


@pytest.fixture
def classroom(laptop: CommandLaptop) -> CommandLaptop:
    laptop.startable = {"exam": 2 * HOUR}
    return laptop


def start(laptop: CommandLaptop, seconds: int = HOUR) -> bytes:
    return laptop.order("session", args=EXAM, expires=laptop.at + seconds)


def known(laptop: CommandLaptop) -> Session:
    return laptop.parts().sessions.read()


def left(laptop: CommandLaptop) -> int:
    clock = laptop.host.clock
    return laptop.parts().sessions.count(laptop.at, clock.boottime(), clock.boot_id())[1]


def test_it_is_started_extended_and_ended(classroom: CommandLaptop) -> None:
    classroom.obey(start(classroom))
    first = known(classroom)
    assert (first.timetable, first.until, first.persons) == ("exam", START + HOUR, ("ada",))
    assert HOUR - 60 < left(classroom) <= HOUR
    classroom.later(1800)
    classroom.obey(start(classroom))
    assert known(classroom).until == START + 1800 + HOUR
    classroom.obey(classroom.order("session", args={"action": "end"}))
    assert known(classroom).timetable == "" and left(classroom) == 0
    assert classroom.told() == [("session", "done", "")] * 3
    assert dict(classroom.receipts()[0].evidence) == {"timetable": "exam", "until": START + HOUR}


def test_who_comes_in_late_has_what_is_left_of_it(classroom: CommandLaptop) -> None:
    order = start(classroom)
    classroom.later(3000)
    classroom.obey(order)
    assert 540 < left(classroom) <= 600


def test_what_no_policy_allows_is_refused_after_a_moment(laptop: CommandLaptop) -> None:
    order = start(laptop)
    laptop.obey(order)
    assert laptop.told() == [], "the policy may have come along with it"
    laptop.at += PATIENCE
    laptop.run(laptop.view)
    assert laptop.told() == [("session", "failed", "not-allowed")]
    assert known(laptop).timetable == ""


def test_a_policy_that_came_along_with_it_is_waited_for(laptop: CommandLaptop) -> None:
    laptop.obey(start(laptop))
    laptop.startable = {"exam": HOUR}
    laptop.run(laptop.view)
    assert laptop.told() == [("session", "done", "")]


def test_longer_than_the_policy_says_is_refused_and_what_was_on_goes_on(classroom: CommandLaptop) -> None:
    classroom.obey(start(classroom))
    classroom.obey(start(classroom, 2 * HOUR + 1))
    assert classroom.told()[-1] == ("session", "failed", "not-allowed")
    assert known(classroom).until == START + HOUR


def test_an_older_one_that_was_cut_off_takes_no_newers_place(classroom: CommandLaptop) -> None:
    sessions = classroom.parts().sessions
    newer = Session("d", "b" * 32, 1, 8, "exam", HOUR, START + HOUR, ("lee",), HOUR, 100, "boot")
    assert sessions.write(newer) == newer
    older = Session("d", "a" * 32, 1, 7, "", HOUR, START + HOUR, ("lee",), 0, 100, "boot")
    assert sessions.write(older) == newer == sessions.read()
    reenrolled = Session("e", "c" * 32, 1, 1, "", HOUR, START + HOUR, ("lee",), 0, 100, "boot")
    assert sessions.write(reenrolled) == reenrolled, "another device counts from one again"


ON = Session("d", "b" * 32, 1, 8, "exam", HOUR, START + HOUR, ("lee",), HOUR, 100, "boot")


def counted(sessions: Sessions, at: int, boottime: int, boot: str) -> int:
    return sessions.count(at, boottime, boot)[1]


@pytest.fixture
def sessions(classroom: CommandLaptop) -> Sessions:
    found = classroom.parts().sessions
    found.write(ON)
    return found


@pytest.mark.parametrize("clock", [START, START - 9 * HOUR, START + 30 * HOUR])
def test_while_it_stays_on_boottime_decides_whatever_the_clock_says(sessions: Sessions, clock: int) -> None:
    assert counted(sessions, clock, 100 + 1800, "boot") == 1800
    assert counted(sessions, clock, 100 + 3599, "boot") == 1, "sleep counts: boottime goes on"
    assert counted(sessions, clock, 100 + 3600, "boot") == 0


def test_after_a_restart_the_trusted_clock_says_what_has_gone(sessions: Sessions) -> None:
    assert counted(sessions, START + 1800, 5, "next") == 1800
    assert counted(sessions, START + 9000, 5 + 1799, "next") == 1, "from then on boottime again"
    assert counted(sessions, START, 5 + 1800, "next") == 0


def test_a_clock_put_back_over_a_restart_leaves_no_more_than_before(sessions: Sessions) -> None:
    assert counted(sessions, START - 9 * HOUR, 5, "next") == HOUR
    assert counted(sessions, START - 9 * HOUR, 5 + 1000, "next") == HOUR - 1000
    assert counted(sessions, START - 9 * HOUR, 5, "third") <= HOUR
    assert counted(sessions, START + HOUR, 5, "fourth") == 0


def test_a_newer_one_is_counted_anew(sessions: Sessions) -> None:
    assert counted(sessions, START + 1800, 5, "next") == 1800
    sessions.write(Session("d", "c" * 32, 1, 9, "exam", 600, START + 2400, ("lee",), 600, 50, "next"))
    assert counted(sessions, START + 1800, 50, "next") == 600


def test_damage_is_no_session(classroom: CommandLaptop) -> None:
    classroom.obey(start(classroom))
    path = classroom.state / "session.json"
    value = json.loads(path.read_text())
    path.write_text(json.dumps({**value, "sha256": "0" * 64}))
    assert known(classroom).timetable == ""


def test_what_a_newer_version_left_is_no_session(classroom: CommandLaptop) -> None:
    """It must stop neither policy nor any other order."""
    StateFile(str(classroom.state / "session.json"), Session, "session", v=2).write(ON)
    assert known(classroom).timetable == "" and left(classroom) == 0
    classroom.obey(start(classroom))
    assert known(classroom).timetable == "exam"
