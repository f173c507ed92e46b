"""The local control API: a Unix socket, one JSON request line per connection, JSON-lines events back, the
last one ``exit``.

Any user of the laptop may connect, so everything is bounded: connections (in all and per user), bytes of a
request, seconds to send it, bytes that wait for a slow reader. Who asks is the kernel's word (SO_PEERCRED),
never the request's.
"""

from __future__ import annotations

import json
import os
import socket
import sys

from agent.core.errors import BookbagError
from agent.core.jsontext import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.daemon.loop import Loop, Timer

MAX_REQUEST = 64 << 10  #: bytes, the newline included
MAX_REPLY = 512 << 10  #: bytes that may wait for a slow reader
MAX_CONNECTIONS = 64  #: of all users together; root has as many again
MAX_PER_USER = 16  #: of one user other than root
MAX_REFUSED = 32  #: connections one too many that are told so; beyond, they are closed without a word
REQUEST_SECONDS = 5.0  #: to send the whole request
DRAIN_SECONDS = 10.0  #: that a reader may leave a waiting reply untouched
LINGER_SECONDS = 2.0  #: that a client may take to close after the last word
VERSION = 1


class Call:
    """One request: who asks (``uid``), for what (``verb``, ``args``), and the way back. Events after `end`
    are dropped.
    """

    __slots__ = ("_connection", "args", "uid", "verb")

    def __init__(self, connection: Connection, uid: int, verb: str, args: dict[str, object]) -> None:
        self._connection = connection
        self.uid = uid
        self.verb = verb
        self.args = args

    def event(self, event: dict[str, object]) -> None:
        """Send one event."""
        self._connection.send(event)

    def result(self, result: dict[str, object]) -> None:
        """Send the result."""
        self.event({"event": "result", "result": result})

    def error(self, error: dict[str, str]) -> None:
        """Send an error."""
        self.event({"event": "error", "error": error})

    def end(self, code: int) -> None:
        """Send ``exit`` with an exit code and close once it was read."""
        self._connection.end(code)


class Connection:
    """One client, from accept to close."""

    __slots__ = ("_control", "_incoming", "_outgoing", "_over", "_socket", "_timer", "refused", "uid")

    def __init__(self, control: Control, connection: socket.socket, uid: int, *, refused: bool) -> None:
        self._control = control
        self._socket = connection
        self._incoming = bytearray()
        self._outgoing = bytearray()
        self._over = False
        self.uid = uid
        self.refused = refused  #: it only waits to hear that it is one too many
        self._timer: Timer | None = None
        self._set_timer(REQUEST_SECONDS, self._too_slow)
        control.loop.watch(connection.fileno(), self._read)

    def send(self, event: dict[str, object]) -> None:
        """Queue one event; a reader who lets too much pile up is dropped."""
        if self._over or self._closed:
            return
        self._outgoing += (
            json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
        )
        if len(self._outgoing) > MAX_REPLY:
            self.close()
            return
        self._write()

    def fail(self, problem: BookbagError) -> None:
        """Answer with an error and end."""
        self.send({"event": "error", "error": problem.to_dict()})
        self.end(64 if problem.code == "bad-request" else 1)

    def end(self, code: int) -> None:
        """Queue ``exit``; close as soon as everything was read, or after a while if it is not."""
        if self._over or self._closed:
            return
        self.send({"event": "exit", "code": code})
        self._over = True
        if not self._outgoing and not self._closed:
            self._linger()

    def _linger(self) -> None:
        """All is said. Closing while something unread waits would take the answer away from the client, so
        what else it sends is thrown away until it closes, for a moment.
        """
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.close()
            return
        self._set_timer(LINGER_SECONDS, self.close)
        self._control.loop.watch(self._socket.fileno(), self._drain)

    def close(self) -> None:
        """Drop the client (idempotent)."""
        if not self._closed:
            self._stop_timer()
            self._control.loop.unwatch(self._socket.fileno())
            self._socket.close()
            self._control.forget(self)

    @property
    def _closed(self) -> bool:
        return self._socket.fileno() < 0

    def _set_timer(self, seconds: float, callback: Callable[[], None]) -> None:
        self._stop_timer()
        self._timer = self._control.loop.after(seconds, callback)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self.fail(BookbagError("bad-request", f"cannot wait for a request longer than {REQUEST_SECONDS:g} s"))

    def _read(self) -> None:
        try:
            data = self._socket.recv(16 << 10)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self.close()  # also one that asked and went away: what it started goes on, nobody is told
            return
        self._incoming += data
        line, newline, rest = self._incoming.partition(b"\n")
        if len(line) >= MAX_REQUEST:
            self._listen_no_more()
            self.fail(BookbagError("too-large", f"cannot take a request of more than {MAX_REQUEST} bytes"))
        elif newline:
            self._listen_no_more()
            self._request(bytes(line), bytes(rest))

    def _listen_no_more(self) -> None:
        """The request is complete: from now on only the end of the connection matters."""
        self._stop_timer()
        self._incoming.clear()
        self._control.loop.watch(self._socket.fileno(), self._drain)

    def _drain(self) -> None:
        """Notice that the client went away; what else it sends is not for us."""
        try:
            data = self._socket.recv(16 << 10)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self.close()

    def _request(self, line: bytes, rest: bytes) -> None:
        try:
            if rest:
                raise BookbagError("bad-request", "cannot take more than one request per connection")
            self._control.answer(Call(self, self.uid, *_understood(line)))
        except BookbagError as problem:
            self.fail(problem)
        except Exception as defect:
            self.fail(BookbagError("internal", f"cannot answer: {type(defect).__name__}"))
            raise

    def _write(self) -> None:
        try:
            sent = self._socket.send(self._outgoing)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            self.close()
            return
        del self._outgoing[:sent]
        if self._outgoing:
            if sent or self._timer is None:
                self._set_timer(DRAIN_SECONDS, self.close)
            self._control.loop.watch(self._socket.fileno(), self._write, writable=True)
        elif self._over:
            self._linger()
        else:
            self._stop_timer()
            self._control.loop.watch(self._socket.fileno(), self._drain)


