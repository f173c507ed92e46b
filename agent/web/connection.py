"""One client's connection as a state machine that never waits: bytes in, requests handled, bytes out,
deadlines kept.

::

    HANDSHAKE ──► HEAD ──► BODY ──► SEND ──► HEAD …        (keep-alive)
                    └────────────────▲ └──► DRAIN ──► closed   (after an error: what the client still sends
                    is thrown away
                                                               for a moment, or its answer would be lost in
                                                               a reset)

Every state has a deadline that trickling bytes do not move, except SEND: each byte sent moves it by what it
may take at the slowest rate that is tolerated, and never beyond one stall from now. So who drains an answer
for hours pays for it, and who was fast has earned no leave to be slow. (A browser whose film is paused takes
nothing either: its connection is closed, as any may be, and it comes back with a Range when the film goes
on.)
"""

from __future__ import annotations

import contextlib
import enum
import socket
import ssl
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from agent.web.answers import Answer, Handler, Sink, Source, error_answer
from agent.web.http import Ends, HttpError, Request, find_head, format_head, parse_head

CHUNK = 64 << 10
MOST_DRAINED = 1 << 20  #: bytes thrown away after an error before the line is cut
TURN = 16  #: chunks one client gets before it is the others' turn


@dataclass(frozen=True, slots=True)
class Times:
    """How long a client may take, in seconds."""

    handshake: float = 10.0
    idle: float = 30.0  #: between requests
    head: float = 10.0  #: from the first byte of a head to its last
    body: float = 30.0  #: a whole body
    stall: float = 30.0  #: without taking one byte of an answer
    drain: float = 1.0
    #: Bytes per second at which an answer must flow, a stall aside. A hundred laptops on a line of 2 Mbit/s
    #: have 2,500 each.
    slowest: int = 1024


class State(enum.Enum):
    """Where a connection stands."""

    HANDSHAKE = "handshake"
    HEAD = "head"
    BODY = "body"
    SEND = "send"
    DRAIN = "drain"
    CLOSED = "closed"


#: (method, path, status, bytes of body, seconds) of one answered request.
LogRequest = Callable[[str, str, int, int, float], None]
#: A defect met while answering: the exception.
LogDefect = Callable[[Exception], None]


