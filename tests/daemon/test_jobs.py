"""Workers that misbehave, as real processes: only they are stopped, backed off and named; the
others go on.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.daemon.control import MAX_REPLY
from agent.daemon.jobs import LONGEST_TEXT, MAX_WAITING, Job, Jobs
from agent.daemon.log import Log
from agent.daemon.loop import Loop
from tests.child_workers import ChildWorkers

LIMITS = {"good": ("one", 20.0), "bad": ("two", 1.0)}
FAKE = """\
import json, os, sys, time
name = sys.argv[2]
request = json.loads(sys.stdin.readline())
def say(**event): os.write(1, json.dumps(event).encode() + b"\\n")
def end(code=0): say(event="exit", code=code, cpu_ms=1, peak_kib=2, ms=3); sys.exit(code)
how = request["how"]
if how == "well": say(event="result", result={"name": name}); end()
if how == "honest error": say(event="error", error={"code": "network", "message": "cannot reach"}); end(1)
if how == "dies": os._exit(0)
if how == "is killed": os.kill(os.getpid(), 9)
if how == "hangs": time.sleep(60)
if how == "forks":
    if os.fork() == 0: time.sleep(60)
    end()
if how == "forks and hangs":
    os.fork(); time.sleep(60)
if how == "floods":
    while True: os.write(1, b'{"event":"log"}\\n' * 4000)
if how == "one long line":
    while True: os.write(1, b"x" * 65536)
if how == "nonsense": os.write(1, b"hello\\n"); time.sleep(60)
if how == "not an object": os.write(1, b"[1]\\n"); time.sleep(60)
if how == "binary": os.write(1, os.urandom(1000) + b"\\n"); time.sleep(60)
if how == "deep": os.write(1, b"[" * 5000 + b"\\n"); time.sleep(60)
if how == "defect": say(event="error", error={"code": "internal", "message": "cannot"}); end(1)
if how == "shouts":
    parts = {"code": "network", "message": "m" * 80000, "place": "p" * 80000, "remedy": "r" * 80000}
    say(event="error", error=parts); end(1)
if how == "unknown fields": say(event="dance", x=1); say(event="result", result={}, y=2); end()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "fake.py").write_text(FAKE)
    return tmp_path


@pytest.fixture
def loop() -> Iterator[Loop]:
    def raised(defect: BaseException) -> None:
        raise defect

    made = Loop(raised)
    made.after(30, made.stop)
    yield made
    made.close()


@pytest.fixture
def jobs(loop: Loop, folder: Path) -> Iterator[Jobs]:
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT)
    workers = ChildWorkers(Layout(str(folder)), [sys.executable, "-I", str(folder / "fake.py")])
    made = Jobs(loop, workers, Log(log), LIMITS)
    yield made
    made.stop()
    os.close(log)


Do = Callable[..., Job]


@pytest.fixture
def do(loop: Loop, jobs: Jobs) -> Do:
    """Run one job to its end."""

    def run(how: str, name: str = "bad") -> Job:
        jobs.submit(Job(name, {"how": how}, lambda _: loop.stop(), lambda _: None))
        job = jobs._running[LIMITS[name][0]]
        loop.run()
        return job

    return run


def test_a_good_run(do: Do, jobs: Jobs) -> None:
    job = do("well")
    assert (job.code, job.result, job.error) == (0, {"name": "bad"}, None)
    assert jobs.health["bad"].to_dict() == {
        "runs": 1,
        "failures": 0,
        "cost": {"cpu_ms": 1, "peak_kib": 2, "ms": 3},
    }


def test_what_a_newer_worker_adds_is_passed_over(do: Do, jobs: Jobs) -> None:
    assert do("unknown fields").code == 0
    assert jobs.wait("bad") == 0


def test_an_honest_error_is_no_misbehaviour(do: Do, jobs: Jobs) -> None:
    job = do("honest error")
    assert job.code == 1
    assert job.error is not None
    assert job.error["code"] == "network"
    assert jobs.wait("bad") == 0


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("dies", "worker-died"),
        ("is killed", "worker-died"),
        ("hangs", "worker-timeout"),
        ("forks and hangs", "worker-timeout"),
        ("floods", "too-large"),
        ("one long line", "too-large"),
        ("nonsense", "worker-died"),
        ("not an object", "worker-died"),
        ("binary", "worker-died"),
        ("deep", "worker-died"),
        ("defect", "internal"),
    ],
)
def test_misbehaviour_is_ended_named_and_backed_off(do: Do, jobs: Jobs, how: str, code: str) -> None:
    job = do(how)
    assert job.code == 1
    assert job.error is not None
    assert job.error["code"] == code
    assert jobs.wait("bad") > 0
    assert jobs.health["bad"].failures == 1
    assert jobs.wait("good") == 0
    assert do("well", "good").code == 0


def test_of_an_endless_error_enough_is_kept_to_understand_it(do: Do, jobs: Jobs) -> None:
    """It is part of every status, twice; a reply that is too long is given to nobody."""
    error = do("shouts").error
    assert error is not None
    assert {len(error[name]) for name in ("message", "place", "remedy")} == {LONGEST_TEXT}
    assert jobs.health["bad"].to_dict()["error"] == error
    assert 4 * 2 * len(jobs.health) * 3 * LONGEST_TEXT < MAX_REPLY, "four bytes a character, every worker"


def test_a_child_left_behind_keeps_nobody_waiting(do: Do) -> None:
    """The worker said its last word; the process it left holds the socket open and goes with the session."""
    before = time.monotonic()
    assert do("forks").code == 0
    assert time.monotonic() - before < 10


def test_another_lane_goes_on_while_one_hangs(loop: Loop, jobs: Jobs) -> None:
    ended: list[str] = []

    def note(job: Job) -> None:
        ended.append(f"{job.name} {job.code}")
        if len(ended) == 4:
            loop.stop()

    jobs.submit(Job("bad", {"how": "hangs"}, note))
    for _ in range(3):
        jobs.submit(Job("good", {"how": "well"}, note))
    loop.run()
    assert ended == ["good 0", "good 0", "good 0", "bad 1"]


def test_a_quarantine_is_named_in_the_receipt_and_one_good_run_ends_it(do: Do, jobs: Jobs) -> None:
    for _ in range(5):
        do("dies")
    assert "quarantined" in jobs.health["bad"].to_dict()
    assert "quarantined" not in jobs.health["good"].to_dict()
    do("well")  # somebody asked for it all the same
    assert jobs.wait("bad") == 0
    assert "quarantined" not in jobs.health["bad"].to_dict()


def test_a_program_that_is_not_there(loop: Loop, folder: Path) -> None:
    jobs = Jobs(loop, ChildWorkers(Layout(str(folder)), [str(folder / "nothing")]), Log(), LIMITS)
    ended: list[Job] = []
    jobs.submit(Job("bad", {}, ended.append))
    assert ended[0].error is not None
    assert ended[0].error["code"] == "worker-died"
    assert jobs.wait("bad") > 0
    jobs.stop()


def test_a_lane_has_room_for_so_many(jobs: Jobs) -> None:
    for _ in range(MAX_WAITING + 1):
        jobs.submit(Job("bad", {"how": "hangs"}, lambda _: None))
    with pytest.raises(BookbagError) as refused:
        jobs.submit(Job("bad", {"how": "hangs"}, lambda _: None))
    assert refused.value.code == "too-many"
