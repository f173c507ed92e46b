"""`bookbag sync` beside the poll: nothing is new to it, as the poll just fetched all; it waits for that."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from agent.core.layout import Layout
from agent.daemon.enforcing import Enforcing
from agent.daemon.jobs import Jobs
from agent.daemon.log import Log
from agent.daemon.loop import Loop
from agent.daemon.syncing import Syncing
from tests.child_workers import ChildWorkers

#: The first round brings news, later ones do not; a refresh takes a moment and leaves its mark.
WORKER = """\
import json, os, sys, time
name, request = sys.argv[2], json.loads(sys.stdin.readline())
def say(**event): os.write(1, json.dumps(event).encode() + b"\\n")
if name == "sync":
    news = not os.path.exists("fetched")
    open("fetched", "w").close()
    say(event="result", result={"news": news, "source": "here"})
elif request["op"] == "refresh":
    time.sleep(0.7)
    open("in-force", "w").close()
    say(event="result", result={"outcomes": {"in-force": 1}})
else:
    say(event="result", result={"outcomes": {}})
say(event="exit", code=0, cpu_ms=1, peak_kib=2, ms=3)
"""


class Caller:
    """Whoever waits at the control socket: notes whether the news was in force when told that all is done."""

    def __init__(self, loop: Loop, mark: Path) -> None:
        self._loop, self._mark = loop, mark
        self.in_force: bool | None = None

    def event(self, event: dict[str, object]) -> None:
        """Progress: not of interest."""

    def end(self, code: int) -> None:
        """The last word."""
        self.in_force = code == 0 and self._mark.exists()
        self._loop.stop()


def test_a_sync_that_finds_nothing_new_waits_for_the_refresh_under_way(tmp_path: Path) -> None:
    (tmp_path / "worker.py").write_text(WORKER)
    marks = f"import os; os.chdir({str(tmp_path)!r}); exec(open('worker.py').read())"
    defects: list[BaseException] = []
    loop = Loop(defects.append)
    loop.after(30, loop.stop)
    log = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    workers = ChildWorkers(Layout(str(tmp_path)), [sys.executable, "-I", "-c", marks])
    jobs = Jobs(loop, workers, Log(log))
    enforcing = Enforcing(loop, jobs, None, Log(log), lambda: None)
    syncing = Syncing(loop, jobs, enforcing, Log(log), lambda: None)
    syncing.config = {"site": "north"}
    caller = Caller(loop, tmp_path / "in-force")

    def asks_once_the_poll_has_fetched() -> None:
        if (tmp_path / "fetched").exists() and jobs.health["sync"].runs:
            syncing.now(None, caller)  # type: ignore[arg-type]  # speaks like a Call
        else:
            loop.after(0.02, asks_once_the_poll_has_fetched)

    syncing.now(None, None)
    asks_once_the_poll_has_fetched()
    began = time.monotonic()
    loop.run()
    jobs.stop()
    loop.close()
    os.close(log)
    assert not defects
    assert caller.in_force is True, (tmp_path / "log").read_text()
    assert time.monotonic() - began < 20
