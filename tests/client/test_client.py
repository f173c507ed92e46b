"""The typed client against a server that answers oddly: every oddity is one clear error."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.client import Client, gather
from agent.core.errors import BookbagError
from agent.core.layout import Layout

Answering = Callable[[Callable[[socket.socket], None]], Client]


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[Answering]:
    """``answering(speak)``: a client of a server that reads the request, then lets ``speak`` do what it
    likes, once.
    """
    threads: list[threading.Thread] = []
    layout = Layout(str(tmp_path))
    os.makedirs(layout.run)

    def make(speak: Callable[[socket.socket], None]) -> Client:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(layout.control_socket)
        listening.listen()

        def serve() -> None:
            with listening, listening.accept()[0] as connection:
                connection.settimeout(10)
                connection.makefile("rb").readline()
                speak(connection)

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        return Client(layout, seconds=1)

    yield make
    for thread in threads:
        thread.join()


def says(data: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(data)


def test_events_come_to_an_answer(answering: Answering) -> None:
    client = answering(
        says(
            b'{"event":"progress","done":1,"of":2}\n{"event":"error","error":{"code":"network","message":"cannot"}}\n'
            b'{"event":"result","result":{"a":1}}\n{"event":"result","result":{"b":2}}\n{"event":"exit","code":6}\n'
        )
    )
    seen: list[object] = []
    answer = client.call("apply", on_event=seen.append)
    assert (answer.code, answer.result) == (6, {"a": 1, "b": 2})
    assert [problem.code for problem in answer.errors] == ["network"]
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not-running"),
        (b'{"event":"result","result":{}}\n', "not-running"),
        (b'{"event":"exit"', "not-running"),
        (b"hello\n", "internal"),
        (b"\xff\n", "internal"),
    ],
)
def test_an_answer_that_is_none(answering: Answering, data: bytes, code: str) -> None:
    with pytest.raises(BookbagError) as refused:
        answering(says(data)).status()
    assert refused.value.code == code


def test_a_supervisor_that_hangs(answering: Answering) -> None:
    over = threading.Event()
    client = answering(lambda _: (over.wait(10), None)[1])
    try:
        with pytest.raises(BookbagError) as refused:
            client.status()
    finally:
        over.set()
    assert refused.value.code == "not-running"
    assert "does not answer" in refused.value.message


def test_nobody_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BookbagError) as refused:
        Client(Layout(str(tmp_path))).status()
    assert refused.value.code == "not-running"
    assert "bookbag run" in refused.value.remedy


def test_a_request_that_cannot_fit(tmp_path: Path) -> None:
    with pytest.raises(BookbagError) as refused:
        Client(Layout(str(tmp_path))).enrol("x" * (64 << 10))
    assert refused.value.code == "too-large"


def test_an_error_code_of_a_newer_supervisor_is_kept_in_the_text() -> None:
    answer = gather(
        [
            {"event": "error", "error": {"code": "brand-new", "message": "cannot"}},
            {"event": "exit", "code": 1},
        ]
    )
    assert answer is not None
    assert "brand-new" in answer.errors[0].message
