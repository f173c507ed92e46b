"""Starting workers, hearing them, and ending them whatever they do."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.core.layout import Layout
from agent.host import landlock
from agent.host.base import Worker, Workers
from agent.host.children import this_program
from agent.host.forked import ForkedWorkers
from agent.host.workers import SystemdWorkers
from tests.child_workers import ChildWorkers
from tests.contract.subject import refused

#: A worker: says its name, folder and request, then does what the request asks.
PROGRAM = """
import json, os, resource, subprocess, sys, time
request = json.loads(sys.stdin.buffer.readline())
print(json.dumps([sys.argv[1:], request]), flush=True)
if request.get("do") == "report":
    print(json.dumps({
        "environment": dict(os.environ), "session": os.getsid(0) == os.getpid(),
        "files": resource.getrlimit(7), "space": resource.getrlimit(9),
        "descriptors": len(os.listdir("/proc/self/fd")),
    }), flush=True)
if request.get("do") == "hang":
    print(os.getpid(), subprocess.Popen(["/bin/sleep", "1000"]).pid, flush=True)
    time.sleep(1000)
if request.get("do") == "eat":
    bytearray(4 << 30)
if request.get("do") == "flood":
    while True:
        print("x" * 1000)
"""
#: The same as a fork: what `agent.host.forkserver` runs as a worker is the program above.
FORKED = f"""
import sys
sys.path.insert(0, {os.getcwd()!r})
from agent.host import forkserver
def main(name, root):
    sys.argv = ["-c", "worker", name, "--root", root]
    exec({PROGRAM!r}, {{}})
    return 0
sys.exit(forkserver.serve(("agent.core",), sys.argv[4], main))
"""


def hear(worker: Worker, until: Callable[[bytes], bool] = lambda heard: False) -> bytes:
    """What a worker says until it ends, or ``until`` is satisfied."""
    heard = b""
    while not until(heard):
        assert select.select([worker], [], [], 20)[0], f"said only {heard!r}"
        try:
            piece = worker.read()
        except BlockingIOError:
            continue
        if not piece:
            break
        heard += piece
    return heard


def lines(count: int) -> Callable[[bytes], bool]:
    return lambda heard: heard.count(b"\n") >= count


@contextmanager
def forking(folder: Path, program: str = FORKED) -> Iterator[ForkedWorkers]:
    forked = ForkedWorkers(Layout(str(folder)), (sys.executable, "-I", "-c", program))
    try:
        yield forked
    finally:
        forked.close()


@pytest.fixture(params=("child", "forked"))
def workers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workers]:
    if request.param == "child":
        yield ChildWorkers(Layout(str(tmp_path)), (sys.executable, "-I", "-c", PROGRAM))
    else:
        with forking(tmp_path) as forked:
            yield forked


def test_a_worker_gets_its_request_and_its_end_is_heard(workers: Workers, tmp_path: Path) -> None:
    worker = workers.start("sync", b'{"op": "probe"}\n')
    heard = hear(worker)
    assert heard == b'[["worker", "sync", "--root", "%s"], {"op": "probe"}]\n' % os.fsencode(tmp_path)
    assert worker.read() == b"", "and it stays ended"
    worker.stop()
    worker.stop()


def test_a_request_of_the_largest_size_is_handed_over(workers: Workers) -> None:
    worker = workers.start("sync", b'{"op": "' + b"x" * (900 << 10) + b'"}')
    assert len(hear(worker)) > 900 << 10
    worker.stop()


def test_a_request_is_one_line(workers: Workers) -> None:
    refused("bad-request", workers.start, "sync", b"{}\n{}\n")


def test_a_worker_has_little_of_ours(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    import json

    monkeypatch.setenv("BOOKBAG_PASSPHRASE", "secret")
    spare = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(spare, True)
    try:
        worker = workers.start("sync", b'{"do": "report"}')
        _, report = hear(worker).splitlines()
    finally:
        os.close(spare)
    worker.stop()
    said = json.loads(report)
    assert set(said["environment"]) <= {"PATH", "LANG", "LC_CTYPE"}
    assert said["session"] is True
    assert said["files"][1] <= 512
    assert said["space"] == [1 << 30, 1 << 30]
    assert said["descriptors"] == 4, "its three and the listing's own"


def gone(pid: int) -> bool:
    return not os.path.exists(f"/proc/{pid}")


def test_a_worker_that_hangs_is_ended_with_all_that_it_started(workers: Workers) -> None:
    worker = workers.start("sync", b'{"do": "hang"}')
    pid, grandchild = (int(word) for word in hear(worker, lines(2)).splitlines()[1].split())
    worker.stop()
    assert gone(pid)
    end = time.monotonic() + 10
    while not gone(grandchild) and time.monotonic() < end:
        time.sleep(0.01)  # its parent is dead: init takes note of it
    assert gone(grandchild) or b"Z" in Path(f"/proc/{grandchild}/stat").read_bytes()


def test_a_worker_that_eats_memory_ends_alone(workers: Workers) -> None:
    worker = workers.start("sync", b'{"do": "eat"}')
    assert hear(worker).count(b"\n") == 1
    worker.stop()


def test_a_worker_that_floods_is_held_until_it_is_heard(workers: Workers) -> None:
    worker = workers.start("sync", b'{"do": "flood"}')
    assert len(hear(worker, lambda heard: len(heard) > 1 << 20)) < 2 << 20
    worker.stop()


@pytest.mark.parametrize("kind", (ChildWorkers, ForkedWorkers))
def test_a_program_that_is_not_there_is_an_error(
    kind: type[ChildWorkers] | type[ForkedWorkers], tmp_path: Path
) -> None:
    before = len(os.listdir("/proc/self/fd"))
    refused("not-running", kind(Layout(str(tmp_path)), ("/nowhere/bookbag",)).start, "sync", b"{}")
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_program_that_ends_at_once_is_heard_to_end(tmp_path: Path) -> None:
    workers = ChildWorkers(Layout(str(tmp_path)), ("/bin/true",))
    for _ in range(20):
        try:
            worker = workers.start("sync", b"{}")
        except Exception as error:
            assert getattr(error, "code", "") == "not-running", error
            continue
        assert hear(worker) == b""
        worker.stop()


def test_the_real_program_starts_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent/__init__.py").write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path)
    workers = ForkedWorkers(Layout(str(tmp_path / "laptop")))
    worker = workers.start("no-such-worker", b"{}")
    assert b"no-such-worker" in hear(worker), "our own program answered, and knows no such worker"
    worker.stop()
    workers.close()
    assert this_program()[0] == sys.executable


# -- the process that workers are forked from


def test_a_fork_server_that_was_killed_is_replaced(tmp_path: Path) -> None:
    with forking(tmp_path) as workers:
        worker = workers.start("sync", b"{}")
        hear(worker)
        server = workers.pid
        os.kill(server, signal.SIGKILL)
        worker.stop()
        assert gone(server)
        worker = workers.start("sync", b"{}")
        assert b"worker" in hear(worker)
        worker.stop()


def test_a_fork_server_ends_with_who_asks_it(tmp_path: Path) -> None:
    program = f"""
