"""Little bandwidth holds no place for long, and nobody's connections keep others out: counted in bytes and
connections, on a clock that the test moves.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress

from agent.web import crowd
from agent.web.answers import Answer, Sink
from agent.web.connection import Connection, State, Times
from agent.web.http import Ends, Request
from agent.web.loop import Listener, Loop

PACK = 8 << 20
GET = b"GET /pack HTTP/1.1\r\nHost: x\r\n\r\n"
PUT = b"PUT /body HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"


class Nothing:
    """Takes a body and does nothing with it."""

    def write(self, data: bytes) -> None:
        pass

    def finish(self) -> Answer:
        return Answer(200)

    def abort(self) -> None:
        pass


class Packs:
    """Every GET is answered with a pack of learning content, every PUT is welcome."""

    def handle(self, request: Request) -> Answer | Sink:
        if request.method == "PUT":
            return Nothing()
        if request.path == "/small":
            return Answer(200, {}, b"small")
        return Answer(200, {}, bytes(PACK))


class Line(socket.socket):
    """A line over which as many bytes pass as the test lets through."""

    def __init__(self) -> None:
        super().__init__()
        self.close()  # the kernel has no part in it
        self.incoming = GET
        self.room = 0
        self.out = 0

    def recv(self, size: int, flags: int = 0) -> bytes:
        data, self.incoming = self.incoming[:size], self.incoming[size:]
        if not data:
            raise BlockingIOError
        return data

    def send(self, data: object, flags: int = 0) -> int:
        assert isinstance(data, bytes)
        sent = min(self.room, len(data))
        if not sent:
            raise BlockingIOError
        self.room -= sent
        self.out += sent
        return sent


def connect(now: float = 0.0, times: Times | None = None, peer: Hashable = "") -> tuple[Connection, Line]:
    line = Line()

    def defect(error: Exception) -> None:
        raise error

    made = Connection(line, Packs(), times or Times(), now, log=lambda *_: None, defect=defect, ends=Ends())
    made.peer = peer
    return made, line


def drained(taking: Callable[[int], int], seconds: int = 20_000) -> tuple[int, int, State]:
    """(bytes sent, second of the end, state) of one pack to a client that takes ``taking(second)`` bytes."""
    connection, line = connect()
    connection.ready(0.0)
    for second in range(1, seconds):
        line.room = taking(second)
        if line.room:
            connection.ready(second)
        if connection.deadline <= second:
            connection.expire(second)
        if connection.state is not State.SEND:
            break
    out, state = line.out, connection.state
    connection.close()
    return out, second, state


def test_who_takes_a_byte_now_and_then_is_let_go_within_a_stall_or_two() -> None:
    for every in (1, 10, 29):
        out, second, state = drained(lambda now, every=every: int(now % every == 0))  # type: ignore[misc]
        assert state is State.CLOSED
        assert out <= 60 and second <= 61


def test_who_was_fast_may_not_be_slow_for_it() -> None:
    out, second, state = drained(lambda now: 4 << 20 if now == 1 else 1)
    assert state is State.CLOSED
    assert out < (4 << 20) + 100 and second <= 32


def test_a_hundred_laptops_on_two_megabits_are_served_to_the_end_though_the_line_hiccups() -> None:
    each = 2_000_000 // 8 // 100
    out, _, state = drained(lambda _: each)
    assert (out > PACK, state) == (True, State.HEAD)
    out, _, state = drained(lambda now: each * 30 if now % 30 == 0 else 0)  # nothing for 29 seconds each time
    assert (out > PACK, state) == (True, State.HEAD)


# -- who goes


def sending(peer: Hashable, rate: int, began: float = 0.0, until: float = 60.0) -> Connection:
    """A connection that has taken ``rate`` bytes a second so far."""
    connection, line = connect(began, Times(stall=1e9), peer)
    line.room = round(rate * (until - began))
    connection.ready(began)
    while line.room:
        connection.ready(began)
    return connection


def waiting(peer: Hashable, began: float) -> Connection:
    connection, line = connect(began, peer=peer)
    line.incoming = b"GET / HT"
    connection.ready(began)
    return connection


def test_the_slowest_answer_goes_and_those_who_only_just_came_stay() -> None:
    slow = [sending(n, 1000 + n) for n in range(6)]
    new = [waiting(6, 59.0), sending(7, 0, 59.0)]
    assert crowd.leaving([*slow, *new], "other", 60.0) is slow[0]
    assert crowd.leaving([*reversed(new), *reversed(slow[3:])], "other", 60.0) is slow[3]
    stale = waiting(8, 50.0)
    assert crowd.leaving([*slow, *new, stale], "other", 60.0) is stale, "who dawdles goes first"
    body, line = connect(10.0, peer=9)
    line.incoming = PUT + bytes(200_000)
    while line.incoming:
        body.ready(10.0)
    assert crowd.leaving([*slow, *new, body], "other", 60.0) is slow[0], "a body that flows is no dawdling"
    assert crowd.leaving([*new[:1], body, new[1]], "other", 60.0) is body
    assert crowd.leaving(new, "other", 60.0) is new[0]
    assert crowd.leaving([sending(n, 0, 59.0) for n in range(4)], "other", 60.0) is None


def test_who_holds_more_than_half_makes_room_for_others_and_displaces_nobody() -> None:
    held = [sending("greedy", 100_000 + n) for n in range(5)]
    others = [sending(n, 1000) for n in range(3)]
    assert crowd.leaving([*others, *held], "newcomer", 60.0) is held[0]
    assert crowd.leaving([*others, *held], 0, 60.0) is held[0]
    assert crowd.leaving([*others, *held], "greedy", 60.0) is held[0]
    busy = [sending("greedy", 0, 59.0 + n / 10) for n in range(5)]
    assert crowd.leaving([*others, *busy], "newcomer", 60.0) is busy[0], "also one in good use"
    assert crowd.leaving([*others, *busy], "greedy", 60.0) is None, "it has enough"
    fair = [sending("school", 1000 + n) for n in range(4)] + [sending("home", 900 + n) for n in range(4)]
    assert crowd.leaving(fair, "third", 60.0) is fair[4]
    assert crowd.leaving(fair, "school", 60.0) is fair[0]


def test_whose_a_connection_is() -> None:
    def of(host: str) -> Hashable:
        return crowd.address(Ends((host, 1)))

    assert of("10.0.0.1") != of("10.0.0.2")
    assert of("2001:db8::1") == of("2001:db8::ffff:1") != of("2001:db8:0:1::1")
    assert of("::ffff:10.0.0.1") == of("10.0.0.1") != of("::ffff:10.0.0.2")
    assert of("fe80::1%eth0") == of("fe80::2")


# -- over real sockets


class Clock:
    """Stands until the test moves it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.read = threading.Event()

    def __call__(self) -> float:
        self.read.set()
        return self.now

    def move(self, seconds: float) -> None:
        """Go on, and wait until the loop has noticed (it takes the clients of one moment together)."""
        self.now += seconds
        self.read.clear()
        assert self.read.wait(10)


