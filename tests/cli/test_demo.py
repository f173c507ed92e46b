"""The demonstration holds, and notices every sabotage at the step that it was told to break."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.cli.demo.steps import STEPS


def play(*words: str) -> tuple[int, dict[str, object]]:
    """Run `bookbag demo --json`; its exit code and what it says."""
    program = "import sys; from agent.cli.main import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", program, "demo", "--json", *words],
        capture_output=True,
        timeout=600,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert not done.stderr, done.stderr.decode()
    said: dict[str, object] = json.loads(done.stdout)
    assert said["exit"] == done.returncode
    return done.returncode, said


def test_every_step_holds_and_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    code, said = play()
    assert code == 0, said
    assert said["held"] == said["of"] == len(STEPS)
    assert list(tmp_path.iterdir()) == []


#: The others are played in `make soak`: each plays all that comes before it.
ALWAYS = (1,)


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(number, marks=() if number in ALWAYS else pytest.mark.soak)
        for number in range(1, len(STEPS) + 1)
    ],
)
def test_sabotage_shows_at_its_step(number: int) -> None:
    code, said = play("--small", "--sabotage", str(number))
    steps = said["steps"]
    assert isinstance(steps, list)
    assert [step["ok"] for step in steps] == [True] * (number - 1) + [False], steps[-1]
    assert steps[-1]["claims"][-1]["ok"] is False
    assert code == 4


def test_ended_from_outside_it_leaves_nothing_running(tmp_path: Path) -> None:
    program = "import sys; from agent.cli.main import main; sys.exit(main())"
    demo = subprocess.Popen(
        [sys.executable, "-c", program, "demo", "--small"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with demo:
        assert demo.stdout is not None
        demo.stdout.readline()  # the folder is there
        end = time.monotonic() + 60
        while not running(tmp_path) and time.monotonic() < end:
            time.sleep(0.05)
        assert running(tmp_path), "laptops run"
        demo.terminate()
        assert demo.wait(timeout=60) == 130
    assert running(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def running(folder: Path) -> list[str]:
    """Command lines of the agents whose laptop lies below ``folder``."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().decode(errors="replace").split("\0")
            if "run" in words and any(word.startswith(str(folder)) for word in words):
                found.append(" ".join(words))
    return found


def test_a_step_that_does_not_exist_is_a_wrong_command_line() -> None:
    program = "import sys; from agent.cli.main import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", program, "demo", "--sabotage", "99"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 64
    assert b"--sabotage" in done.stderr
