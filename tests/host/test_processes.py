"""Running a program: what it gets, what we take from it, and that it never outlives its time."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from agent.host.processes import run
from tests.contract.subject import refused


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-c", code)


def test_output_errors_and_status_come_back() -> None:
    ended = run(
        python("import sys; print('out'); print('a\\nlast', file=sys.stderr); sys.exit(3)"), timeout=20
    )
    assert (ended.status, ended.text, ended.complaint) == (3, "out\n", "last")
    assert run(("/bin/sh", "-c", "kill -9 $$"), timeout=20).status == -9


def test_input_is_fed_and_a_program_may_ignore_it() -> None:
    big = os.urandom(1 << 20)
    assert run(("/bin/cat",), timeout=20, input=big).output == big
    assert run(("/bin/true",), timeout=20, input=big).status == 0


def test_nothing_of_our_environment_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOKBAG_PASSPHRASE", "secret")
    said = run(("/usr/bin/env",), timeout=20, environment={"EXTRA": "x"}).text
    assert {line.partition("=")[0] for line in said.splitlines()} == {"PATH", "LANG", "EXTRA"}
    assert (
        run(python("import os; print(os.getcwd(), len(os.listdir('/proc/self/fd')))"), timeout=20).text
        == "/ 4\n"
    )


def test_arguments_are_not_interpreted(tmp_path: Path) -> None:
    word = f"$(touch {tmp_path}/made); * ' \""
    assert run(("/bin/echo", word), timeout=20).text == word + "\n"
    assert not (tmp_path / "made").exists()


def test_a_program_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    began = time.monotonic()
    script = f"sleep 1000 & echo $! > {mark}; sleep 1000"
    refused("worker-timeout", lambda: run(("/bin/sh", "-c", script), timeout=1.0))
    assert time.monotonic() - began < 10
    pid = int(mark.read_text())
    end = time.monotonic() + 5
    while time.monotonic() < end and os.path.exists(f"/proc/{pid}"):
        if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            break
        time.sleep(0.01)
    else:
        assert not os.path.exists(f"/proc/{pid}")


def test_a_program_that_closes_its_output_and_hangs_is_ended() -> None:
    refused("worker-timeout", lambda: run(("/bin/sh", "-c", "exec >&- 2>&- <&-; sleep 1000"), timeout=1.0))


def test_a_program_that_says_too_much_is_ended() -> None:
    refused("too-large", lambda: run(("/usr/bin/yes",), timeout=20, max_output=100_000))
    assert len(run(python("print('x' * 99_999)"), timeout=20, max_output=100_000).output) == 100_000


def test_what_is_not_installed_or_nobody_is_named() -> None:
    assert "/nowhere" in str(refused("not-found", lambda: run(("/nowhere/x",), timeout=1)))
    refused("not-found", lambda: run(("/bin/true",), timeout=1, user="no-such-person"))


def test_a_program_that_may_not_run(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("#!/bin/sh\n")
    refused("not-allowed", lambda: run((str(tmp_path / "x"),), timeout=1))


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming somebody else needs root")
def test_running_as_a_person_leaves_root_behind() -> None:
    script = "grep -E '^(Uid|Gid|Groups|CapEff):' /proc/self/status; echo $HOME $USER $XDG_RUNTIME_DIR"
    assert run(("/bin/sh", "-c", script), timeout=20, user="nobody").text.split() == [
        *("Uid:", *["65534"] * 4),
        *("Gid:", *["65534"] * 4),
        *("Groups:", "65534"),
        *("CapEff:", "0" * 16),
        "/nonexistent",
        "nobody",
        "/run/user/65534",  # though nobody is never logged in: what programs keep is not for the home
    ]
    assert "Permission denied" in run(("/bin/cat", "/etc/shadow"), timeout=20, user="nobody").complaint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may become anybody")
def test_a_user_cannot_become_another() -> None:
    refused("not-allowed", lambda: run(("/bin/true",), timeout=1, user="nobody"))
