"""A student who hammers the control socket: what keeps the laptop as decided goes on meanwhile (I-3)."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from agent.daemon.control import MAX_CONNECTIONS, MAX_REFUSED
from agent.daemon.jobs import WORKERS
from tests.daemon.laptop import SandboxLaptop, until
from tests.daemon.test_control import OTHER_USER, request

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="coming as another user needs root")


def connected(laptop: SandboxLaptop) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX)
    connection.setblocking(False)
    try:
        connection.connect(laptop.layout.control_socket)
    except OSError:  # the queue of those who wait is full
        connection.close()
        time.sleep(0.001)
        return None
    return connection


@contextmanager
def hammered(once: Callable[[], object]) -> Iterator[None]:
    """Another user does ``once`` for ever in a process of their own."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(OTHER_USER, OTHER_USER, OTHER_USER)
            os.setresuid(OTHER_USER, OTHER_USER, OTHER_USER)
            while True:
                once()
        finally:
            os._exit(0)
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_what_anyone_may_ask_for_has_a_lane_of_its_own() -> None:
    lane = WORKERS["explain"][0]
    assert [name for name, (where, _) in WORKERS.items() if where == lane] == ["explain"]


def test_questions_without_end_do_not_keep_enforcement_waiting(running: SandboxLaptop) -> None:
    question = request("explain", {"key": "file:/etc/motd"})

    def ask_and_leave() -> None:
        connection = connected(running)
        if connection is not None:
            connection.sendall(question)
            time.sleep(0.002)  # hanging up does not take the question back
            connection.close()

    with hammered(ask_and_leave):
        until(lambda: running.status()["workers"].get("explain", {}).get("runs", 0) > 3)
        for _ in range(3):
            assert [problem.code for problem in running.client.plan().errors] == []
        assert running.client.ledger(1).errors == ()


def test_connections_without_end_leave_descriptors_for_workers(running: SandboxLaptop) -> None:
    running.client.plan()  # from here on there is what workers are forked from
    before = running.client.inside().result["descriptors"]
    assert isinstance(before, int)
    held: list[socket.socket] = []

    def one_more() -> None:
        connection = connected(running)
        if connection is not None:
            held.append(connection)
        if len(held) > 400:
            held.pop(0).close()

    with hammered(one_more):
        most = 0
        until(lambda: running.client.inside().result["descriptors"] != before)
        for _ in range(3):
            assert [problem.code for problem in running.client.plan().errors] == []
            found = running.client.inside().result["descriptors"]
            assert isinstance(found, int)
            most = max(most, found)
    assert most <= before + MAX_CONNECTIONS + MAX_REFUSED
    until(lambda: int(str(running.client.inside().result["descriptors"])) <= before)
