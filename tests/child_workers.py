"""Workers that are programs of a test's own, each a child process; workers' contract suite holds them too."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Sequence

from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.host.base import Worker
from agent.host.children import hand_over, spawn
from agent.host.workers import one_line, received


class ChildWorkers:
    """Workers as child processes of this one: its user, their own session, limits on what they may use."""

    def __init__(self, layout: Layout, program: Sequence[str]) -> None:
        """``program`` is what precedes ``worker NAME --root DIR``."""
        self._layout = layout
        self._program = tuple(program)

    def start(self, name: str, request: bytes) -> Worker:
        """As `agent.host.base.Workers.start`. Raises ``not-running`` if no process could be started."""
        line = one_line(request)
        argv = (*self._program, "worker", name, "--root", self._layout.root or "/")
        ours, theirs = socket.socketpair()
        try:
            pid = spawn(argv, theirs)
        except OSError as error:
            ours.close()
            raise BookbagError(
                "not-running", f"cannot start worker {name}: {error.strerror or error}"
            ) from error
        finally:
            theirs.close()
        worker = ChildWorker(ours, pid)
        try:
            hand_over(ours, pid, line)
        except OSError as error:
            worker.stop()
            raise BookbagError(
                "not-running", f"cannot hand worker {name} its request: {error.strerror or error}"
            ) from error
        return worker


class ChildWorker:
    """One child process and the socket that is its standard input and output."""

    def __init__(self, connection: socket.socket, pid: int) -> None:
        self._connection = connection
        self._pid = pid

    def fileno(self) -> int:
        """As `agent.host.base.Worker.fileno`."""
        return self._connection.fileno()

    def read(self) -> bytes:
        """As `agent.host.base.Worker.read`."""
        return received(self._connection)

    def stop(self) -> None:
        """As `agent.host.base.Worker.stop`; also takes note of a worker that has ended by itself."""
        self._connection.close()
        if self._pid <= 0:
            return
        with contextlib.suppress(OSError):  # it has ended, and so has everything it started
            os.killpg(self._pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):  # somebody else waited for it
            os.waitpid(self._pid, 0)
        self._pid = 0
