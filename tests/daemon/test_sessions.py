"""A teacher's session through a whole laptop: begun by an order, held without a network and over a
restart, over by itself."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.daemon import wiring
from agent.daemon.machine import Machine
from agent.trust.keys import SigningKey
from agent.trust.teachers import Teacher
from tests.daemon.laptop import SandboxLaptop, sandbox, until
from tests.daemon.test_commands import Site
from tests.trust.school import DAY

HOUR = 3600
EXAM = """\
policy: exam
rank: school
owner: ict@north.example
review-by: "2087-02-01"
when: {timetable: exam}
timetables:
  exam: {zone: Etc/UTC, startable: 2h}
settings:
  browser.blocked-sites: ["*"]
"""
START = {"action": "start", "timetable": "exam"}


class Classroom(Site):
    """A laptop of 9b, whose teacher is Lee. ``boottime``: of the laptop, moved by hand."""

    def __init__(self, folder: Path, laptop: SandboxLaptop) -> None:
        self.lee = SigningKey.generate()
        self.boottime = 1000
        super().__init__(folder, laptop)
        now = self.school.at = int(time.time())
        self.clock(now)
        teacher = Teacher("lee", (self.lee.public,), "north-high", ("9b",), now - DAY, now + DAY)
        self.school.policy("ict", exam=EXAM)
        self.school.employ(teacher)
        self.send()

    def clock(self, wall: int) -> None:
        path = self.laptop.folder / ".sandbox" / "clock.json"
        new = path.with_name("clock.new")
        new.write_text(json.dumps({"wall": wall, "boottime": self.boottime}))
        new.rename(path)  # half a file would be another time

    def session(self, seconds: int, args: dict[str, str] | None = None) -> bytes:
        return self.school.order(
            self.stand_in,
            "session",
            signers=(self.lee,),
            args=args or START,
            expires=self.school.at + seconds,
        )

    def blocked(self) -> bool:
        folder = self.laptop.path("/etc/chromium/policies/managed")
        return folder.is_dir() and any("URLBlocklist" in path.read_text() for path in folder.iterdir())


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Classroom]:
    """One for all of these, for it takes its time; each test ends what it began."""
    with sandbox() as laptop:
        yield Classroom(tmp_path_factory.mktemp("school"), laptop)


def test_what_the_policy_does_not_let_a_teacher_start_changes_nothing(room: Classroom) -> None:
    room.send(room.session(HOUR, {"action": "start", "timetable": "lessons"}))
    until(lambda: room.commands().get("open") == 1)
    room.clock(room.school.at + 60)
    room.send(room.order("message", args={"text": {"en": "look"}}))  # else it looks again by itself, later
    until(lambda: ("session", "failed", "not-allowed") in room.told())
    assert not room.blocked()
    room.school.at += 60
    room.send(room.session(HOUR))
    until(room.blocked)
    room.send(room.session(HOUR, {"action": "end"}))
    until(lambda: not room.blocked())


def test_what_was_started_in_a_former_life_of_the_laptop_is_over(room: Classroom) -> None:
    room.send(room.session(HOUR))
    until(room.blocked)
    layout = room.laptop.layout
    sessions = wiring.open_sessions(layout)
    on = sessions.read()
    assert Machine(layout).started == ("exam", HOUR)
    sessions.write(replace(on, device="f" * 32))
    assert Machine(layout).started == ()
    sessions.write(on)
    room.send(room.session(HOUR, {"action": "end"}))
    until(lambda: not room.blocked())


def test_it_begins_by_order_holds_offline_and_ends_by_itself(room: Classroom) -> None:
    laptop, began = room.laptop, room.school.at
    room.laptop.cli("apply")
    assert not room.blocked()
    room.send(room.session(HOUR))
    until(room.blocked)
    until(lambda: ("session", "done", "") in room.told())
    stamp = room.school.mirror / "metadata" / "timestamp.json"
    stamp.rename(stamp.with_name("away"))  # the service is gone, or its cable

    room.clock(began + 10 * HOUR)  # somebody puts the clock on
    laptop.cli("apply")
    assert room.blocked(), "boottime decides while it stays on"
    room.boottime += HOUR - 2
    room.clock(began + 10 * HOUR)
    laptop.cli("apply")
    assert room.blocked(), "the control: two seconds before"
    room.boottime += 2
    room.clock(began + 10 * HOUR)
    until(lambda: not room.blocked())  # by its own timer
    stamp.with_name("away").rename(stamp)
    room.school.at = began + 11 * HOUR  # as the laptop takes it to be: an hour of boottime went by


def test_a_restart_ends_nothing_and_release_ends_what_was_started(room: Classroom) -> None:
    laptop = room.laptop
    start = room.session(HOUR)
    room.send(start)
    until(room.blocked)
    laptop.stop(signal.SIGKILL)
    laptop.start()
    laptop.cli("apply")
    assert room.blocked()
    room.send(room.session(HOUR, {"action": "end"}))
    until(lambda: not room.blocked())
    room.send(start)  # this morning's, once more
    laptop.cli("apply")
    assert not room.blocked()
    laptop.stop()
