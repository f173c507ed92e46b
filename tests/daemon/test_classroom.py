"""From a teacher's key file to a laptop in the room: the real service, the real command lines, one laptop in
a folder, and nobody of IT in between."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.daemon.schedule import next_sync
from agent.fleet import keyfile
from tests.daemon.laptop import SandboxLaptop, sandbox, until
from tests.daemon.test_end_to_end import fast
from tests.fleet.desk import DAY, SECRET, Desk

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


@pytest.fixture(autouse=True)
def _cheap_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyfile, "LOG2_N", 10)


def school(root: Path) -> Desk:
    """A site whose address is a port that is free just now, with a teacher of 9b."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    desk = Desk(root, int(time.time()))
    people = [word for one in ("ict-1", "head-1", "ict-2") for word in ("--person", one)]
    desk.run("init", str(root), "--site", "north", "--url", f"https://127.0.0.1:{port}/", *people)
    (root / "policies/ict").mkdir(parents=True, exist_ok=True)
    (root / "policies/ict/exam.yaml").write_text(EXAM)
    last = f"{datetime.fromtimestamp(desk.now + 90 * DAY, UTC):%Y-%m-%d}"
    desk.run("teacher", "add", "lee", "--school", "north", "--class", "9b", "--until", last)
    desk.publish("ict-1", "head-1")
    return desk


@contextmanager
def serving(desk: Desk) -> Iterator[str]:
    """The service; its address."""
    process = desk.spawn("serve", "--host", "127.0.0.1", "--quiet")
    try:
        assert process.stdout is not None
        yield str(json.loads(process.stdout.readline())["url"])
    finally:
        process.kill()
        process.communicate()


def teacher(stick: Path, url: str, *words: str) -> dict[str, Any]:
    """The teacher's program: a process that knows no folder."""
    told = [*words, "--as", "lee", "--keys", str(stick), "--to", url, "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "agent.fleet.cli.main", *told],
        env={**os.environ, **SECRET},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def blocked(laptop: SandboxLaptop) -> bool:
    folder = laptop.path("/etc/chromium/policies/managed")
    return folder.is_dir() and any("URLBlocklist" in path.read_text() for path in folder.iterdir())


def at_desk(desk: Desk, *words: str) -> dict[str, Any]:
    desk.now = int(time.time())
    return desk.run(*words).value


def test_a_teacher_has_a_laptop_in_an_exam_and_out_again(tmp_path: Path) -> None:
    desk = school(tmp_path / "it")
    stick = tmp_path / "stick"
    stick.mkdir()
    for name in ("keys/lee.json", "ca.pem"):
        (stick / Path(name).name).write_bytes((desk.root / name).read_bytes())
    with serving(desk) as url, sandbox() as laptop:
        file = at_desk(desk, "device", "ana")["file"]
        laptop.path("/usr/bin").mkdir(parents=True)
        laptop.start()
        enrolled = laptop.cli("enrol", str(file))
        assert enrolled.returncode == 0, enrolled.stderr
        laptop.cli("sync")
        until(lambda: list((desk.root / "returns").glob("enrol-*")))
        at_desk(desk, "assign", "ana", "school=north", "class=9b", "--as", "ict-1")
        desk.publish("ict-1")
        fast(laptop)
        until(lambda: laptop.status()["enrolment"] == "assigned")
        assert not blocked(laptop)

        assert teacher(stick, url, "session", "start", "9b", "exam", "--for", "1h")["published"] == ["ana"]
        until(lambda: blocked(laptop))  # at the next poll, with nobody's help
        until(lambda: teacher(stick, url, "session", "who", "9b")["laptops"][0]["answered"])
        assert teacher(stick, url, "session", "release", "ana")["published"] == ["ana"]
        until(lambda: not blocked(laptop))


def test_no_look_is_later_than_the_poll_says() -> None:
    """What a school's `agent.poll: 1m` comes to: a tenth later at most."""
    assert max(next_sync(60, 0, 0, chance / 100) for chance in range(100)) <= 66
