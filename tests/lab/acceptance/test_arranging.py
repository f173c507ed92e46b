"""An exam takes the magnifier away, and the one student who needs it has it all the same, until the day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.lab import sessions
from tests.lab.acceptance.clocks import wrong_clock
from tests.lab.acceptance.conftest import School
from tests.lab.acceptance.desk import PEOPLE
from tests.lab.acceptance.school import bookbag, settled
from tests.lab.laptop import Laptop

MAGNIFIER = ("org.gnome.desktop.a11y.applications", "screen-magnifier-enabled")
POINTER = ("org.gnome.desktop.interface", "cursor-size")
CLOSED, ARRANGED = ["false", "48"], ["true", "96"]
#: Where root keeps it: /var/lib/bookbag/state, and what the portal alone may read.
KEPT, TOLD = "/var/lib/bookbag/state/arranged.json", "/var/lib/bookbag/asks/arranged.json"


def desktop(laptop: Laptop) -> list[str]:
    """What the student's session has."""
    return [
        laptop.run(["gsettings", "get", *key], user="student").stdout.strip() for key in (MAGNIFIER, POINTER)
    ]


def test_who_needs_it_has_it_in_the_exam_until_its_day(school: School) -> None:
    laptop = school.lina
    day = datetime.now(UTC).date() + timedelta(days=2)
    end = datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC).timestamp()
    final = {
        key: {"value": word, "final": True} for key, word in (("magnifier", "off"), ("cursor-size", "large"))
    }
    school.desk.policy("exam", {f"accessibility.{key}": value for key, value in final.items()})
    school.desk.publish()
    bookbag(laptop, "sync")
    sessions.log_in(laptop, "student")
    try:
        settled(laptop, lambda laptop: desktop(laptop) == CLOSED)
        wish = ("--set", "accessibility.magnifier=3x", "--set", "accessibility.cursor-size=largest")
        school.desk.fleet("accommodate", laptop.name, *wish, "--until", day.isoformat(), "--as", PEOPLE[0])
        school.desk.publish()
        bookbag(laptop, "sync")
        settled(laptop, lambda laptop: desktop(laptop) == ARRANGED)
        bookbag(laptop, "apply", codes=(0,))
        assert desktop(laptop) == ARRANGED
        modes = laptop.run(["stat", "-c", "%a %U:%G", KEPT, TOLD]).stdout.splitlines()
        assert modes == ["600 root:root", "640 root:bookbag-portal"]
        assert (
            "arranged" in laptop.run(["bookbag", "explain", "accessibility.magnifier"], user="student").stdout
        )
        with wrong_clock(laptop, end - 10):
            settled(laptop, lambda laptop: desktop(laptop) == CLOSED, 60)
            settled(laptop, lambda laptop: not laptop.exists(TOLD))
    finally:
        school.desk.fleet("accommodate", laptop.name, "--end", "--as", PEOPLE[0], codes=(0, 1))
        school.desk.publish()
        bookbag(laptop, "sync")
        sessions.log_out(laptop, "student")
