"""The control socket, from outside a running supervisor: rude, slow, many, foreign. It answers the next one
all the same.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.daemon.control import MAX_CONNECTIONS, MAX_PER_USER, MAX_REQUEST
from agent.daemon.routes import ANYONE, ROUTES
from tests.daemon.laptop import SandboxLaptop, until

OTHER_USER = 65534


def dial(laptop: SandboxLaptop, seconds: float = 15) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(laptop.layout.control_socket)
    connection.settimeout(seconds)
    return connection


def heard(connection: socket.socket) -> list[dict[str, object]]:
    """Every event until the end."""
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return [json.loads(line) for line in data.splitlines()]


def ask(laptop: SandboxLaptop, data: bytes) -> list[dict[str, object]]:
    with dial(laptop) as connection:
        connection.sendall(data)
        return heard(connection)


def code_of(events: list[dict[str, object]]) -> str:
    """The error code of a refusal that ends properly."""
    assert [event["event"] for event in events] == ["error", "exit"], events
    error = events[0]["error"]
    assert isinstance(error, dict)
    return str(error["code"])


def request(verb: object, args: object = None, v: object = 1) -> bytes:
    return json.dumps({"v": v, "verb": verb, "args": {} if args is None else args}).encode() + b"\n"


def test_a_good_request_is_answered(running: SandboxLaptop) -> None:
    """The positive control of everything below."""
    events = ask(running, request("status"))
    assert [event["event"] for event in events] == ["result", "exit"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\n", "bad-request"),
        (b"{}\n", "bad-request"),
        (b"[]\n", "bad-request"),
        (b'"status"\n', "bad-request"),
        (b'{"v":1,"verb":"status","verb":"sync"}\n', "bad-request"),
        (b'{"v":1.0,"verb":"status"}\n', "bad-request"),
        (b'{"v":true,"verb":"status"}\n', "bad-request"),
        (b'{"v":1,"verb":"status","args":[]}\n', "bad-request"),
        (b"[" * 60_000 + b"\n", "bad-request"),
        (b"\xff\xfe\n", "bad-request"),
        (request("status", v=2), "format-too-new"),
        (request("dance"), "bad-request"),
        (request(["status"]), "bad-request"),
        (request("status", {"x": 1}), "bad-request"),
        (request("sync", {"from": 7}), "bad-request"),
        (request("sync", {"from": "relative/path"}), "bad-request"),
        (request("explain"), "bad-request"),
        (request("explain", {"key": "a\nb"}), "bad-request"),
        (request("ledger", {"newest": True}), "bad-request"),
        (request("ledger", {"newest": 10**6}), "bad-request"),
        (request("pause", {"seconds": 8 * 3600 + 1, "reason": "long"}), "bad-request"),
        (request("pause", {"seconds": 60, "reason": " "}), "bad-request"),
        (request("enrol", {}), "bad-request"),
        (request("status") + request("status"), "bad-request"),
        (b"x" * MAX_REQUEST, "too-large"),
        (b"x" * MAX_REQUEST + b"\n", "too-large"),
    ],
)
def test_a_bad_request_is_refused_by_name(running: SandboxLaptop, data: bytes, code: str) -> None:
    assert code_of(ask(running, data)) == code


@settings(max_examples=150)
@given(st.binary(max_size=300))
def test_any_bytes_get_one_answer_and_the_next_caller_too(running: SandboxLaptop, data: bytes) -> None:
    events = ask(running, data.replace(b"\n", b" ") + b"\n")
    assert events[-1]["event"] == "exit"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
HARMLESS = [route.verb for route in ROUTES if route.verb in ("status", "explain", "ledger", "inside")]


@settings(max_examples=100)
@given(
    st.sampled_from(HARMLESS) | st.text(max_size=10),
    st.dictionaries(st.sampled_from(["key", "newest", "x"]), JSON),
)
def test_any_arguments_get_one_answer(running: SandboxLaptop, verb: str, args: dict[str, object]) -> None:
    if verb in ("pause", "enrol", "sync", "apply", "resume", "reload", "plan"):
        return
    assert ask(running, request(verb, args))[-1]["event"] == "exit"


def test_someone_who_never_asks_is_told_and_dropped(running: SandboxLaptop) -> None:
    with dial(running) as connection:
        connection.sendall(b'{"v":1,')
        assert code_of(heard(connection)) == "bad-request"


def test_someone_who_never_reads_holds_nobody_up(running: SandboxLaptop) -> None:
    with dial(running) as silent:
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        silent.sendall(request("inside"))
        for _ in range(20):
            assert ask(running, request("status"))[-1]["event"] == "exit"


def test_someone_who_hangs_up_at_once(running: SandboxLaptop) -> None:
    for _ in range(50):
        with dial(running) as connection:
            connection.sendall(request("inside"))
    assert ask(running, request("status"))[-1]["event"] == "exit"


def test_a_hundred_connections_and_root_is_still_heard(running: SandboxLaptop) -> None:
    before = running.client.inside().result["descriptors"]
    crowd = [dial(running) for _ in range(100)]
    if os.geteuid() == 0:
        assert ask(running, request("status"))[-1]["event"] == "exit"
    for connection in crowd:
        connection.close()
    until(lambda: running.client.inside().result["descriptors"] == before)


def as_other_user(do: Callable[[], object]) -> object:
    """What ``do`` returns in a child process of another user."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(OTHER_USER, OTHER_USER, OTHER_USER)
            os.setresuid(OTHER_USER, OTHER_USER, OTHER_USER)
            os.write(write, json.dumps(do()).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        said = answer.read()
    os.waitpid(child, 0)
    return json.loads(said)


@pytest.fixture
def root_only() -> None:
    if os.geteuid() != 0:
        pytest.skip("coming as another user needs root")


@pytest.mark.usefixtures("root_only")
def test_another_user_may_ask_what_the_table_says_and_nothing_else(running: SandboxLaptop) -> None:
    answers = as_other_user(lambda: {route.verb: ask(running, request(route.verb)) for route in ROUTES})
    assert isinstance(answers, dict)
    for route in ROUTES:
        events = answers[route.verb]
        refused = events[0].get("error", {}).get("code") == "not-allowed"
        assert refused == (route.who != ANYONE), (route.verb, events)


@pytest.mark.usefixtures("root_only")
def test_one_user_cannot_take_all_connections(running: SandboxLaptop) -> None:
    def crowd() -> object:
        held = [dial(running) for _ in range(MAX_PER_USER)]
        with dial(running) as last:
            answer = code_of(heard(last))
        return [answer, len(held)]

    assert as_other_user(crowd) == ["too-many", MAX_PER_USER]
    assert ask(running, request("status"))[-1]["event"] == "exit"


def test_the_limits_leave_room_for_root() -> None:
    assert MAX_CONNECTIONS * 2 > 100


@pytest.fixture(autouse=True)
def supervisor_survives(running: SandboxLaptop) -> Iterator[None]:
    yield
    assert running.process is not None
    assert running.process.poll() is None
    assert "defect" not in Path(running.log).read_text()


def test_the_loop_sleeps_when_nobody_asks(running: SandboxLaptop) -> None:
    """No spinning: a second of silence costs next to no CPU."""
    before = running.client.inside().result["cpu_ms"]
    time.sleep(1.0)
    after = running.client.inside().result["cpu_ms"]
    assert isinstance(before, int)
    assert isinstance(after, int)
    assert after - before < 100
