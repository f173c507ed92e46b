"""A lesson begins and ends on a laptop that is left alone: offline, asleep, with a clock that cannot be
believed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.daemon.machine import Machine
from agent.trust.enrolment import EnrolFile, make_token
from tests.daemon.laptop import SandboxLaptop, until
from tests.trust.school import DAY, School

HOUR = 3600
POLICY = """\
policy: {name}
rank: school
owner: ict@north.example
review-by: "2087-02-01"
{body}
"""
BLOCKED = "when: {timetable: exam}\nsettings:\n  browser.blocked-sites: ['*']\n"
WELCOME = 'when: {outside: exam}\nresources:\n  - file: {path: /etc/motd, content: "no exam now"}\n'


def on_the_clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"


@pytest.fixture
def begin() -> int:
    """When the exam begins, unix seconds: in two hours, at a full minute. It takes one hour."""
    return int((datetime.now(UTC) + timedelta(hours=2)).replace(second=0, microsecond=0).timestamp())


@pytest.fixture
def exam(laptop: SandboxLaptop, tmp_path: Path, begin: int) -> Iterator[SandboxLaptop]:
    """A laptop that has its policies and will not see its service again."""
    school = School(tmp_path / "desk", at=int(time.time()))
    span = f'{{from: "{on_the_clock(begin)}", until: "{on_the_clock(begin + HOUR)}"}}'
    table = f"timetables:\n  exam: {{zone: Etc/UTC, dates: [{span}]}}\n"
    bodies = {"table": table, "exam": BLOCKED, "welcome": WELCOME}
    written = {name: POLICY.format(name=name, body=body) for name, body in bodies.items()}
    school.policy("ict", table=written["table"], exam=written["exam"], welcome=written["welcome"])
    school.publish()
    root = (school.mirror / "metadata" / "1.root.json").read_bytes()
    file = tmp_path / "enrol.json"
    file.write_bytes(EnrolFile("north", ("https://127.0.0.1:1/",), "", root, make_token()).to_bytes())
    laptop.cli("enrol", str(file))
    laptop.start()
    assert laptop.cli("sync", "--from", str(school.mirror)).returncode == 2
    until(lambda: laptop.status()["outcomes"].get("in-force"))
    yield laptop


def blocked(laptop: SandboxLaptop) -> bool:
    folder = laptop.path("/etc/chromium/policies/managed")
    return folder.is_dir() and any("URLBlocklist" in path.read_text() for path in folder.iterdir())


def turns(laptop: SandboxLaptop) -> list[tuple[str, str]]:
    rows = json.loads((Path(laptop.layout.public) / "ledger.json").read_text())["entries"]
    return [(row["subject"], row["outcome"]) for row in reversed(rows) if row["kind"] == "schedule"]


def test_it_begins_by_itself_and_ends_by_itself(exam: SandboxLaptop, begin: int) -> None:
    assert exam.path("/etc/motd").read_text() == "no exam now" and not blocked(exam)
    told = " ".join(exam.cli("explain", "browser.blocked-sites").stdout.split())
    assert "nobody decides it now" in told and "while on exam: *" in told, "it is told before it begins"
    exam.set_clock(begin - 4 - int(time.time()))
    exam.cli("apply")  # as the sweep would: it learns how long it still is
    assert not blocked(exam), "the control: four seconds before"
    until(lambda: blocked(exam))
    until(lambda: not exam.path("/etc/motd").exists())
    exam.set_clock(begin + HOUR - 4 - int(time.time()))
    exam.cli("apply")
    assert blocked(exam)
    until(lambda: not blocked(exam))
    until(exam.path("/etc/motd").exists)
    assert exam.path("/etc/motd").read_text() == "no exam now"
    until(lambda: len(turns(exam)) == 5)
    assert turns(exam) == [
        ("policy:welcome", "begun"),
        ("policy:exam", "begun"),
        ("policy:welcome", "ended"),
        ("policy:exam", "ended"),
        ("policy:welcome", "begun"),
    ]


def test_a_laptop_that_slept_or_was_off_at_the_beginning_is_no_way_around(
    exam: SandboxLaptop, begin: int
) -> None:
    exam.stop()
    exam.set_clock(begin + 60 - int(time.time()))
    exam.start()
    until(lambda: blocked(exam))
    exam.stop()
    exam.set_clock(begin + HOUR + 60 - int(time.time()))
    exam.start()
    until(lambda: not blocked(exam))


def test_a_clock_put_back_is_none_either(exam: SandboxLaptop, begin: int) -> None:
    exam.set_clock(begin + 60 - int(time.time()))
    exam.cli("apply")
    assert blocked(exam)
    exam.set_clock(0)
    exam.cli("apply")
    assert blocked(exam), "time that has passed does not come back"


@pytest.mark.parametrize("offset", [-30 * 365 * DAY, 60 * DAY])
def test_a_clock_that_cannot_be_believed_means_what_is_tightest(exam: SandboxLaptop, offset: int) -> None:
    exam.set_clock(offset)
    exam.cli("apply")
    assert blocked(exam)
    assert not exam.path("/etc/motd").exists(), "what cannot be compared waits"
    exam.set_clock(0)
    exam.cli("apply")
    assert not blocked(exam) and exam.path("/etc/motd").read_text() == "no exam now"


def test_tampering_at_the_turn_hides_nothing(exam: SandboxLaptop, begin: int) -> None:
    """An audit of one touched file finds that the policy is another by now, and does all of it."""
    exam.set_clock(begin + 60 - int(time.time()))
    exam.path("/etc/motd").write_text("rude")
    until(lambda: blocked(exam))


def test_a_run_that_saw_it_begin_and_was_killed_is_made_up_for(exam: SandboxLaptop, begin: int) -> None:
    """What is touched next is looked at; that the rest was never brought about is not passed over."""
    exam.stop()
    exam.set_clock(begin + 60 - int(time.time()))
    Machine(exam.layout).compiled()  # and no further
    exam.path("/etc/motd").write_text("rude")
    assert not blocked(exam), "the control"
    program = f"from agent.daemon import worker; worker.main('enforce', {str(exam.folder)!r})"
    request = json.dumps({"op": "audit", "lean": True})
    subprocess.run([sys.executable, "-c", program], input=request, text=True, check=True, capture_output=True)
    assert blocked(exam)


def test_a_word_that_was_damaged_on_the_disk_is_taken_again_and_the_turn_is_made(
    exam: SandboxLaptop, begin: int
) -> None:
    def newest() -> Path:
        return max(Path(exam.layout.generations).glob("gen-*"))

    damaged = newest()
    (damaged / "view.json").write_bytes(b"{}")
    exam.set_clock(begin + 60 - int(time.time()))
    exam.path("/etc/motd").write_text("rude")
    exam.cli("apply")
    until(lambda: newest() != damaged)
    until(lambda: blocked(exam))
    until(lambda: not exam.path("/etc/motd").exists())


def test_where_it_cannot_be_taken_again_what_was_in_force_stays(exam: SandboxLaptop, begin: int) -> None:
    for damaged in Path(exam.layout.generations).glob("gen-*"):
        (damaged / "view.json").write_bytes(b"{}")
    shutil.rmtree(exam.layout.mirror)
    exam.set_clock(begin + 60 - int(time.time()))
    exam.path("/etc/motd").write_text("rude")
    told = exam.cli("apply")
    until(lambda: exam.path("/etc/motd").read_text() == "no exam now")
    assert "cannot load generation" in told.stderr + told.stdout