class Connection:
    """One accepted socket. The loop calls `ready` when the socket is, and `expire` once `deadline` has
    passed."""

    def __init__(
        self,
        sock: socket.socket,
        handler: Handler,
        times: Times,
        now: float,
        *,
        log: LogRequest,
        defect: LogDefect,
        ends: Ends,
    ) -> None:
        self.sock = sock
        self.peer: Hashable = None  #: whose it is; the connections of one peer share what there is of places
        self._ends = ends
        self.since = now  #: when the current state began (monotonic seconds)
        self.wants_write = False
        self.state = State.HEAD
        self.deadline = now + times.idle
        self._handler = handler
        self._times = times
        self._log = log
        self._defect = defect
        self._in = bytearray()
        self._out = bytearray()
        self._source: Source | None = None
        self._sink: Sink | None = None
        self._body_left = 0
        self._request: Request | None = None
        self._began = now
        self._stop_after = False
        self._drained = 0
        self._moved = 0  # bytes of the answer or body under way
        if isinstance(sock, ssl.SSLSocket):
            self.state = State.HANDSHAKE
            self.deadline = now + times.handshake

    @property
    def idle(self) -> bool:
        """Whether it only waits for a next request."""
        return self.state is State.HEAD and not self._in

    def flow(self, now: float) -> float:
        """Bytes per second of the answer, or body, so far."""
        return self._moved / max(now - self.since, 0.001)

    # -- called by the loop

    def ready(self, now: float) -> None:
        """Do what can be done without waiting."""
        try:
            if self.state is State.HANDSHAKE:
                self._handshake(now)
            if self.state in (State.HEAD, State.BODY, State.DRAIN):
                self._receive(now)
            if self.state is State.SEND:
                self._send(now)
        except (ssl.SSLWantReadError, BlockingIOError):
            self.wants_write = self.state is State.SEND and not isinstance(self.sock, ssl.SSLSocket)
        except ssl.SSLWantWriteError:
            self.wants_write = True
        except OSError:  # reset, broken pipe, not TLS at all
            self.close()

    def expire(self, now: float) -> None:
        """The deadline has passed: say so where a client may still listen, and close."""
        if self.state in (State.BODY, State.HEAD) and (self._in or self.state is State.BODY):
            self._stop_after = True
            with contextlib.suppress(OSError):
                self._fail(HttpError(408, "the request took too long"), now)
                self._send(now)
        self.close()

    def finish(self) -> None:
        """The service stops: close at once if idle, else after the answer under way."""
        self._stop_after = True
        if self.state in (State.HANDSHAKE, State.HEAD, State.DRAIN):
            self.close()

    def close(self) -> None:
        """Let go of everything (idempotent)."""
        if self.state is State.CLOSED:
            return
        self.state = State.CLOSED
        self._drop_answer()
        if self._sink is not None:
            self._sink.abort()
            self._sink = None
        if isinstance(self.sock, ssl.SSLSocket):
            with contextlib.suppress(OSError, ValueError):
                self.sock.unwrap()
        self.sock.close()

    # -- states

    def _enter(self, state: State, now: float, seconds: float) -> None:
        self.state = state
        self.since = now
        self.deadline = now + seconds
        self._moved = 0
        self.wants_write = state is State.SEND

    def _handshake(self, now: float) -> None:
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock.do_handshake()
        self._enter(State.HEAD, now, self._times.idle)

    def _receive(self, now: float) -> None:
        """Take what has arrived, one chunk of it (TLS: all that is already decrypted, or select would never
        tell)."""
        while self.state in (State.HEAD, State.BODY, State.DRAIN):
            data = self.sock.recv(CHUNK)
            if not data:
                self.close()
                return
            if self.state is State.HEAD:
                if not self._in:
                    self.since, self.deadline = now, now + self._times.head
                    self._began = now
                self._in += data
                self._next_request(now)
            elif self.state is State.BODY:
                self._take_body(data, now)
            else:
                self._drained += len(data)
                if self._drained > MOST_DRAINED:
                    self.close()
                    return
            if not (isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()):
                return

    def _next_request(self, now: float) -> None:
        self._request = None
        self._body_left = 0
        try:
            end = find_head(self._in)
            if end is None:
                return
            head = bytes(self._in[:end])
            del self._in[:end]
            self._request = parse_head(head, self._ends)
            self._dispatch(self._request, now)
        except HttpError as error:
            self._fail(error, now)
        except Exception as error:  # a defect in a handler costs this connection, never the service
            self._defect(error)
            self._fail(HttpError(500, "internal error"), now)

    def _dispatch(self, request: Request, now: float) -> None:
        self._body_left = request.content_length() or 0
        result = self._handler.handle(request)
        if isinstance(result, Answer):
            self._answer(result, now, keep=request.keep_alive and not self._body_left)
            return
        self._sink = result
        if request.headers.get("expect", "").lower() == "100-continue" and not self._in:
            self.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")  # 25 bytes into an empty buffer
        self._enter(State.BODY, now, self._times.body)
        early = bytes(self._in)
        self._in.clear()
        self._take_body(early, now)

    def _take_body(self, data: bytes, now: float) -> None:
        sink = self._sink
        request = self._request
        if sink is None or request is None:
            raise AssertionError("a body without a sink")
        self._moved += len(data)
        mine, rest = data[: self._body_left], data[self._body_left :]
        try:
            sink.write(mine)
            self._body_left -= len(mine)
            if self._body_left:
                return
            answer = sink.finish()
        except HttpError as error:
            self._fail(error, now)
            return
        except Exception as error:
            self._defect(error)
            self._fail(HttpError(500, "internal error"), now)
            return
        self._sink = None
        self._in += rest
        self._answer(answer, now, keep=request.keep_alive)

    def _fail(self, error: HttpError, now: float) -> None:
        request = self._request
        keep = error.keep and request is not None and request.keep_alive
        if self._sink is not None:
            self._sink.abort()
            self._sink = None
        # what is left of a body would be taken for the next request
        keep = keep and not self._body_left
        self._answer(error_answer(error), now, keep=keep)

    def _answer(self, answer: Answer, now: float, *, keep: bool) -> None:
        self._stop_after = self._stop_after or not keep
        headers = dict(answer.headers)
        if answer.status != 304:
            headers.setdefault("Content-Length", str(answer.length))
        headers["X-Content-Type-Options"] = "nosniff"
        if self._stop_after:
            headers["Connection"] = "close"
        self._out += format_head(answer.status, headers)
        request = self._request
        length = answer.length
        if request is not None and request.method == "HEAD":
            length = 0
            if not isinstance(answer.body, bytes):
                answer.body.close()
        elif isinstance(answer.body, bytes):
            self._out += answer.body
        else:
            self._source = answer.body
        method, path = (request.method, request.path) if request else ("-", "-")
        self._log(method, path, answer.status, length, now - self._began)
        self._enter(State.SEND, now, self._times.stall)

    def _send(self, now: float) -> None:
        """Send until the socket is full or the answer is out; then go on with what the client sent
        meanwhile."""
        for _ in range(TURN):
            if len(self._out) < CHUNK and self._source is not None:
                self._fill()
            if self._out:
                sent = self.sock.send(bytes(self._out[:CHUNK]))
                del self._out[:sent]
                self._moved += sent
                self.deadline = min(now + self._times.stall, self.deadline + sent / self._times.slowest)
            else:
                self._sent(now)
            if self.state is not State.SEND:
                return
        self.wants_write = True

    def _fill(self) -> None:
        if self._source is None:
            return
        data = self._source.read(CHUNK)
        if not data and self._source.left:
            raise OSError("there was less of it than was promised")
        self._out += data
        if not self._source.left:
            self._drop_answer()

    def _drop_answer(self) -> None:
        if self._source is not None:
            self._source.close()
            self._source = None

    def _sent(self, now: float) -> None:
        if self._stop_after:
            self._enter(State.DRAIN, now, self._times.drain)
            if not isinstance(self.sock, ssl.SSLSocket):
                with contextlib.suppress(OSError):
                    self.sock.shutdown(socket.SHUT_WR)
            self._receive(now)
            return
        self._enter(State.HEAD, now, self._times.idle)
        if self._in:
            self.since, self.deadline, self._began = now, now + self._times.head, now
            self._next_request(now)
