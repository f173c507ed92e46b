"""The leak check catches what it is for."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from tests import leaks


def test_a_thread_is_named_until_it_ends() -> None:
    before, end = leaks.snapshot(), threading.Event()
    thread = threading.Thread(target=end.wait, name="straggler", daemon=True)
    thread.start()
    assert leaks.settle(before, within=0.02) == ["thread straggler"]
    threading.Timer(0.1, end.set).start()
    assert leaks.settle(before) == [], "it is given time to end"


def test_a_child_is_named_while_it_runs_and_until_it_is_waited_for() -> None:
    before = leaks.snapshot()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        running = leaks.settle(before, within=0.02)
        assert len(running) == 1
        assert str(child.pid) in running[0]
        assert "input()" in running[0]
        assert child.stdin is not None
        child.stdin.close()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert "never waited for" in leaks.settle(before, within=0.02)[0]
    assert leaks.settle(before) == []


def test_files_of_the_repository_are_listed_without_what_tools_make() -> None:
    there = leaks.files()
    assert {"pyproject.toml", "tests/leaks.py", "tests/architecture"} <= there
    assert not [name for name in there if leaks.MADE.intersection(Path(name).parts)]
