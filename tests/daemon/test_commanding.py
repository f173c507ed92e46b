"""The part that has orders carried out, with a worker that dies: real processes, nobody helps."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.core.layout import Layout
from agent.daemon.commanding import Commanding
from agent.daemon.jobs import Jobs
from agent.daemon.log import Log
from agent.daemon.loop import Loop
from tests.child_workers import ChildWorkers

PATIENCE = 30.0  #: seconds, far below those between two looks at what holds (`commanding.AGAIN`)
#: Writes down that it runs; dies as often as ``NAME.dies`` has bytes; says its ``NAME.json``.
FAKE = """\
import os, sys
name, folder = sys.argv[2], os.path.dirname(sys.argv[0])
sys.stdin.readline()
with open(f"{folder}/runs", "a") as runs: runs.write(name + "\\n")
left = os.path.getsize(f"{folder}/{name}.dies")
if left:
    os.truncate(f"{folder}/{name}.dies", left - 1)
    os.kill(os.getpid(), 9)
result = open(f"{folder}/{name}.json").read()
print('{"event":"result","result":' + result + '}', flush=True)
print('{"event":"exit","code":0,"cpu_ms":1,"peak_kib":2,"ms":3}', flush=True)
"""


@pytest.fixture
def loop() -> Iterator[Loop]:
    def raised(defect: BaseException) -> None:
        raise defect

    made = Loop(raised)
    made.after(PATIENCE, made.stop)
    yield made
    made.close()


class Orders:
    """A `Commanding` whose workers say what a test wrote for them. Its loop ends with ``until`` runs."""

    def __init__(self, folder: Path, loop: Loop) -> None:
        self.folder = folder
        self.loop = loop
        (folder / "fake.py").write_text(FAKE)
        for name in ("command", "erase"):
            (folder / f"{name}.dies").write_bytes(b"")
            (folder / f"{name}.json").write_text('{"open":0,"erase":false}')
        log = Log(os.open(folder / "log", os.O_WRONLY | os.O_CREAT))
        argv = [sys.executable, "-I", str(folder / "fake.py")]
        self.jobs = Jobs(loop, ChildWorkers(Layout(str(folder)), argv), log)
        self.part = Commanding(loop, self.jobs, log, self._changed)
        self.until = 0

    def runs(self, count: int) -> list[str]:
        """Which workers ran, once ``count`` of them have ended, or nobody had patience any more."""
        self.until = count
        self.part.run()
        self.loop.run()
        self.jobs.stop()
        return (self.folder / "runs").read_text().split()

    def _changed(self) -> None:
        if sum(health.runs for health in self.jobs.health.values()) >= self.until:
            self.loop.stop()


def test_a_worker_that_died_half_way_is_soon_begun_again(tmp_path: Path, loop: Loop) -> None:
    orders = Orders(tmp_path, loop)
    (tmp_path / "command.dies").write_bytes(b"xx")
    assert orders.runs(3) == ["command"] * 3
    assert orders.part.error is None


def test_an_erasure_that_died_half_way_is_soon_gone_on_with(tmp_path: Path, loop: Loop) -> None:
    orders = Orders(tmp_path, loop)
    (tmp_path / "erase.dies").write_bytes(b"x")
    (tmp_path / "command.json").write_text('{"open":1,"erase":true}')
    assert orders.runs(4) == ["command", "erase", "command", "erase"]