@contextmanager
def crowded(most: int, clock: Clock) -> Iterator[int]:
    """A loop of ``most`` places; each client's peer is its source address."""
    defects: list[Exception] = []
    listener = Listener("127.0.0.1", 0, Packs())
    loop = Loop([listener], log=lambda *_: None, defect=defects.append, max_connections=most)
    thread = threading.Thread(target=lambda: loop.run(clock=clock, patience=-1.0))
    thread.start()
    try:
        yield listener.port
    finally:
        loop.stop()
        thread.join(10)
    assert not thread.is_alive() and defects == []


def client(port: int, source: str = "127.0.0.1") -> socket.socket:
    sock = socket.socket()
    sock.settimeout(10)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.bind((source, 0))
    sock.connect(("127.0.0.1", port))
    return sock


def greedy(port: int, source: str = "127.0.0.1") -> socket.socket:
    """Asks for a pack, has seen its beginning, and takes no more."""
    sock = client(port, source)
    sock.sendall(GET)
    assert sock.recv(12) == b"HTTP/1.1 200"
    return sock


def served(port: int, source: str = "127.0.0.1") -> bool:
    with client(port, source) as sock, suppress(OSError):
        sock.sendall(b"GET /small HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return sock.recv(1000).startswith(b"HTTP/1.1 200")
    return False


def test_answers_that_nobody_takes_hold_no_place_against_others() -> None:
    clock = Clock()
    with crowded(8, clock) as port:
        held = [greedy(port) for _ in range(8)]
        assert not served(port), "those that were asked for just now are answered first"
        clock.move(crowd.PATIENCE + 1)
        assert [served(port) for _ in range(20)] == [True] * 20
        for sock in held:
            sock.close()


def test_one_address_holds_half_of_the_places_when_others_come() -> None:
    clock = Clock()
    with crowded(8, clock) as port:
        held = [greedy(port) for _ in range(8)]
        others = [greedy(port, f"127.0.0.{2 + n}") for n in range(4)]
        assert len(others) == 4, "all were answered, at the same moment"
        assert not served(port), "and it may not take their places"
        for sock in (*held, *others):
            sock.close()
