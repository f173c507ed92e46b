"""What `bookbag status` tells people first: that a laptop is locked, that it will be erased."""

from __future__ import annotations

import pytest

from agent.cli.status import text

HOUR = 3600
NOW = 1_795_000_000


def status(**commands: object) -> dict[str, object]:
    """As the supervisor would describe a laptop that is fine otherwise."""
    return {"enrolment": "assigned", "clock": {"at": NOW, "quality": "good"}, "commands": commands}


@pytest.mark.parametrize(
    ("commands", "line"),
    [
        (
            {"locked": True, "since": NOW - 3 * HOUR, "grade": 1},
            "locked     3 hours ago: nobody gets in (grade 1); see: bookbag unlock",
        ),
        (
            {"locked": True, "since": NOW - HOUR, "grade": 2, "lost": True},
            "locked     1 hour ago, as lost: nobody gets in (grade 2); see: bookbag unlock",
        ),
        # the state of the lock cannot be read any more: nothing opens by itself
        ({"locked": True, "since": 0}, "locked     nobody gets in; see: bookbag unlock"),
        ({"erase_at": NOW + 4 * HOUR}, "erasing    in 4 hours, unless the school calls it off"),
        ({"erase_at": NOW - 1}, "erasing    as soon as newer word comes, unless the school calls it off"),
    ],
)
def test_a_lock_and_an_erasure_are_told(commands: dict[str, object], line: str) -> None:
    assert line in text(status(**commands)).splitlines()


def test_an_open_laptop_says_nothing_of_it() -> None:
    said = text(status(locked=False, since=0, erase_at=0, grade=1))
    assert "locked" not in said and "erasing" not in said
