"""The loop over real sockets: when it ends by itself, whose sockets it serves, where requests begin and
end."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from agent.web.answers import Answer, Sink, text_answer
from agent.web.http import HttpError, Request
from agent.web.loop import Listener, Loop


class Crumbs:
    """Bytes that do not come from a file."""

    def __init__(self, pieces: list[bytes], promised: int) -> None:
        self.pieces = pieces
        self.left = promised
        self.closed = False

    def read(self, limit: int) -> bytes:
        data = self.pieces.pop(0)[:limit] if self.pieces else b""
        self.left -= len(data)
        return data

    def close(self) -> None:
        self.closed = True


class Echo:
    """Says what it heard."""

    def __init__(self) -> None:
        self.crumbs: list[Crumbs] = []

    def handle(self, request: Request) -> Answer | Sink:
        if request.path == "/ends":
            return text_answer(200, repr((request.ends.client, request.ends.server)))
        if request.path in ("/crumbs", "/short"):
            self.crumbs.append(Crumbs([b"one ", b"two ", b"three"], 13 + 5 * (request.path == "/short")))
            return Answer(200, {}, self.crumbs[-1])
        if request.path == "/broken":
            return Answer(200, {"X": "a\r\nb"})
        if request.path == "/refused":
            raise HttpError(403, "no", keep=True)
        return text_answer(200, f"{request.method} {request.path} {request.query}")


@contextmanager
def serving(listener: Listener) -> Iterator[tuple[int, list[Exception]]]:
    defects: list[Exception] = []
    loop = Loop([listener], log=lambda *_: None, defect=defects.append)
    thread = threading.Thread(target=loop.run)
    thread.start()
    try:
        yield listener.port, defects
    finally:
        loop.stop()
        thread.join(10)
    assert not thread.is_alive()


def exchange(port: int, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        got = b""
        while part := sock.recv(65536):
            got += part
        return got


def test_a_request_knows_both_ends_of_its_connection() -> None:
    with serving(Listener("127.0.0.1", 0, Echo())) as (port, _):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        client.request("GET", "/ends?x")
        said = client.getresponse().read().decode().strip()
        assert said == repr((client.sock.getsockname(), ("127.0.0.1", port)))
        client.close()


def test_a_body_that_nobody_asked_for_is_no_second_request() -> None:
    inner = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    with serving(Listener("127.0.0.1", 0, Echo())) as (port, _):
        for path in (b"/a", b"/refused"):
            head = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (path, len(inner))
            assert exchange(port, head + inner).count(b"HTTP/1.1 ") == 1
        # the control: without a length it is one
        assert exchange(port, b"POST /a HTTP/1.1\r\nHost: x\r\n\r\n" + inner).count(b"HTTP/1.1 200") == 2


def test_any_source_of_bytes_is_sent_and_closed() -> None:
    echo = Echo()
    with serving(Listener("127.0.0.1", 0, echo)) as (port, _):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        client.request("GET", "/crumbs")
        answer = client.getresponse()
        assert (answer.headers["Content-Length"], answer.read()) == ("13", b"one two three")
        client.request("HEAD", "/crumbs")
        assert client.getresponse().read() == b""
        client.close()
        short = exchange(port, b"GET /short HTTP/1.1\r\nHost: x\r\n\r\n")
        assert short.endswith(b"one two three")  # and then closed, so that the client knows it is not whole
    assert len(echo.crumbs) == 3 and all(one.closed for one in echo.crumbs)


def test_a_handlers_broken_header_is_its_defect_and_no_answer_of_two() -> None:
    with serving(Listener("127.0.0.1", 0, Echo())) as (port, defects):
        assert exchange(port, b"GET /broken HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 500 ")
        assert [type(one) for one in defects] == [ValueError]


def test_a_socket_that_listens_already_is_served() -> None:
    sock = socket.create_server(("127.0.0.1", 0))
    with serving(Listener.inherited(sock, Echo())) as (port, _):
        assert port and b"GET /there x=1" in exchange(port, b"GET /there?x=1 HTTP/1.1\r\nHost: x\r\n\r\n")


def test_it_ends_when_nobody_came_for_a_while_and_not_before() -> None:
    listener = Listener("127.0.0.1", 0, Echo())
    loop = Loop([listener], log=lambda *_: None, defect=lambda error: None)
    thread = threading.Thread(target=lambda: loop.run(idle=0.2))
    thread.start()
    with socket.create_connection(("127.0.0.1", listener.port)) as waiting:
        waiting.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert waiting.recv(100).startswith(b"HTTP/1.1 200")
        thread.join(1.5)
        assert thread.is_alive(), "somebody is still connected"
    thread.join(30)
    assert not thread.is_alive()