import os, sys
sys.path.insert(0, {os.getcwd()!r})
from agent.core.layout import Layout
from agent.host.forked import ForkedWorkers
workers = ForkedWorkers(Layout({str(tmp_path)!r}), (sys.executable, "-I", "-c", {FORKED!r}))
workers.start("sync", b"{{}}").stop()
print(workers.pid, flush=True)
os._exit(0)  # nobody says goodbye
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], stdout=subprocess.PIPE, check=True, timeout=60
    )
    end = time.monotonic() + 20
    while not gone(int(done.stdout)) and time.monotonic() < end:
        time.sleep(0.01)
    assert gone(int(done.stdout))


def test_a_fork_is_walled_in(tmp_path: Path) -> None:
    if not landlock.version():
        pytest.skip("this kernel has no Landlock")
    outside = tmp_path / "outside"
    # Only when it was told what to do, or it might be gone before.
    tried = f"sys.stdin.buffer.peek(1); open({str(outside)!r}, 'w'); exec("
    program = FORKED.replace("exec(", tried)
    with forking(tmp_path / "laptop", program) as workers:
        for name, written in (("enforce", False), ("sync", True)):
            worker = workers.start(name, b"{}")
            hear(worker)
            worker.stop()
            assert outside.exists() is written, name


# -- started by the service manager


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[tuple[Layout, socket.socket]]:
    """A socket where a worker's would be (short: a socket's path has at most 107 bytes)."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listening:
        layout = Layout(folder)
        os.makedirs(os.path.dirname(layout.worker_socket("sync")))
        listening.bind(layout.worker_socket("sync"))
        listening.listen()
        yield layout, listening


def test_the_service_manager_is_asked_through_its_socket(manager: tuple[Layout, socket.socket]) -> None:
    layout, listening = manager

    def serve() -> None:
        connection, _ = listening.accept()
        with connection, connection.makefile("rb") as stream:
            connection.sendall(b"heard " + stream.readline())

    server = threading.Thread(target=serve)
    server.start()
    worker = SystemdWorkers(layout).start("sync", b'{"op": "probe"}')
    assert hear(worker) == b'heard {"op": "probe"}\n'
    server.join()
    worker.stop()
    worker.stop()


def test_a_socket_that_is_not_there_is_an_error_that_says_where(tmp_path: Path) -> None:
    error = refused("not-running", SystemdWorkers(Layout(str(tmp_path))).start, "sync", b"{}")
    assert error.place.endswith("/worker/sync.sock")
    assert "bookbag-worker-sync.socket" in error.remedy


def test_stopping_kills_the_units_of_that_worker_only(
    manager: tuple[Layout, socket.socket], tmp_path: Path
) -> None:
    layout, listening = manager
    units = tmp_path / "bookbag.slice"
    for unit in (
        "bookbag-worker-sync@3-1-0.service",
        "bookbag-worker-enforce@4-1-0.service",
        "bookbag.service",
    ):
        (units / unit).mkdir(parents=True)
        (units / unit / "cgroup.kill").write_text("")
    worker = SystemdWorkers(layout, slice_directory=str(units)).start("sync", b"{}")
    connection, _ = listening.accept()
    with connection:
        worker.stop()
    killed = [unit.name for unit in sorted(units.iterdir()) if (unit / "cgroup.kill").read_text() == "1"]
    assert killed == ["bookbag-worker-sync@3-1-0.service"]
