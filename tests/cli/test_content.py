"""`bookbag content`: what students read about their lessons, what scripts read, and what the worst word of a
content worker does to it.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.cli.main import main
from agent.core.layout import Layout

MIB = 1 << 20
ROWS = [
    {"key": "ict.rivers", "title": "Rivers", "stored": 3 * MIB, "state": "ready"},
    {"key": "ict.film", "title": "الأرنب", "stored": 81 * MIB, "state": "fetching", "percent": 42},
    {
        "key": "ict.atlas",
        "title": "Atlas",
        "stored": 900,
        "state": "over-quota",
        "message": "not enough disk",
    },
]
TOLD: dict[str, Any] = {"known": True, "items": ROWS, "used": 3 * MIB, "room": 64 * MIB, "others": 2}
Says = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def says(tmp_path: Path) -> Iterator[Says]:
    """A supervisor's socket that answers one call with these events; what it was asked is returned."""
    path = Path(Layout(str(tmp_path)).control_socket)
    path.parent.mkdir(parents=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    threads: list[threading.Thread] = []

    def serve(*events: dict[str, Any]) -> list[dict[str, Any]]:
        asked: list[dict[str, Any]] = []

        def answer() -> None:
            connection, _ = listener.accept()
            with connection, connection.makefile("rwb") as stream:
                asked.append(json.loads(stream.readline()))
                stream.write(b"".join(json.dumps(event).encode() + b"\n" for event in events))

        threads.append(threading.Thread(target=answer))
        threads[-1].start()
        return asked

    yield serve
    for thread in threads:
        thread.join(10)
    listener.close()


def result(value: dict[str, Any], code: int = 0) -> tuple[dict[str, Any], ...]:
    return {"event": "result", "result": value}, {"event": "exit", "code": code}


def content(root: Path, *words: str) -> int:
    return main(["content", *words, "--root", str(root)])


def test_what_is_here_and_what_is_not_and_why(
    says: Says, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    says(*result(TOLD))
    assert content(tmp_path) == 4
    assert capsys.readouterr().out.splitlines() == [
        "ict.rivers  Rivers  3.0 MiB    here",
        "ict.film    الأرنب  81.0 MiB   on its way (42 %)",
        "ict.atlas   Atlas   900 bytes  no room: not enough disk",
        "3.0 MiB of 64.0 MiB are used.",
        "2 more are offered to other laptops of the site.",
    ]


def test_as_json_it_is_what_was_told(says: Says, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    says(*result(TOLD))
    assert content(tmp_path, "--json") == 4
    assert json.loads(capsys.readouterr().out) == TOLD


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ((), 0),
        (("ready", "ready"), 0),
        (("ready", "waiting"), 2),
        (("updating",), 2),
        (("waiting", "refused"), 4),
        (("mending",), 4),
        (("of a newer version",), 2),
    ],
)
def test_scripts_see_by_the_exit_code_whether_all_of_it_is_here(
    states: tuple[str, ...], code: int, says: Says, tmp_path: Path
) -> None:
    rows = [{"key": f"ict.item-{at}", "state": state} for at, state in enumerate(states)]
    says(*result({"known": True, "items": rows}))
    assert content(tmp_path) == code


def test_an_item_is_asked_for(says: Says, tmp_path: Path) -> None:
    asked = says(*result(TOLD))
    content(tmp_path, "--want", "ict.atlas")
    assert asked[0]["args"] == {"want": "ict.atlas"}


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_an_item_that_is_not_meant_for_this_laptop(
    form: tuple[str, ...], says: Says, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = {"code": "not-found", "message": "cannot fetch ict.x: it is not among this laptop's content"}
    says({"event": "error", "error": error}, {"event": "exit", "code": 1})
    assert content(tmp_path, "--want", "ict.x", *form) == 1
    said = capsys.readouterr()
    assert "not among this laptop's content" in (said.out if form else said.err)


def test_before_anything_was_offered(says: Says, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    says(*result({"missing": 0}))
    assert content(tmp_path) == 0
    assert "Nothing is known yet" in capsys.readouterr().out


def test_without_a_supervisor_it_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert content(tmp_path) == 1
    assert "bookbag run" in capsys.readouterr().err


@pytest.mark.parametrize(
    "row",
    [
        {"key": "\x1b[2J\x1b]0;gone\x07", "title": "a\nb\u2028c\u202ed", "state": "ready"},
        {"key": [1], "title": {"en": 1}, "state": ["ready"], "stored": "much", "message": {}},
        {"key": "k" * 100_000, "state": None, "percent": "most"},
        {"stored": 10**400, "state": "fetching", "percent": 10**400},
        {"stored": -1, "state": True},
        {},
    ],
    ids=["control characters", "other types", "long", "huge numbers", "negative", "empty"],
)
def test_the_worst_word_of_a_worker_is_one_line_and_harms_no_terminal(
    row: dict[str, Any], says: Says, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    value = {"known": True, "items": [row, "none", ROWS[0]], "used": 10**400, "room": [], "others": 10**400}
    says(*result(value))
    assert content(tmp_path) in (0, 2)
    first, *rest = capsys.readouterr().out.split("\n")
    assert first.isprintable()
    assert rest[0].startswith("ict.rivers") and rest[1:] == [""]


@pytest.mark.parametrize("items", [None, {}, "ready", 7, [[]]])
def test_what_is_no_list_of_items_is_none(items: object, says: Says, tmp_path: Path) -> None:
    says(*result({"known": True, "items": items}))
    assert content(tmp_path) == 0


def test_a_hundred_thousand_items_are_shown(
    says: Says, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"key": f"i.{at}", "state": "ready"} for at in range(100_000)]
    says(*result({"known": True, "items": rows}))
    assert content(tmp_path) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(rows)
