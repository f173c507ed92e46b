"""`bookbag` as a person or a script meets it: exit codes, help, errors that say what to do, nothing imported
in vain.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.cli import _terminal as terminal
from agent.cli._arguments import duration
from agent.cli.main import verbs
from tests.leaks import REPOSITORY

VERBS = {
    *(
        "apply",
        "completion",
        "doctor",
        "enrol",
        "explain",
        "ledger",
        "pause",
        "plan",
        "portal",
        "run",
        "status",
        "sync",
    ),
    "worker",
}


def bookbag(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agent", *words],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **more},
        stdin=subprocess.DEVNULL,
    )


def test_help_lists_every_verb() -> None:
    assert set(verbs()) >= VERBS
    said = bookbag("--help")
    assert said.returncode == 0
    for verb in VERBS:
        assert f"\n  {verb} " in said.stdout


def test_no_verb_at_all_is_a_wrong_command_line() -> None:
    assert bookbag().returncode == 64


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_has_help(verb: str) -> None:
    said = bookbag(verb, "--help")
    assert said.returncode == 0
    assert said.stdout.startswith(f"usage: bookbag {verb}")
    assert "--root" in said.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["stats"],
        ["status", "--jsn"],
        ["explain"],
        ["pause", "--for", "1x", "--reason", "y"],
        ["pause", "--for", "0m", "--reason", "y"],
        ["pause", "--reason", "y"],
        ["completion", "fish"],
        ["run", "--rot", "x"],
        ["ledger", "--newest", "many"],
    ],
)
def test_a_wrong_command_line_is_64_and_says_why(words: list[str]) -> None:
    done = bookbag(*words)
    assert done.returncode == 64
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_the_nearest_verb_is_named() -> None:
    assert "did you mean 'status'" in bookbag("stauts").stderr


def test_version() -> None:
    import tomllib

    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert bookbag("--version").stdout == f"bookbag {project['version']}\n"


@pytest.mark.parametrize("verb", ["status", "sync", "plan", "apply", "ledger"])
def test_nobody_running_is_one_clear_error(tmp_path: Path, verb: str) -> None:
    done = bookbag(verb, "--root", str(tmp_path))
    assert done.returncode == 1
    assert "cannot reach the supervisor" in done.stderr
    assert "do: start it" in done.stderr
    as_json = bookbag(verb, "--json", "--root", str(tmp_path))
    assert as_json.returncode == 1
    assert json.loads(as_json.stdout)["error"]["code"] == "not-running"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "not-found"),
        (b"\xff", "bad-json"),
        (b"{", "bad-json"),
        (b"{}", "bad-request"),
        (b" " * 50_000, "too-large"),
        (b'{"v":2}', "format-too-new"),
    ],
)
def test_an_enrol_file_that_is_none_changes_nothing(tmp_path: Path, content: bytes | None, code: str) -> None:
    file = tmp_path / "enrol.json"
    if content is not None:
        file.write_bytes(content)
    root = tmp_path / "laptop"
    done = bookbag("enrol", str(file), "--json", "--root", str(root))
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert (said.get("error") or said["errors"][0])["code"] == code
    assert not (root / "etc/bookbag/agent.yaml").exists()
    assert not (root / "var/lib/bookbag/keys/device.json").exists()


def test_doctor_without_a_supervisor_goes_through_every_check(tmp_path: Path) -> None:
    done = bookbag("doctor", "--json", "--root", str(tmp_path))
    assert done.returncode == 4
    found = {one["check"]: one["code"] for one in json.loads(done.stdout)["checks"]}
    assert found["supervisor"] == "not-running"
    assert found["units"] == "ok"
    assert found["lock"] == "ok"


def test_doctor_sees_a_laptop_that_keeps_everybody_out_or_nobody(tmp_path: Path) -> None:
    bookbag("doctor", "--root", str(tmp_path))
    (tmp_path / "etc/security/bookbag-login.conf").unlink()
    facts = tmp_path / ".sandbox/facts.json"
    facts.write_text(json.dumps({**json.loads(facts.read_text()), "lock-grade": 0}))
    said = bookbag("doctor", "--root", str(tmp_path)).stdout
    assert "only system users can log in" in said and "grade 0 of 4; run the installer again" in said


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_is_a_script(shell: str) -> None:
    script = bookbag("completion", shell)
    assert script.returncode == 0
    assert "status) COMPREPLY" in script.stdout
    if shell == "bash":
        check = "source /dev/stdin; COMP_WORDS=(bookbag st); COMP_CWORD=1; _bookbag; echo ${COMPREPLY[@]}"
        done = subprocess.run(
            ["bash", "-c", check], input=script.stdout, capture_output=True, text=True, check=True, timeout=20
        )
        assert done.stdout == "status\n"


def test_stopped_by_the_user_is_130(tmp_path: Path) -> None:
    fifo = tmp_path / "never"
    os.mkfifo(fifo)
    process = subprocess.Popen(
        [sys.executable, "-m", "agent", "enrol", str(fifo), "--root", str(tmp_path)],
        cwd=REPOSITORY,
        stderr=subprocess.PIPE,
    )
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert errors == b""


def test_a_reader_that_goes_away_is_no_accident() -> None:
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m agent completion bash | true; echo ${{PIPESTATUS[0]}}"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout.strip() in ("0", "1")
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no disk that is always full")
def test_output_to_a_full_disk_is_one_clear_error() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "agent", "completion", "bash"],
            cwd=REPOSITORY,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("bookbag: cannot go on: ")
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr


def test_asking_costs_little() -> None:
    """A verb that talks to the supervisor imports neither YAML nor keys nor a database."""
    code = "import sys; import agent.cli.main, agent.cli.status; print(sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    for heavy in ("yaml", "cryptography", "sqlite3", "tuf", "ssl", "agent.policy"):
        assert f"'{heavy}'" not in done.stdout


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("2h", 7200), ("1h30m", 5400)])
def test_durations(text: str, seconds: int) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "never"),
        (0, "0 seconds ago"),
        (1, "1 second ago"),
        (7300, "2 hours ago"),
        (864000, "10 days ago"),
    ],
)
def test_ages(seconds: int | None, said: str) -> None:
    assert terminal.ago(seconds) == said


def test_names_of_others_cannot_move_the_cursor() -> None:
    assert "\x1b" not in terminal.table([("\x1b[2J", "a\rb\n")])
