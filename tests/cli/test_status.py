"""What `bookbag status` tells people first: that a laptop is locked, that it will be erased, what the school
says."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from agent.cli import _orders
from agent.cli.status import text
from agent.core.layout import Layout

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
            "locked     3 hours ago: nobody gets in; it outlasts a restart (grade 1)",
        ),
        (
            {"locked": True, "since": NOW - HOUR, "grade": 2, "lost": True},
            "locked     1 hour ago, as lost: nobody gets in; no other system can be started either (grade 2)",
        ),
        (
            {"locked": True, "since": NOW, "grade": 0, "phase": "closing"},
            "locked     0 seconds ago: it is being locked; it closes the screen only (grade 0)",
        ),
        ({"locked": True, "since": NOW, "grade": 77}, "locked     0 seconds ago: nobody gets in"),
        # the state of the lock cannot be read any more: nothing opens by itself
        ({"locked": True, "since": 0}, "locked     nobody gets in"),
        ({"locked": True}, "           to open it with a code that the school gives: bookbag unlock"),
        ({"erase_at": NOW + 4 * HOUR}, "erasing    in 4 hours, unless the school calls it off"),
        ({"erase_at": NOW - 1}, "erasing    as soon as newer word comes, unless the school calls it off"),
    ],
)
def test_a_lock_and_an_erasure_are_told(commands: dict[str, object], line: str) -> None:
    assert line in text(status(**commands)).splitlines()


def test_an_open_laptop_says_nothing_of_it() -> None:
    said = text(status(locked=False, since=0, erase_at=0, grade=1))
    assert "locked" not in said and "erasing" not in said


def message(number: int, text: object, **more: object) -> dict[str, object]:
    """As it lies in messages.json."""
    at = NOW - number * HOUR
    return {"id": f"{number:032x}", "text": text, "from": ["ada"], "at": at, "until": NOW + HOUR, **more}


def told(folder: Path, **files: object) -> list[str]:
    """The lines of the status of a locked laptop where root wrote these notices."""
    layout = Layout(str(folder))
    os.makedirs(layout.public, exist_ok=True)
    for name, value in files.items():
        Path(layout.public, f"{name}.json").write_text(value if isinstance(value, str) else json.dumps(value))
    return text(status(locked=True, since=NOW), _orders.read(layout)).splitlines()


def test_what_the_school_says_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "ar_JO.UTF-8")
    rows = [message(2, {"en": "Library closes at three"}), message(26, {"en": "Old", "ar": "قديم"})]
    rows += [message(3, {"en": "Over"}, until=NOW), message(4, {"fr": "Bonjour"}, **{"from": []})]
    lock = {"v": 1, "locked": True, "message": {"en": "Please\nbring it back"}, "contact": "office, 12 34"}
    lines = told(tmp_path, messages={"v": 1, "messages": rows}, lock=lock)
    at = lines.index("messages   ada, 2 hours ago: Library closes at three")
    assert lines[at + 1 : at + 3] == [
        "           ada, 1 day ago: قديم",
        "           the school, 4 hours ago: Bonjour",
    ]
    assert "           the school says: Please bring it back" in lines
    assert "           whom to ask: office, 12 34" in lines


def test_many_and_long_messages_do_not_bury_the_rest(tmp_path: Path) -> None:
    rows = [message(number, {"en": "x" * 2000}) for number in range(1, 21)]
    lines = told(tmp_path, messages={"v": 1, "messages": rows})
    shown = [line for line in lines if "xxx" in line]
    assert len(shown) == 3 and max(map(len, shown)) < 350 and shown[0].endswith("…")
    assert "           and 17 older: bookbag portal" in lines


@pytest.mark.parametrize(
    "messages",
    [
        "",
        "{",
        "[" * 90_000,
        '{"v": 2, "messages": [{}]}',
        '{"v": 1, "messages": {}}',
        '{"v": 1, "messages": [1, null, "x"]}',
        " " * (5 << 20),
    ],
)
def test_a_notice_that_cannot_be_read_says_nothing(tmp_path: Path, messages: str) -> None:
    assert not [line for line in told(tmp_path, messages=messages, lock=messages) if "messages" in line]


def test_what_others_wrote_steers_no_terminal(tmp_path: Path) -> None:
    evil = "\x1b[2J\u202e\a"
    rows = [message(1, {"en": f"a{evil}b"}, **{"from": [evil]}), message(1, evil), message(1, {"en": 5})]
    lock = {"v": 1, "locked": True, "message": {"en": evil}, "contact": evil}
    said = "\n".join(told(tmp_path, messages={"v": 1, "messages": rows}, lock=lock))
    assert "a" in said and not any(char in said for char in evil if not char.isprintable())


def test_a_pipe_in_the_place_of_a_notice_is_not_waited_for(tmp_path: Path) -> None:
    public = Path(Layout(str(tmp_path)).public)
    public.mkdir(parents=True)
    os.mkfifo(public / "messages.json")
    assert told(tmp_path)


def test_a_laptop_that_is_enrolling_says_where_before_what_is_still_to_come() -> None:
    said = text({"enrolment": "asked", "site": "north"})
    assert said.splitlines()[0] == "laptop     enrolling with north: the request waits to be delivered"
    assert text({"enrolment": "assigned", "site": "north"}).startswith("laptop     enrolled with north\n")


def test_what_was_put_back_is_told_with_how_often_and_when_last() -> None:
    told: dict[str, object] = {
        **status(),
        "healed": [
            {"resource": "dconf:x", "setting": "screen-lock.after", "times": 3, "last": NOW - 2 * HOUR},
            {"resource": "file:/etc/motd", "setting": "", "times": 1, "last": NOW + 5},
            "nonsense",
        ],
    }
    lines = text(told).splitlines()
    at = lines.index("put back:")
    assert lines[at + 1 :] == [
        "  screen-lock.after  3 times, last 2 hours ago",
        "  file:/etc/motd     once, last 0 seconds ago",
    ]
    assert "put back" not in text(status())


def test_each_setting_is_told_with_its_reasons() -> None:
    who = {"policy": "district", "rank": "district", "reason": "lower speaks for rank school"}
    row = {"key": "screen-lock.after", "outcome": "not-supported", "message": "the machine has no dconf"}
    more = {"overrode": [who], "overdue": [{"policy": "lower", "review_by": "2026-08-01"}]}
    healed = {"key": "file:/etc/motd", "outcome": "in-force", "healed": {"times": 2, "last": NOW - HOUR}}
    told = {"settings": [{**row, **more}], "resources": [healed, {"key": "x", "observe": True}]}
    lines = text({**status(), "settings": told}).splitlines()
    at = lines.index("settings:")
    assert [" ".join(line.split()) for line in lines[at + 1 :]] == [
        "screen-lock.after not-supported the machine has no dconf; "
        "in place of policy district (district): lower speaks for rank school; "
        "the review of policy lower was due by 2026-08-01",
        "file:/etc/motd in-force put back 2 times, last 1 hour ago",
        "x not known yet (observed)",
    ]
