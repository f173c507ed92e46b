"""Typed client of the local control API: one call is one connection, one JSON line there, JSON-lines events
back.

Lean, because every `bookbag VERB` starts here.
"""

from __future__ import annotations

import json
import os
import socket
import time

from agent.core.errors import BookbagError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from agent.core.layout import Layout

VERSION = 1
MAX_REQUEST = 60 << 10  #: bytes of arguments that fit a request
MAX_EVENT = 4 << 20  #: bytes of one event
CONNECT_SECONDS = 5.0
#: No verb takes longer than its worker may; beyond this the supervisor itself hangs.
ANSWER_SECONDS = 400.0


class Answer:
    """What came back: the exit code, the result, and the errors that were said."""

    __slots__ = ("code", "errors", "result")

    def __init__(self, code: int, result: dict[str, object], errors: tuple[BookbagError, ...]) -> None:
        self.code = code
        self.result = result
        self.errors = errors


def gather(
    events: Iterable[dict[str, object]], on_event: Callable[[dict[str, object]], None] | None = None
) -> Answer | None:
    """What the ``events`` of one run come to; None if they stop before ``exit``. Several results
    are joined.
    """
    result: dict[str, object] = {}
    errors: list[BookbagError] = []
    for event in events:
        kind, error, more = event.get("event"), event.get("error"), event.get("result")
        if kind == "exit":
            code = event.get("code")
            return Answer(code if isinstance(code, int) else 1, result, tuple(errors))
        if kind == "result" and isinstance(more, dict):
            result = {**result, **more}
        elif kind == "error" and isinstance(error, dict):
            errors.append(BookbagError.from_dict(error))
        elif on_event is not None:
            on_event(event)
    return None


class Client:
    """Talks to the supervisor of the laptop at ``layout``. Every call raises ``not-running`` if
    none answers.
    """

    def __init__(self, layout: Layout, *, seconds: float = ANSWER_SECONDS) -> None:
        self._path = layout.control_socket
        self._seconds = seconds

    def status(self) -> Answer:
        """How the laptop stands."""
        return self.call("status")

    def sync(
        self, folder: str | None = None, on_event: Callable[[dict[str, object]], None] | None = None
    ) -> Answer:
        """Look for news now, at the hosts or in an absolute ``folder``."""
        return self.call("sync", {"from": folder} if folder else {}, on_event)

    def plan(self) -> Answer:
        """What applying would change."""
        return self.call("plan")

    def apply(self, plan: str = "", on_event: Callable[[dict[str, object]], None] | None = None) -> Answer:
        """Apply now; with a plan's hash, only if the machine has not moved since (``plan-outdated``)."""
        return self.call("apply", {"plan": plan} if plan else {}, on_event)

    def explain(self, key: str) -> Answer:
        """Who set ``key``, why, and what was there before."""
        return self.call("explain", {"key": key})

    def ledger(self, newest: int) -> Answer:
        """The newest entries, newest first."""
        return self.call("ledger", {"newest": newest})

    def pause(self, seconds: int, reason: str) -> Answer:
        """Stop healing for ``seconds``."""
        return self.call("pause", {"seconds": seconds, "reason": reason})

    def resume(self) -> Answer:
        """End a pause."""
        return self.call("resume")

    def unlock(self, code: str) -> Answer:
        """Open a locked laptop with the code that the school answered; exit code 4 if it is refused."""
        return self.call("unlock", {"code": code})

    def enrol(self, file: str, *, again: bool = False, look: bool = False) -> Answer:
        """Join the site of an enrol file, given as its text; ``look``: paused, until somebody ends it."""
        return self.call("enrol", {"file": file, "again": again, "look": look})

    def reload(self) -> Answer:
        """Have agent.yaml read again."""
        return self.call("reload")

    def content(self, want: str = "") -> Answer:
        """How every item of learning content stands; ``want``: fetch that one before all others."""
        return self.call("content", {"want": want} if want else {})

    def software(self, op: str = "list", name: str = "") -> Answer:
        """The programs that are offered here; ``op`` install or remove: choose ``name``, or give it back."""
        return self.call("software", {"op": op, **({"name": name} if name else {})})

    def report(self, on_event: Callable[[dict[str, object]], None] | None = None) -> Answer:
        """Make a report now, and deliver it."""
        return self.call("report", None, on_event)

    def inside(self) -> Answer:
        """What the resident process holds: modules, memory, descriptors."""
        return self.call("inside")

    def call(
        self,
        verb: str,
        args: dict[str, object] | None = None,
        on_event: Callable[[dict[str, object]], None] | None = None,
    ) -> Answer:
        """Ask and wait. ``on_event`` sees progress and log events as they come."""
        answer = gather(self.events(verb, args or {}), on_event)
        if answer is None:
            raise self._gone("it ended in the middle of an answer")
        return answer

    def events(self, verb: str, args: dict[str, object]) -> Iterator[dict[str, object]]:
        """The raw events of an answer, as they come."""
        request = (
            json.dumps({"v": VERSION, "verb": verb, "args": args}, separators=(",", ":")).encode() + b"\n"
        )
        if len(request) > MAX_REQUEST:
            raise BookbagError(
                "too-large", f"cannot ask for {verb}: the request has more than {MAX_REQUEST} bytes"
            )
        with self._connect() as connection:
            try:
                connection.sendall(request)
                connection.settimeout(self._seconds)
                yield from self._lines(connection)
            except TimeoutError:
                raise self._gone("it does not answer") from None
            except OSError as problem:
                raise self._gone(problem.strerror or str(problem)) from None

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # through /proc, because a socket's own address may have 107 bytes only
            directory = os.open(os.path.dirname(self._path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                self._dial(connection, f"/proc/self/fd/{directory}/{os.path.basename(self._path)}")
            finally:
                os.close(directory)
            connection.settimeout(CONNECT_SECONDS)
        except OSError as problem:
            connection.close()
            raise self._gone(problem.strerror or str(problem)) from None
        return connection

    @staticmethod
    def _dial(connection: socket.socket, address: str) -> None:
        """Connect; while the queue of those who wait is full, for CONNECT_SECONDS."""
        connection.setblocking(False)
        end = time.monotonic() + CONNECT_SECONDS
        while True:
            try:
                connection.connect(address)
                return
            except BlockingIOError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)

    @staticmethod
    def _lines(connection: socket.socket) -> Iterator[dict[str, object]]:
        buffer = b""
        while data := connection.recv(64 << 10):
            *lines, buffer = (buffer + data).split(b"\n")
            if len(buffer) > MAX_EVENT:
                raise BookbagError("too-large", "cannot take the answer: one event of it is too long")
            for line in lines:
                try:
                    event = json.loads(line)
                except ValueError:
                    raise BookbagError(
                        "internal", "cannot understand the answer: it is not JSON lines"
                    ) from None
                if isinstance(event, dict):
                    yield event

    def _gone(self, why: str) -> BookbagError:
        return BookbagError(
            "not-running",
            f"cannot reach the supervisor: {why}",
            place=self._path,
            remedy="start it with `systemctl start bookbag` (in a sandbox: `bookbag run --root DIR`)",
        )
