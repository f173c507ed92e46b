"""Starting workers on a laptop: the service manager does it.

Part of the resident process: no dataclasses, no typing, no subprocess.
"""

from __future__ import annotations

import os
import socket

from agent.core.errors import BookbagError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agent.core.layout import Layout
    from agent.host.base import Worker

READ_SIZE = 1 << 16
#: Every worker's unit runs in this slice (installer/systemd), so that its control groups are found by name.
SLICE = "/sys/fs/cgroup/bookbag.slice"


class SystemdWorkers:
    """Each connection to a worker's socket makes the service manager start one, as its unit entitles it."""

    def __init__(self, layout: Layout, *, slice_directory: str = SLICE) -> None:
        self._layout = layout
        self._slice = slice_directory

    def start(self, name: str, request: bytes) -> Worker:
        """As `agent.host.base.Workers.start`. Raises ``not-running`` if the unit's socket does not answer."""
        path = self._layout.worker_socket(name)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # Bounds a full backlog or a worker that does not read; the resident must never hang here.
            connection.settimeout(2.0)
            connection.connect(path)
            connection.sendall(one_line(request))
        except OSError as error:
            connection.close()
            raise BookbagError(
                "not-running",
                f"cannot start worker {name}: {error.strerror or error}",
                place=path,
                remedy=f"see: systemctl status bookbag-worker-{name}.socket",
            ) from error
        return SystemdWorker(connection, name, self._slice)


class SystemdWorker:
    """One connection to a worker that the service manager runs."""

    def __init__(self, connection: socket.socket, name: str, slice_directory: str) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._name = name
        self._slice = slice_directory

    def fileno(self) -> int:
        """As `agent.host.base.Worker.fileno`."""
        return self._connection.fileno()

    def read(self) -> bytes:
        """As `agent.host.base.Worker.read`."""
        return received(self._connection)

    def stop(self) -> None:
        """As `agent.host.base.Worker.stop`: every process of the unit is killed by its control group."""
        if self._connection.fileno() < 0:
            return
        self._connection.close()
        begins = f"bookbag-worker-{self._name}@"
        try:
            units = [unit for unit in os.listdir(self._slice) if unit.startswith(begins)]
        except OSError:
            return  # no worker runs
        for unit in units:
            try:
                with open(f"{self._slice}/{unit}/cgroup.kill", "w", encoding="ascii") as file:
                    file.write("1")
            except OSError:
                continue  # it has just ended


def one_line(request: bytes) -> bytes:
    """``request`` as it is handed over. Raises ``bad-request`` if it is several lines."""
    if b"\n" in request[:-1]:
        raise BookbagError("bad-request", "cannot hand over a request of several lines")
    return request if request.endswith(b"\n") else request + b"\n"


def received(connection: socket.socket) -> bytes:
    """What a worker said; b"" when it has ended. Raises BlockingIOError if it says nothing now."""
    try:
        return connection.recv(READ_SIZE)
    except ConnectionError:
        return b""  # it was killed with our bytes unread: ended all the same
