"""The selector loop: accepts, hands readiness to connections, keeps deadlines, and stops cleanly.

Connections are capped. When the cap is reached, a client that merely waits or dawdles makes room for the
new one (see `agent.web.crowd`), so stalled clients can slow the service for nobody.
"""

from __future__ import annotations

import contextlib
import math
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Hashable

from agent.web import crowd
from agent.web.answers import Handler
from agent.web.connection import Connection, LogDefect, LogRequest, State, Times
from agent.web.http import Ends

MAX_CONNECTIONS = 512
#: Bytes of an answer that the kernel takes beyond what is on its way: what it hides from us in its buffer
#: would look like a client that takes nothing for as long as it lasts.
UNSENT = 32 << 10


class Listener:
    """A listening socket with the handler for its requests and, for HTTPS, the TLS context."""

    def __init__(self, host: str, port: int, handler: Handler, tls: ssl.SSLContext | None = None) -> None:
        """Listen on ``host:port`` (0: any free port). Raises OSError."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.handler = handler
        self.tls = tls
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.sock.bind((host, port))
            self.sock.listen(256)
        except OSError:
            self.sock.close()
            raise
        self._ready()

    @classmethod
    def inherited(cls, sock: socket.socket, handler: Handler) -> Listener:
        """A socket that listens already, such as the service manager hands over."""
        listener = cls.__new__(cls)
        listener.handler, listener.tls, listener.sock = handler, None, sock
        listener._ready()
        return listener

    def _ready(self) -> None:
        self.sock.setblocking(False)
        self.host: str = self.sock.getsockname()[0]
        self.port: int = self.sock.getsockname()[1]


class Loop:
    """Serves listeners until `stop`."""

    def __init__(
        self,
        listeners: list[Listener],
        *,
        log: LogRequest,
        defect: LogDefect,
        times: Times | None = None,
        max_connections: int = MAX_CONNECTIONS,
        peer: Callable[[Ends], Hashable] = crowd.address,
    ) -> None:
        """``peer``: whose a connection is; nobody keeps others out with theirs."""
        self._listeners = listeners
        self._times = times or Times()
        self._max = max_connections
        self._peer = peer
        self._log = log
        self._defect = defect
        self._selector = selectors.DefaultSelector()
        self._connections: dict[int, Connection] = {}
        self._stopping = False
        self._wake_out, self._wake_in = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)

    def stop(self) -> None:
        """Ask `run` to end; safe from a signal handler or another thread, and more than once."""
        self._stopping = True
        with contextlib.suppress(OSError):
            self._wake_in.send(b"x")

    def run(
        self, *, clock: Callable[[], float] = time.monotonic, patience: float = 3.0, idle: float = math.inf
    ) -> None:
        """Serve until `stop`, or until nobody was connected for ``idle`` seconds; then answer what is under
        way, for ``patience`` seconds at most, and close everything."""
        self._selector.register(self._wake_out, selectors.EVENT_READ, None)
        for listener in self._listeners:
            self._selector.register(listener.sock, selectors.EVENT_READ, listener)
        busy = clock()
        try:
            while not self._stopping and clock() - busy < idle:
                self._turn(clock, 1.0)
                if self._connections:
                    busy = clock()
            self._finish(clock, patience)
        finally:
            self.close()

    def close(self) -> None:
        """Let go of every socket (idempotent; `run` does it itself)."""
        for connection in list(self._connections.values()):
            connection.close()
        self._connections.clear()
        for listener in self._listeners:
            listener.sock.close()
        self._wake_in.close()
        self._wake_out.close()
        self._selector.close()

    def _finish(self, clock: Callable[[], float], patience: float) -> None:
        for listener in self._listeners:
            self._selector.unregister(listener.sock)
            listener.sock.close()
        self._selector.unregister(self._wake_out)
        end = clock() + patience
        for fd, connection in list(self._connections.items()):
            connection.finish()
            self._settle(fd, connection)
        while self._connections and clock() < end:
            self._turn(clock, 0.1)

    def _turn(self, clock: Callable[[], float], longest: float) -> None:
        for key, _ in self._selector.select(longest):
            if isinstance(key.data, Listener):
                self._accept(key.data, clock())
            elif isinstance(key.data, Connection):
                self._serve(key.fd, key.data, clock())
            else:
                with contextlib.suppress(OSError):
                    self._wake_out.recv(64)
        now = clock()
        for fd, connection in list(self._connections.items()):
            if connection.deadline <= now:
                connection.expire(now)
                self._settle(fd, connection)

    def _serve(self, fd: int, connection: Connection, now: float) -> None:
        if self._connections.get(fd) is not connection:
            return  # closed earlier in this turn to make room; the descriptor may be another client's by now
        try:
            connection.ready(now)
        except Exception as error:  # whatever one client provokes, the others are served
            self._defect(error)
            connection.close()
        self._settle(fd, connection)

    def _accept(self, listener: Listener, now: float) -> None:
        for _ in range(64):
            try:
                sock, client = listener.sock.accept()
            except OSError:  # nobody there any more, or out of descriptors: the next turn tries again
                return
            ends = Ends(client[:2], sock.getsockname()[:2])
            peer = self._peer(ends)
            if len(self._connections) >= self._max and not self._make_room(peer, now):
                sock.close()
                continue
            sock.setblocking(False)
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
            if listener.tls is not None:
                try:
                    sock = listener.tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
                except OSError:  # the client left already
                    sock.close()
                    continue
            connection = Connection(
                sock,
                listener.handler,
                self._times,
                now,
                log=self._log,
                defect=self._defect,
                ends=ends,
            )
            connection.peer = peer
            self._connections[sock.fileno()] = connection
            self._selector.register(sock, selectors.EVENT_READ, connection)

    def _make_room(self, newcomer: Hashable, now: float) -> bool:
        """Close whoever makes best use of their place last; False if all are being answered, and well."""
        connection = crowd.leaving(self._connections.values(), newcomer, now)
        if connection is None:
            return False
        fd = connection.sock.fileno()
        connection.close()
        self._settle(fd, connection)
        return True

    def _settle(self, fd: int, connection: Connection) -> None:
        """Bring the selector in line with what the connection now waits for."""
        if connection.state is State.CLOSED:
            self._connections.pop(fd, None)
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(fd)
            return
        events = selectors.EVENT_WRITE if connection.wants_write else selectors.EVENT_READ
        if self._selector.get_key(fd).events != events:
            self._selector.modify(fd, events, connection)
