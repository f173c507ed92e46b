"""Whose a connection over loopback is: asked of the real kernel, with other users at the other end."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from agent.host.linux.peer import NETLINK_SOCK_DIAG, Peers

LINA, OMAR = 1500, 1501
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")

#: Connects as a user, from a port of its own if asked to, and holds the connection until its input ends.
HOLD = """
import os, socket, sys
host = sys.argv[3]
uid, family, port, own = (int(sys.argv[at]) for at in (1, 2, 4, 5))
os.setgroups([]); os.setgid(uid); os.setuid(uid)
sock = socket.socket(family)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
if own:
    sock.bind((host, own))
sock.setblocking(False)
try:
    sock.connect((host, port))
except BlockingIOError:
    pass
print("connecting", flush=True)
for line in sys.stdin:
    if line.strip() == "close":
        sock.close()
    if line.strip() == "half":
        sock.shutdown(socket.SHUT_WR)
    print("done", flush=True)
"""


class Other:
    """Another user's process with one connection."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def tell(self, word: str) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"


@contextlib.contextmanager
def other(uid: int, server: socket.socket, *, own: int = 0) -> Iterator[Other]:
    host, port = server.getsockname()[:2]
    argv = [sys.executable, "-I", "-c", HOLD, str(uid), str(int(server.family)), host, str(port), str(own)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "connecting\n"
        yield Other(process)


@pytest.fixture
def peers() -> Iterator[Peers]:
    made = Peers()
    yield made
    made.close()


@pytest.fixture(params=["127.0.0.1", "::1"])
def server(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((request.param, 0))
        sock.listen()
        yield sock


def ends(accepted: socket.socket) -> tuple[tuple[str, int], tuple[str, int]]:
    return accepted.getpeername()[:2], accepted.getsockname()[:2]


def test_our_own_connection_is_ours(peers: Peers, server: socket.socket) -> None:
    with socket.create_connection(server.getsockname()[:2]), server.accept()[0] as accepted:
        assert peers.uid(*ends(accepted)) == os.geteuid()


@needs_root
def test_each_connection_is_its_users_whoever_else_is_connected(peers: Peers, server: socket.socket) -> None:
    with other(LINA, server), server.accept()[0] as first, other(OMAR, server), server.accept()[0] as second:
        assert [peers.uid(*ends(first)), peers.uid(*ends(second))] == [LINA, OMAR]
        ours = socket.create_connection(server.getsockname()[:2])
        with ours, server.accept()[0] as third:
            assert [peers.uid(*ends(one)) for one in (third, first, second)] == [os.geteuid(), LINA, OMAR]


@needs_root
def test_one_port_to_two_servers_is_two_connections(peers: Peers, server: socket.socket) -> None:
    """The exact connection is asked for, not whoever has that port."""
    with socket.socket(server.family) as another:
        another.bind((server.getsockname()[0], 0))
        another.listen()
        with other(LINA, server), server.accept()[0] as first:
            port = first.getpeername()[1]
            with other(OMAR, another, own=port), another.accept()[0] as second:
                assert second.getpeername()[1] == port
                assert [peers.uid(*ends(first)), peers.uid(*ends(second))] == [LINA, OMAR]


@needs_root
@pytest.mark.parametrize("word", ["close", "half"])
def test_who_has_closed_is_nobody(peers: Peers, server: socket.socket, word: str) -> None:
    with other(LINA, server) as process, server.accept()[0] as accepted:
        assert peers.uid(*ends(accepted)) == LINA
        process.tell(word)
        assert peers.uid(*ends(accepted)) is None


@needs_root
def test_a_port_that_was_taken_over_does_not_answer_for_the_old_connection(
    peers: Peers, server: socket.socket
) -> None:
    """Lina goes away; her connection is still open here when Omar comes from the very same port. Nothing is
    hers any more. (The kernel first ends hers, then his is a new one: what still lies of hers in our buffers
    is nobody's or his, and bears no token of his.)"""
    with other(LINA, server) as lina, server.accept()[0] as accepted:
        client, at = ends(accepted)
        assert peers.uid(client, at) == LINA
        lina.tell("close")
        assert peers.uid(client, at) is None
        with other(OMAR, server, own=client[1]):
            assert {peers.uid(client, at) for _ in range(2000)} <= {None, OMAR}


def test_what_is_no_loopback_connection_is_nobodys(peers: Peers, server: socket.socket) -> None:
    here = server.getsockname()[:2]
    with socket.create_connection(here), server.accept()[0] as accepted:
        client, at = ends(accepted)
        assert peers.uid(client, at) is not None  # the control
        assert peers.uid(client, (at[0], at[1] ^ 1)) is None
        assert peers.uid((client[0], client[1] ^ 1), at) is None
        assert peers.uid(("192.0.2.7", client[1]), at) is None
        assert peers.uid(client, ("192.0.2.7", at[1])) is None
        assert peers.uid(("", 0), ("", 0)) is None
        assert peers.uid(("127.0.0.x", 1), ("127.0.0.1", 1)) is None


def test_an_ipv4_client_of_a_socket_for_both_families(peers: Peers) -> None:
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as both:
        connected = socket.create_connection(("127.0.0.1", both.getsockname()[1]))
        with connected, both.accept()[0] as accepted:
            assert accepted.getpeername()[0].startswith("::ffff:127.")
            assert peers.uid(*ends(accepted)) == os.geteuid()


def test_answers_that_somebody_left_in_an_inherited_socket_are_passed_over(server: socket.socket) -> None:
    inherited = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
    before = Peers(inherited)
    with socket.create_connection(server.getsockname()[:2]), server.accept()[0] as accepted:
        client, at = ends(accepted)
        for _ in range(5):  # a life that asked and died before it heard
            with contextlib.suppress(TypeError):
                before._socket = _Deaf(inherited)  # type: ignore[assignment]
                before.uid(client, at)
        after = Peers(inherited)
        assert after.uid(client, at) == os.geteuid()
        after.close()


class _Deaf:
    """A socket whose owner dies after sending."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def sendto(self, data: bytes, to: tuple[int, int]) -> None:
        self._sock.sendto(data, to)
        raise TypeError("killed")
