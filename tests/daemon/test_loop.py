"""The loop: descriptors, timers, signals; a defect in one callback stops no other."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator

import pytest

from agent.daemon.loop import Loop


@pytest.fixture
def defects() -> list[BaseException]:
    return []


@pytest.fixture
def loop(defects: list[BaseException]) -> Iterator[Loop]:
    made = Loop(defects.append)
    made.after(10, made.stop)  # no test waits longer
    yield made
    made.close()


def test_timers_come_in_their_order_and_cancelled_ones_never(loop: Loop) -> None:
    said: list[str] = []
    loop.after(0.02, lambda: said.append("second"))
    loop.after(0.01, lambda: said.append("first"))
    loop.after(0.015, lambda: said.append("never")).cancel()
    loop.after(0.03, loop.stop)
    loop.run()
    assert said == ["first", "second"]


def test_a_defect_is_handed_over_and_the_loop_goes_on(loop: Loop, defects: list[BaseException]) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    loop.after(0, broken)
    loop.after(0.01, loop.stop)
    loop.run()
    assert [type(one) for one in defects] == [ZeroDivisionError]


def test_a_descriptor_closed_by_an_earlier_callback_of_the_round_is_not_called(loop: Loop) -> None:
    ours, theirs = socket.socketpair(), socket.socketpair()
    said: list[int] = []

    def first(number: int, other: socket.socket) -> None:
        said.append(number)
        loop.unwatch(other.fileno())
        loop.stop()

    loop.watch(ours[0].fileno(), lambda: first(1, theirs[0]))
    loop.watch(theirs[0].fileno(), lambda: first(2, ours[0]))
    ours[1].send(b"x")
    theirs[1].send(b"x")
    loop.run()
    assert len(said) == 1
    for one in (*ours, *theirs):
        one.close()


def test_a_signal_arrives_in_the_loop(loop: Loop) -> None:
    said: list[str] = []

    def got_it() -> None:
        said.append("got it")
        loop.stop()

    loop.on_signal(signal.SIGUSR1, got_it)
    loop.after(0, lambda: os.kill(os.getpid(), signal.SIGUSR1))
    loop.run()
    assert said == ["got it"]
