"""An audit of everything that could not run, or was cut off, is made up for by no cheap look: that knows
nothing of the time, and would find the lesson that is over in good order.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from agent.core.layout import Layout
from agent.daemon.enforcing import Enforcing
from agent.daemon.jobs import Job, Jobs
from agent.daemon.log import Log
from agent.daemon.loop import Loop
from tests.child_workers import ChildWorkers

#: Everything is always well. A run takes a moment, and ends without a word where ``killed`` says so.
WORKER = """\
import json, os, sys, time
request = json.loads(sys.stdin.readline())
with open("ran", "a") as file: file.write("cheap " if request["lean"] else "whole ")
if os.path.exists("killed"):
    os.unlink("killed")
    os._exit(9)
time.sleep(0.3)
result = {"lean": True} if request["lean"] else {"outcomes": {"in-force": 1}}
for event in ({"event": "result", "result": result}, {"event": "exit", "code": 0, "cpu_ms": 1, "ms": 3}):
    os.write(1, json.dumps(event).encode() + b"\\n")
"""


def runs(folder: Path, act: Callable[[Loop, Enforcing], None], wanted: int) -> list[str]:
    """Which audits there were, up to ``wanted``, after a first whole one and ``act``."""
    (folder / "worker.py").write_text(WORKER)
    start = f"import os; os.chdir({str(folder)!r}); exec(open('worker.py').read())"
    defects: list[BaseException] = []
    loop = Loop(defects.append)
    loop.after(60, loop.stop)
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT)
    jobs = Jobs(loop, ChildWorkers(Layout(str(folder)), [sys.executable, "-I", "-c", start]), Log(log))
    enforcing = Enforcing(loop, jobs, None, Log(log), lambda: None)

    def ran() -> list[str]:
        return (folder / "ran").read_text().split() if (folder / "ran").exists() else []

    def begin(_: Job) -> None:
        loop.after(0.0, lambda: act(loop, enforcing))

    def until_ran() -> None:
        if len(ran()) < wanted:
            loop.after(0.02, until_ran)
        else:
            loop.stop()

    enforcing.ask({"op": "audit", "lean": False}, begin)
    until_ran()
    loop.run()
    jobs.stop()
    loop.close()
    os.close(log)
    assert not defects
    return ran()


def touch(enforcing: Enforcing) -> None:
    """As an event does."""
    enforcing._want_audit(0.0)


def test_events_cost_cheap_looks(tmp_path: Path) -> None:
    """The control."""
    assert runs(tmp_path, lambda _, enforcing: touch(enforcing), 2) == ["whole", "cheap"]


def test_a_turn_during_a_cheap_look_is_not_lost(tmp_path: Path) -> None:
    def act(loop: Loop, enforcing: Enforcing) -> None:
        touch(enforcing)
        loop.after(0.1, lambda: enforcing._run("audit"))  # as the timer of a turn does

    assert runs(tmp_path, act, 3) == ["whole", "cheap", "whole"]


def test_a_run_that_was_killed_is_made_up_for(tmp_path: Path) -> None:
    def act(_: Loop, enforcing: Enforcing) -> None:
        (tmp_path / "killed").touch()
        enforcing._run("audit")

    assert runs(tmp_path, act, 3) == ["whole", "whole", "whole"]
