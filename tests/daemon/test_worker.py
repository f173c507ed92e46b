"""A worker as a process: whatever comes in, JSON lines come out, and the last one says how it went and what
it cost.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from agent.daemon.worker import GLANCE
from tests.daemon.laptop import SandboxLaptop
from tests.leaks import REPOSITORY


def work(laptop: SandboxLaptop, name: str, request: bytes) -> tuple[int, list[dict[str, object]]]:
    """(exit status, events) of one run."""
    done = subprocess.run(
        [sys.executable, "-m", "agent", "worker", name, "--root", str(laptop.folder)],
        cwd=REPOSITORY,
        input=request,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def code(events: list[dict[str, object]]) -> object:
    (error,) = [event["error"] for event in events if event["event"] == "error"]
    assert isinstance(error, dict)
    return error["code"]


@pytest.mark.parametrize(
    "request_line",
    [
        b"",
        b"\n",
        b"{",
        b"[]\n",
        b'"x"\n',
        b"\xff\n",
        b"[" * 100_000 + b"\n",
        b'{"op":1}\n',
        b'{"op":"dance"}\n',
        b'{"a":1,"a":1}\n',
    ],
)
def test_a_bad_request_is_one_error_and_one_exit(laptop: SandboxLaptop, request_line: bytes) -> None:
    status, events = work(laptop, "enforce", request_line)
    assert status == 1
    assert [event["event"] for event in events] == ["error", "exit"]
    assert code(events) in ("bad-request", "bad-json", "too-large")


def test_a_request_without_an_end_is_cut_off(laptop: SandboxLaptop) -> None:
    status, events = work(laptop, "enforce", b" " * (1 << 20))
    assert (status, code(events)) == (1, "too-large")


def test_the_last_line_says_what_it_cost(laptop: SandboxLaptop) -> None:
    status, events = work(laptop, "configure", b'{"op":"configure","unknown":true}\n')
    assert status == 0
    last = events[-1]
    assert last["event"] == "exit"
    for name in ("cpu_ms", "peak_kib", "ms"):
        assert isinstance(last[name], int)
    assert isinstance(last["peak_kib"], int)
    assert last["peak_kib"] > 5000


def test_a_worker_that_is_none(laptop: SandboxLaptop) -> None:
    status, events = work(laptop, "dance", b"{}\n")
    assert (status, code(events)) == (1, "bad-request")


def test_the_list_for_everyone_is_a_courtesy(laptop: SandboxLaptop) -> None:
    """What cannot be written for others to read does not keep the laptop from being looked after."""
    from agent.daemon import wiring

    wiring.prepare(laptop.layout)
    reports = laptop.folder / "var/lib/bookbag/public/reports.json"
    reports.mkdir()  # no file can be renamed over it
    status, events = work(laptop, "enforce", b'{"op":"audit"}\n')
    assert status == 0
    assert [event["event"] for event in events] == ["word", "log", "result", "exit"]


def test_nobody_listening_ends_the_run_quietly(laptop: SandboxLaptop) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "agent", "worker", "enforce", "--root", str(laptop.folder)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stdin.write(b'{"op":"audit"}\n')
    process.stdin.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) == 1


@pytest.mark.parametrize("words", [[], ["--root"], ["sync", "sync"], ["--hlep"]])
def test_a_wrong_command_line(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "agent", "worker", *words],
        cwd=REPOSITORY,
        capture_output=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 64
    assert b"usage" in done.stderr


def test_the_glance_is_what_a_supervisor_sends_and_imports_no_json() -> None:
    assert json.dumps({"op": "audit", "lean": True}, separators=(",", ":")).encode() == GLANCE
    script = """
import agent.daemon.worker, agent.daemon.workers.enforce
print(*sys.modules.keys() & {"json", "re", "enum", "importlib", "contextlib", "collections", "typing"})
"""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.append({str(REPOSITORY)!r})\n{script}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "\n"


def test_a_glance_answers_as_any_audit_does(laptop: SandboxLaptop) -> None:
    status, events = work(laptop, "enforce", GLANCE + b"\n")  # nothing is known here: the full audit answers
    spelt_otherwise = work(laptop, "enforce", b'{"lean": true, "op": "audit"}\n')
    assert (status, [event["event"] for event in events]) == (
        spelt_otherwise[0],
        [event["event"] for event in spelt_otherwise[1]],
    )
    assert status == 0 and [event["event"] for event in events[-2:]] == ["result", "exit"]
