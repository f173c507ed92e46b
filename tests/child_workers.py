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
from agent.host.forked import ProcessWorker
from agent.host.workers import one_line


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
        worker = ProcessWorker(ours, pid, _end)
        try:
            hand_over(ours, pid, line)
        except OSError as error:
            worker.stop()
            raise BookbagError(
                "not-running", f"cannot hand worker {name} its request: {error.strerror or error}"
            ) from error
        return worker


def _end(pid: int) -> None:
    with contextlib.suppress(OSError):  # it has ended, and so has everything it started
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):  # somebody else waited for it
        os.waitpid(pid, 0)
