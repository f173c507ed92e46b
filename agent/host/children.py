"""Child processes of this one, with limits: for the sandbox, where no service manager does it."""

from __future__ import annotations

import os
import signal
import socket
import sys

#: Limits of a child process: what the units say with MemoryMax= and the like.
MAX_ADDRESS_SPACE = 1 << 30  #: bytes
MAX_FILE_SIZE = 256 << 20  #: bytes
MAX_OPEN_FILES = 512
HAND_OVER_SECONDS = 2.0


def this_program() -> tuple[str, ...]:
    """How to start a worker: the frozen executable, or this interpreter with our package."""
    if getattr(sys, "frozen", False):
        return (sys.executable,)
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    begin = f"import sys; sys.path.insert(0, {here!r}); from agent.cli.main import main; sys.exit(main())"
    # -I: neither the working directory nor the environment decides what is imported.
    return (sys.executable, "-I", "-c", begin)


def spawn(argv: tuple[str, ...], connection: socket.socket) -> int:
    """Start ``argv`` in a session of its own, with ``connection`` as standard input and output and nothing
    else of ours; its process id. Raises OSError."""
    _keep_descriptors()
    return os.posix_spawn(
        argv[0],
        argv,
        _environment(),
        file_actions=[
            (os.POSIX_SPAWN_DUP2, connection.fileno(), 0),
            (os.POSIX_SPAWN_DUP2, connection.fileno(), 1),
        ],
        setsid=True,
        setsigmask=(),
        setsigdef=(signal.SIGPIPE, signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP),
    )


def hand_over(connection: socket.socket, pid: int, line: bytes) -> None:
    """Limit what process ``pid`` may use, and only then send it its request. Raises OSError."""
    _limit(pid)
    # The whole request fits into the socket's buffer: perhaps nobody reads yet.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * len(line) + 4096)
    connection.settimeout(HAND_OVER_SECONDS)
    connection.sendall(line)
    connection.setblocking(False)


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
