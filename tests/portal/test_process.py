"""The portal as a process: the command, its end, its walls in a sandbox, the sockets that systemd hands
over."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.host import landlock
from agent.host.linux.peer import NETLINK_SOCK_DIAG
from agent.portal import sockets
from tests.daemon.laptop import until
from tests.leaks import REPOSITORY
from tests.portal.library import furnish


def bookbag(*words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "agent", "portal", *words]
    return subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def running(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """(process, address) of `bookbag portal --root folder`."""
    argv = [sys.executable, "-m", "agent", "portal", "--root", str(folder), "--port", "0", *words]
    with subprocess.Popen(
        argv, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            if process.poll() is None:
                process.kill()


def fetch(address: str) -> str:
    with urllib.request.urlopen(address, timeout=20) as got:  # noqa: S310 - one of ours
        return str(got.read().decode())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_sandbox_is_served_until_somebody_ends_it(tmp_path: Path, number: int) -> None:
    furnish(Path(Layout(str(tmp_path)).content))
    with running(tmp_path) as (process, address):
        assert address.startswith("http://127.0.0.1:") and "Alice" in fetch(address)
        process.send_signal(number)
        assert process.wait(20) == 0
        assert process.stderr is not None and process.stderr.read() == ""


def test_it_ends_by_itself_when_nobody_comes(tmp_path: Path) -> None:
    with running(tmp_path, "--idle", "1s") as (process, address):
        assert "nothing in the library" in fetch(address)
        assert process.wait(60) == 0


def test_it_keeps_itself_to_its_own_folder(tmp_path: Path) -> None:
    """What is kept for students lies in one folder; nothing else of the laptop is touched."""
    layout = Layout(str(tmp_path))
    furnish(Path(layout.content))
    before = {path for path in tmp_path.rglob("*") if "opened" not in path.parts}
    with running(tmp_path) as (process, address):
        fetch(address)
        if landlock.version():
            status = Path(f"/proc/{process.pid}/status").read_text()
            assert "NoNewPrivs:\t1" in status, "the walls stand"
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    after = {path for path in tmp_path.rglob("*") if "opened" not in path.parts}
    assert {str(path) for path in after - before} == {layout.portal, f"{layout.portal}/secret"}


def test_its_address_can_be_asked_for(tmp_path: Path) -> None:
    with running(tmp_path, "--json") as (process, line):
        assert line == "{" and process.stdout is not None
        said = json.loads(line + process.stdout.readline() + process.stdout.readline())
        assert fetch(said["url"])


def test_what_cannot_be_is_said_with_its_remedy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = bookbag("--root", str(tmp_path), "--port", str(taken.getsockname()[1]))
        assert said.returncode == 1 and "choose two free ones with --port" in said.stderr
    gone = bookbag("--root", str(tmp_path / "nowhere"))
    assert gone.returncode == 1 and "no such folder" in gone.stderr
    for words in (("--port", "80"), ("--port", "x"), ("--idle", "soon")):
        assert bookbag("--root", str(tmp_path), *words).returncode == 64
    assert bookbag("--port", "9000").returncode == 64, "a laptop's port is agent.yaml's"
    bare = bookbag("--socket-activated")
    assert bare.returncode == 1 and "systemd hands over no sockets" in bare.stderr


# -- sockets that are handed over

_HANDED = """
import os, sys
sys.path.insert(0, sys.argv[1])
from agent.core.errors import BookbagError
from agent.portal import sockets
environment = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": sys.argv[2], "LISTEN_FDNAMES": sys.argv[3]}
try:
    found = sockets.inherited(environment)
except BookbagError as problem:
    print(problem.code)
else:
    ports = [found.portal.getsockname()[1], found.content.getsockname()[1]]
    kept = [os.get_inheritable(one.fileno()) for one in (found.portal, found.content)]
    print(ports, int(found.peers.family), kept)
"""


def handed(names: str, made: list[socket.socket], count: int | None = None) -> str:
    """What a process that gets these sockets from descriptor 3 on makes of them."""
    shift = (
        "import os, sys\nfor at, fd in enumerate(map(int, sys.argv[1].split(','))): os.dup2(fd, 100 + at)\n"
    )
    shift += "for at in range(len(sys.argv[1].split(','))): os.dup2(100 + at, 3 + at)\n"
    shift += "os.execv(sys.executable, [sys.executable, '-I', '-c', *sys.argv[2:]])"
    numbers = ",".join(str(one.fileno()) for one in made)
    argv = [sys.executable, "-I", "-c", shift, numbers, _HANDED, str(REPOSITORY)]
    done = subprocess.run(
        [*argv, str(len(made) if count is None else count), names],
        pass_fds=[one.fileno() for one in made],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()


def test_sockets_are_told_apart_by_name_and_kind() -> None:
    portal, content = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
    peers = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
    ports = [portal.getsockname()[1], content.getsockname()[1]]
    said = f"{ports} {int(socket.AF_NETLINK)} [False, False]"
    try:
        assert handed("portal:portal:content", [portal, peers, content]) == said
        assert handed("content:portal:portal", [content, peers, portal]) == said
        assert handed("portal:content", [portal, content]) == "not-allowed"
        assert handed("portal:portal", [portal, peers]) == "not-allowed"
        assert handed("portal:portal:content", [portal, peers, content], 2) == "not-allowed"
    finally:
        for one in (portal, content, peers):
            one.close()


def test_sockets_meant_for_another_process_are_not_taken() -> None:
    for environment in ({}, {"LISTEN_PID": str(os.getppid()), "LISTEN_FDS": "3", "LISTEN_FDNAMES": "a:b:c"}):
        with pytest.raises(BookbagError) as refused:
            sockets.inherited(environment)
        assert refused.value.code == "not-allowed"


def test_two_free_ports(tmp_path: Path) -> None:
    first = sockets.opened(0)
    try:
        assert first.portal.getsockname()[0] == "127.0.0.1" == first.content.getsockname()[0]
        with pytest.raises(BookbagError) as refused:
            sockets.opened(first.portal.getsockname()[1])
        assert refused.value.code == "network"
    finally:
        first.close()
    until(lambda: first.portal.fileno() < 0, 1)
