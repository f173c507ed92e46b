"""A program beside us ends with everything that it began."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.host.background import Background

BEGINS = """
import subprocess, time
print(subprocess.Popen(["sleep", "600"]).pid, flush=True)
time.sleep(600)
"""


def lives(pid: int) -> bool:
    """Whether it runs: who ended and was not asked for its code yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def within(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 30
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


@pytest.mark.parametrize("how", [Background.stop, Background.crash])
def test_what_it_began_ends_with_it(tmp_path: Path, how: Callable[[Background], None]) -> None:
    log = tmp_path / "log"
    with Background([sys.executable, "-c", BEGINS], str(log)) as program:
        assert within(lambda: log.read_text().endswith("\n"))
        child = int(log.read_text())
        assert program.running and lives(child), "the control"
        how(program)
        assert within(lambda: not lives(child))


def test_who_does_not_end_when_asked_is_made_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.host.background.STOP_SECONDS", 0.1)
    deaf = f"import signal, time; signal.signal({int(signal.SIGTERM)}, signal.SIG_IGN); print(1, flush=True)"
    log = tmp_path / "log"
    with Background([sys.executable, "-c", f"{deaf}; time.sleep(600)"], str(log)) as program:
        assert within(lambda: log.read_text() == "1\n")
        pid = program.pid
        program.stop()
        program.stop()
        assert not lives(pid)


def test_who_is_interrupted_while_it_starts_still_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = subprocess.Popen

    def interrupted(*words: Any, **more: Any) -> subprocess.Popen[bytes]:
        started = real(*words, **more)
        signal.raise_signal(signal.SIGINT)  # the process is born, and nobody has its id yet
        return started

    program = Background([sys.executable, "-c", BEGINS], str(tmp_path / "log"))
    monkeypatch.setattr(subprocess, "Popen", interrupted)
    with pytest.raises(KeyboardInterrupt):
        program.start()
    assert program.running
    program.stop()
    assert not lives(program.pid)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
