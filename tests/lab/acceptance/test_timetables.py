"""An exam on a real laptop: it begins and ends by itself, and pulling the cable is no way out."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from tests.lab import browser
from tests.lab.acceptance.clocks import wrong_clock
from tests.lab.acceptance.conftest import HOME, School
from tests.lab.acceptance.school import bookbag, settled, status
from tests.lab.laptop import Laptop

HOUR = 3600
EXAM = """\
policy: exam
rank: class
owner: ict@north.example
review-by: "2087-08-01"
applies-to: {{class: [9b]}}
when: {{timetable: exam}}
timetables:
  exam: {{zone: Etc/UTC, dates: [{{from: "{begin}", until: "{end}"}}]}}
settings:
  browser.blocked-sites: ["*"]
"""


def test_an_exam_begins_and_ends_while_the_cable_is_out(school: School) -> None:
    laptop = school.lina
    begin = (int(time.time()) // 60 + 120) * 60
    school.desk.write(
        "policies/ict/exam.yaml", EXAM.format(begin=on_the_clock(begin), end=on_the_clock(begin + HOUR))
    )
    school.desk.publish()
    bookbag(laptop, "sync")
    assert not closed(laptop), "the control: it is known, and has not begun"
    laptop.set_cable(False)
    try:
        with wrong_clock(laptop, begin - 10):
            settled(laptop, closed, 60)
            text = laptop.run(["bookbag", "explain", "browser.blocked-sites"]).stdout
            assert "during exam" in text
            bookbag(laptop, "apply", codes=(0,))
            assert closed(laptop), "cable or not"
        with wrong_clock(laptop, begin + HOUR - 10):
            settled(laptop, lambda laptop: not closed(laptop), 60)
            assert status(laptop)["outcomes"].keys() <= {"in-force", "changed", "restored"}
    finally:
        laptop.set_cable(True)


STARTABLE = """\
policy: exam
rank: class
owner: ict@north.example
review-by: "2087-08-01"
applies-to: {class: [9b]}
when: {timetable: exam}
timetables:
  exam: {zone: Etc/UTC, startable: 2h}
settings:
  browser.blocked-sites: ["*"]
"""


def test_a_teacher_starts_it_and_releases_one_laptop(school: School) -> None:
    laptop, desk = school.lina, school.desk
    until = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"
    desk.fleet("teacher", "add", "lee", "--school", "north", "--class", "9b", "--until", until)
    desk.write("policies/ict/exam.yaml", STARTABLE)
    desk.publish("ict-1", "head-1")
    bookbag(laptop, "sync")
    assert not closed(laptop), "the control: it is known, and nobody started it"
    try:
        desk.fleet("session", "start", "9b", "exam", "--for", "90m", "--as", "lee")
        desk.fleet("publish")
        bookbag(laptop, "sync")
        settled(laptop, closed, 60)
        laptop.set_cable(False)
        bookbag(laptop, "apply", codes=(0,))
        assert closed(laptop), "cable or not"
        laptop.set_cable(True)
        desk.fleet("session", "release", "lina", "--as", "lee")
        desk.fleet("publish")
        settled(laptop, lambda laptop: bookbag(laptop, "sync", codes=(0, 2)))
        settled(laptop, lambda laptop: not closed(laptop), 60)
    finally:
        laptop.set_cable(True)
        (desk.folder / "orders/lina/session.json").unlink(missing_ok=True)
        desk.fleet("teacher", "remove", "lee")


def on_the_clock(at: int) -> str:
    """As a timetable says it."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"


def closed(laptop: Laptop) -> bool:
    """Whether the laptop's Chromium refuses the school's own page."""
    return browser.open_page(laptop, HOME).error == browser.BLOCKED