class Control:
    """Listens on ``path`` and hands each well-formed request to ``answer``, which replies through
    the `Call`.
    """

    def __init__(self, loop: Loop, path: str, answer: Callable[[Call], None]) -> None:
        self.loop = loop
        self.answer = answer
        self._path = path
        self._connections: set[Connection] = set()
        self._socket = socket.socket(
            socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        )
        directory = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _remove_stale(path)
            # through /proc, because a socket's own address may have 107 bytes only
            self._socket.bind(f"/proc/self/fd/{directory}/{os.path.basename(path)}")
        except BaseException:
            self._socket.close()
            raise
        finally:
            os.close(directory)
        os.chmod(path, 0o666)  # noqa: S103  # anyone may ask; routes.py says what
        self._socket.listen(128)
        loop.watch(self._socket.fileno(), self._accept)

    def close(self) -> None:
        """Stop listening and drop every client."""
        self.loop.unwatch(self._socket.fileno())
        self._socket.close()
        for connection in list(self._connections):
            connection.close()
        _remove_stale(self._path)

    def forget(self, connection: Connection) -> None:
        """A connection has closed."""
        self._connections.discard(connection)

    def _accept(self) -> None:
        try:
            accepted, _ = self._socket.accept()
        except OSError:
            return
        accepted.setblocking(False)
        uid = _peer_uid(accepted)
        admitted = [other for other in self._connections if not other.refused]
        of_user = sum(1 for other in admitted if other.uid == uid)
        refused = len(admitted) >= 2 * MAX_CONNECTIONS or (
            uid != 0 and (len(admitted) >= MAX_CONNECTIONS or of_user >= MAX_PER_USER)
        )
        if refused and len(self._connections) - len(admitted) >= MAX_REFUSED:
            # Whoever knocks thousands of times must not use up the descriptors that workers are started with.
            accepted.close()
            return
        connection = Connection(self, accepted, uid, refused=refused)
        self._connections.add(connection)
        if refused:
            connection.fail(
                BookbagError("too-many", "cannot take another connection", remedy="try again in a moment")
            )


def _understood(line: bytes) -> tuple[str, dict[str, object]]:
    """(verb, args) of a request line. Raises ``bad-request`` or ``format-too-new``."""
    try:
        request = parse(line, what="the request", max_bytes=MAX_REQUEST)
    except BookbagError as problem:
        raise BookbagError("bad-request", problem.message, place=problem.place) from None
    if not isinstance(request, dict):
        raise BookbagError("bad-request", "cannot take a request that is not an object")
    version = request.get("v")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise BookbagError("bad-request", "cannot take a request without its version `v`")
    if version > VERSION:
        raise BookbagError(
            "format-too-new", f"cannot answer version {version} of the control API: this speaks {VERSION}"
        )
    verb, args = request.get("verb"), request.get("args", {})
    if not isinstance(verb, str) or not isinstance(args, dict):
        raise BookbagError("bad-request", "cannot take a request without a text `verb` and an object `args`")
    return verb, args


def _peer_uid(connection: socket.socket) -> int:
    """The uid of who connected: pid, uid and gid are three native integers."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int.from_bytes(credentials[4:8], sys.byteorder)


def _remove_stale(path: str) -> None:
    try:  # noqa: SIM105  # contextlib stays out of the resident
        os.unlink(path)
    except FileNotFoundError:
        pass
