"""Starting workers: by the service manager on a laptop, as child processes in the sandbox.

Part of the resident process: no dataclasses, no typing, no subprocess.
"""

from __future__ import annotations

import os
import signal
import socket
import sys

from agent.core.errors import BookbagError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.core.layout import Layout
    from agent.host.base import Worker, Workers

READ_SIZE = 1 << 16
#: Every worker's unit runs in this slice (installer/systemd), so that its control groups are found by name.
SLICE = "/sys/fs/cgroup/bookbag.slice"
#: Limits of a child process: what the units say with MemoryMax= and the like.
MAX_ADDRESS_SPACE = 1 << 30  #: bytes
MAX_FILE_SIZE = 256 << 20  #: bytes
MAX_OPEN_FILES = 512


def open_workers(layout: Layout) -> Workers:
    """How workers are started on the laptop at ``layout``."""
    return ChildWorkers(layout) if layout.root else SystemdWorkers(layout)


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
            connection.sendall(_line(request))
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
        return _received(self._connection)

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


class ChildWorkers:
    """Workers as child processes of this one: its user, their own session, limits on what they may use."""

    def __init__(self, layout: Layout, program: Sequence[str] | None = None) -> None:
        """``program`` is what precedes ``worker NAME --root DIR``; None: this very program."""
        self._layout = layout
        self._program = tuple(program) if program is not None else this_program()

    def start(self, name: str, request: bytes) -> Worker:
        """As `agent.host.base.Workers.start`. Raises ``not-running`` if no process could be started."""
        line = _line(request)
        ours, theirs = socket.socketpair()
        _keep_descriptors()
        try:
            # The request must fit into the socket's buffer: nobody reads yet.
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * len(line) + 4096)
            argv = [*self._program, "worker", name, "--root", self._layout.root or "/"]
            pid = os.posix_spawn(
                argv[0],
                argv,
                _environment(),
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, theirs.fileno(), 0),
                    (os.POSIX_SPAWN_DUP2, theirs.fileno(), 1),
                ],
                setsid=True,
                setsigmask=(),
                setsigdef=(signal.SIGPIPE, signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP),
            )
        except OSError as error:
            ours.close()
            raise BookbagError(
                "not-running", f"cannot start worker {name}: {error.strerror or error}"
            ) from error
        finally:
            theirs.close()
        worker = ChildWorker(ours, pid)
        try:
            _limit(pid)
            ours.settimeout(2.0)
            ours.sendall(line)
            ours.setblocking(False)
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
        return _received(self._connection)

    def stop(self) -> None:
        """As `agent.host.base.Worker.stop`; also takes note of a worker that has ended by itself."""
        self._connection.close()
        if self._pid <= 0:
            return
        # The resident does without contextlib.
        try:  # noqa: SIM105
            os.killpg(self._pid, signal.SIGKILL)
        except OSError:
            pass  # it has ended, and so has everything it started
        try:  # noqa: SIM105
            os.waitpid(self._pid, 0)
        except ChildProcessError:
            pass  # somebody else waited for it
        self._pid = 0


def this_program() -> tuple[str, ...]:
    """How to start a worker: the frozen executable, or this interpreter with our package, behind walls."""
    if getattr(sys, "frozen", False):
        return (sys.executable,)
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    # argv is -c worker NAME --root DIR. The walls stand before anything else of ours is imported.
    begin = (
        f"import sys; sys.path.insert(0, {here!r}); "
        "from agent.host.walls import raise_walls; raise_walls(sys.argv[2], sys.argv[4]); "
        "from agent.cli.main import main; sys.exit(main())"
    )
    # -I: neither the working directory nor the environment decides what is imported.
    return (sys.executable, "-I", "-c", begin)


def _keep_descriptors() -> None:
    """What we were ourselves started with goes no further than us."""
    for name in os.listdir("/proc/self/fd"):
        try:
            if int(name) > 2:
                os.set_inheritable(int(name), False)
        except OSError:
            continue  # the listing's own, closed by now


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


def _limit(pid: int) -> None:
    import resource

    for what, most in (
        (resource.RLIMIT_AS, MAX_ADDRESS_SPACE),
        (resource.RLIMIT_FSIZE, MAX_FILE_SIZE),
        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.prlimit(pid, what, (limit, limit))


def _line(request: bytes) -> bytes:
    if b"\n" in request[:-1]:
        raise BookbagError("bad-request", "cannot hand over a request of several lines")
    return request if request.endswith(b"\n") else request + b"\n"


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(READ_SIZE)
    except ConnectionError:
        return b""  # it was killed with our bytes unread: ended all the same
