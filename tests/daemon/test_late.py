"""Updates that no hours brought in time are begun at another: not before the deadline, in no lesson, not
again and again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.daemon.late import AGAIN
from agent.trust.enrolment import EnrolFile, make_token
from tests.daemon.laptop import SandboxLaptop, until
from tests.daemon.test_timetables import BLOCKED, POLICY, WELCOME, on_the_clock
from tests.trust.school import DAY, School

HOUR = 3600
UPDATES = (
    "settings:\n  updates.automatic:\n    value: {{packages: security, hours: '03:00-04:00'{deadline}}}\n"
)


@pytest.fixture
def begin() -> int:
    """When the exam begins, unix seconds: in fifteen days, at a full minute. It takes one hour."""
    return (int(time.time()) + 15 * DAY) // 60 * 60


def enrolled(laptop: SandboxLaptop, desk: Path, begin: int, deadline: str) -> School:
    school = School(desk, at=int(time.time()))
    span = f'{{from: "{on_the_clock(begin)}", until: "{on_the_clock(begin + HOUR)}"}}'
    table = f"timetables:\n  exam: {{zone: Etc/UTC, dates: [{span}]}}\n"
    school.policy(
        "ict",
        table=POLICY.format(name="table", body=table),
        exam=POLICY.format(name="exam", body=BLOCKED),
        welcome=POLICY.format(name="welcome", body=WELCOME),
    )
    school.power("ada", "bo", base=POLICY.format(name="updates", body=UPDATES.format(deadline=deadline)))
    school.publish()
    root = (school.mirror / "metadata" / "1.root.json").read_bytes()
    file = desk / "enrol.json"
    file.write_bytes(EnrolFile("north", ("https://127.0.0.1:1/",), "", root, make_token()).to_bytes())
    laptop.cli("enrol", str(file))
    laptop.start()
    assert laptop.cli("sync", "--from", str(school.mirror)).returncode == 2
    until(lambda: laptop.status()["outcomes"].get("in-force"))
    return school


@pytest.fixture
def late(laptop: SandboxLaptop, tmp_path: Path, begin: int) -> Iterator[SandboxLaptop]:
    enrolled(laptop, tmp_path / "desk", begin, ", deadline: 14d")
    yield laptop


def updated(laptop: SandboxLaptop) -> int:
    """When updates were installed last; 0: never."""
    try:
        return int(json.loads((laptop.folder / ".sandbox" / "apt.json").read_text())["updated"])
    except FileNotFoundError:
        return 0


def at(laptop: SandboxLaptop, moment: int) -> int:
    """What a sweep at that moment comes to."""
    laptop.set_clock(moment - int(time.time()))
    laptop.cli("apply")
    return updated(laptop)


def test_after_the_deadline_outside_of_exams_and_once(late: SandboxLaptop, begin: int) -> None:
    assert at(late, begin - 2 * DAY) == 0, "the control: 13 days are not 14"
    assert at(late, begin - HOUR // 2) == 0, "it would go on in the exam"
    assert at(late, begin + 60) == 0, "an exam"
    done = at(late, begin + HOUR + 60)
    assert done >= begin + HOUR
    rows = json.loads((Path(late.layout.public) / "ledger.json").read_text())["entries"]
    assert [(row["subject"], row["outcome"]) for row in rows if row["kind"] == "updates"] == [
        ("late", "begun")
    ]
    assert at(late, begin + 10 * DAY) == done, "ten days are not 14 either"


def test_what_came_of_nothing_is_tried_again_but_not_at_once(late: SandboxLaptop, begin: int) -> None:
    first = at(late, begin + 2 * HOUR)
    notes = late.folder / ".sandbox" / "apt.json"
    notes.unlink()  # as if the laptop had been on battery
    assert first and at(late, begin + 2 * HOUR + 600) == 0
    assert at(late, begin + 2 * HOUR + AGAIN + 60) > first


def test_without_a_deadline_it_waits_for_its_hours(laptop: SandboxLaptop, tmp_path: Path, begin: int) -> None:
    enrolled(laptop, tmp_path / "desk", begin, "")
    assert at(laptop, begin + 2 * HOUR) == 0
