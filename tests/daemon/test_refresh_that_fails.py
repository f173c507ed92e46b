"""A refresh that meets a full disk is not begun again at once: it would fail again, and nothing else would
run.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from agent.core.layout import Layout
from agent.daemon.enforcing import Enforcing
from agent.daemon.jobs import Job, Jobs
from agent.daemon.log import Log
from agent.daemon.loop import Loop
from tests.child_workers import ChildWorkers

#: The mirror holds what no refresh could take in; each run leaves a line with its operation.
WORKER = """\
import json, os, sys
request = json.loads(sys.stdin.readline())
def say(**event): os.write(1, json.dumps(event).encode() + b"\\n")
with open("ran", "a") as file: file.write(request["op"] + "\\n")
if request["op"] == "refresh" and os.path.exists("full"):
    say(event="error", error={"code": "disk-full", "message": "cannot write", "place": "here"})
    say(event="result", result={"outcomes": {"in-force": 1}, "stale": True})
else:
    say(event="result", result={"outcomes": {"in-force": 1}, "stale": os.path.exists("full")})
say(event="exit", code=0, cpu_ms=1, peak_kib=2, ms=3)
"""


@pytest.mark.soak
def test_it_waits_for_the_next_sweep_or_sync_and_audits_go_on(tmp_path: Path) -> None:
    (tmp_path / "worker.py").write_text(WORKER)
    (tmp_path / "full").touch()
    start = f"import os; os.chdir({str(tmp_path)!r}); exec(open('worker.py').read())"
    defects: list[BaseException] = []
    loop = Loop(defects.append)
    loop.after(30, loop.stop)
    log = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    workers = ChildWorkers(Layout(str(tmp_path)), [sys.executable, "-I", "-c", start])
    jobs = Jobs(loop, workers, Log(log))
    enforcing = Enforcing(loop, jobs, None, Log(log), lambda: None)

    def ran() -> list[str]:
        return (tmp_path / "ran").read_text().split()

    def disk_has_room() -> None:
        failing.extend(ran())
        (tmp_path / "full").unlink()
        enforcing._sweep()
        until_taken()

    def until_taken() -> None:
        if enforcing.wants_refresh:
            loop.after(0.05, until_taken)
        else:
            loop.stop()

    def then(job: Job) -> None:
        loop.after(0.5, disk_has_room)

    failing: list[str] = []
    enforcing.refresh()
    enforcing.ask({"op": "audit"}, lambda _: None)
    enforcing.ask({"op": "audit"}, then)
    loop.run()
    jobs.stop()
    loop.close()
    os.close(log)
    assert not defects
    assert failing == ["refresh", "audit", "audit"]
    assert ran() == [*failing, "refresh"]
    assert not enforcing.wants_refresh
