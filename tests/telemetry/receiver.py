"""An OTLP receiver for tests: takes every request, keeps its bytes, and answers what it is told."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.sync.server import Tls

#: (status, headers, body) of an answer.
Reply = tuple[int, dict[str, str], bytes]
PROTOBUF = {"Content-Type": "application/x-protobuf"}
TAKEN: Reply = (200, PROTOBUF, b"")


@dataclass(frozen=True)
class Taken:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> bytes:
        return gzip.decompress(self.raw) if self.headers.get("content-encoding") == "gzip" else self.raw

    @property
    def head(self) -> bytes:
        return repr((self.path, self.headers)).encode()


@dataclass
class Receiver:
    """Its address, what it took, and how it answers: by default well."""

    url: str = ""
    taken: list[Taken] = field(default_factory=list)
    answer: Callable[[Taken], Reply] = lambda _: TAKEN

    def of(self, signal: str) -> list[Taken]:
        return [one for one in self.taken if one.path.endswith(f"/v1/{signal}")]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 10
    server: _Server

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        one = Taken(self.path, {name.lower(): value for name, value in self.headers.items()}, raw)
        receiver = self.server.receiver
        receiver.taken.append(one)
        status, headers, body = receiver.answer(one)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True

    def __init__(self, receiver: Receiver) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.receiver = receiver

    def handle_error(self, *_: object) -> None:
        pass  # a client that hung up


@contextlib.contextmanager
def receiving(tls: Tls | None = None) -> Iterator[Receiver]:
    """A receiver that runs."""
    receiver = Receiver()
    server = _Server(receiver)
    if tls is not None:
        server.socket = tls.context().wrap_socket(server.socket, server_side=True)
    receiver.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
