"""Starting workers by forking a process in which everything is loaded already: in the sandbox.

On a laptop a worker starts some times an hour. In a demonstration twelve laptops start hundreds in a minute,
and loading the same modules anew each time would be most of what is done.

The fork server (`agent.host.forkserver`) is a child process that imports, then waits on a socket for
``start NAME`` with a descriptor, and answers with the process id of a fork that has that descriptor as its
standard input and output; or for ``end PID``. It ends when this process does.
"""

from __future__ import annotations

import os
import signal
import socket

from agent.core.errors import BookbagError
from agent.host.children import hand_over, spawn, this_program
from agent.host.workers import one_line, received

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.core.layout import Layout
    from agent.host.base import Worker

FORK_SERVER = "fork-server"  #: what it is called among the workers
#: Until it answers: the first answer comes after its imports.
ANSWER_SECONDS = 30.0
_LONGEST_ANSWER = 32


class ForkedWorkers:
    """Workers as forks of one child process: its user, their own session, limits on what they may use."""

    def __init__(self, layout: Layout, program: Sequence[str] | None = None) -> None:
        """``program`` is what precedes ``worker fork-server --root DIR``; None: this very program."""
        program = this_program() if program is None else program
        self._argv = (*program, "worker", FORK_SERVER, "--root", layout.root or "/")
        self._server: socket.socket | None = None
        self.pid = 0  #: of the fork server, while there is one

    def start(self, name: str, request: bytes) -> Worker:
        """As `agent.host.base.Workers.start`. Raises ``not-running`` if no process could be started."""
        line = one_line(request)
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                pid = self._fork(name, theirs)
            hand_over(ours, pid, line)
        except OSError as error:
            ours.close()
            self.close()
            raise BookbagError(
                "not-running", f"cannot start worker {name}: {error.strerror or error}"
            ) from error
        return ProcessWorker(ours, pid, self.end)

    def end(self, pid: int) -> None:
        """Kill fork ``pid`` and all that it started, and take note of its end."""
        if self._server is None:
            return
        try:
            _ask(self._server, b"end %d" % pid)
        except OSError:
            self.close()

    def close(self) -> None:
        """End the fork server (idempotent); the next worker gets a new one."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        try:  # noqa: SIM105 - the resident does without contextlib
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        try:  # noqa: SIM105
            os.waitpid(self.pid, 0)
        except ChildProcessError:
            pass  # somebody else waited for it

    def _fork(self, name: str, connection: socket.socket) -> int:
        """A process id. Raises OSError."""
        if self._server is None:
            self._server = self._open()
        return _ask(self._server, b"start " + name.encode(), connection.fileno())

    def _open(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self.pid = spawn(self._argv, theirs)
        except OSError:
            ours.close()
            raise
        ours.settimeout(ANSWER_SECONDS)
        return ours


class ProcessWorker:
    """One process and the socket that is its standard input and output; ``end`` kills it with all that it
    started, and takes note of its end.
    """

    def __init__(self, connection: socket.socket, pid: int, end: Callable[[int], None]) -> None:
        self._connection = connection
        self._pid = pid
        self._end = end

    def fileno(self) -> int:
        """As `agent.host.base.Worker.fileno`."""
        return self._connection.fileno()

    def read(self) -> bytes:
        """As `agent.host.base.Worker.read`."""
        return received(self._connection)

    def stop(self) -> None:
        """As `agent.host.base.Worker.stop`; also takes note of a worker that has ended by itself."""
        self._connection.close()
        if self._pid > 0:
            self._end(self._pid)
            self._pid = 0


def _ask(server: socket.socket, question: bytes, *descriptors: int) -> int:
    """The number that the fork server answers. Raises OSError if it is not there, or does not answer."""
    socket.send_fds(server, [question], list(descriptors))
    answer = server.recv(_LONGEST_ANSWER)
    if not answer.isdigit():
        raise ConnectionResetError("the process that forks workers has ended")
    return int(answer)
