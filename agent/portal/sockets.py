"""Where the portal listens: sockets that the service manager hands over, or that it opens itself in a
sandbox."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from agent.core.errors import BookbagError

PORT = 8642
HOST = "127.0.0.1"
_FIRST = 3  #: SD_LISTEN_FDS_START


@dataclass(frozen=True, slots=True)
class Sockets:
    """One listening socket for each origin; ``peers`` asks the kernel who is at the other end, None: make
    one."""

    portal: socket.socket
    content: socket.socket
    peers: socket.socket | None = None

    def close(self) -> None:
        """Give them back."""
        for sock in (self.portal, self.content, self.peers):
            if sock is not None:
                sock.close()


def inherited(environment: Mapping[str, str] = os.environ) -> Sockets:
    """Those that systemd hands over by the names portal, content and peers (sd_listen_fds). Raises
    ``not-allowed``."""
    names = environment.get("LISTEN_FDNAMES", "").split(":")
    if environment.get("LISTEN_PID") != str(os.getpid()) or environment.get("LISTEN_FDS") != str(len(names)):
        raise _not_handed_over()
    found: dict[str, socket.socket] = {}
    for at, name in enumerate(names):
        sock = socket.socket(fileno=_FIRST + at)
        os.set_inheritable(sock.fileno(), False)
        # the portal's unit names its netlink socket like its other one
        found["peers" if sock.family == socket.AF_NETLINK else name] = sock
    if not {"portal", "content", "peers"} <= found.keys():
        raise _not_handed_over()
    return Sockets(found["portal"], found["content"], found["peers"])


def opened(port: int = PORT) -> Sockets:
    """Sockets of our own on ``port`` and the one after it (0: two free ones). Raises ``network``."""
    try:
        first = _listening(port)
    except OSError as problem:
        raise _taken(port, problem) from None
    try:
        return Sockets(first, _listening(port + 1 if port else 0))
    except OSError as problem:
        first.close()
        raise _taken(port + 1, problem) from None


def _listening(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((HOST, port))
        sock.listen(256)
    except OSError:
        sock.close()
        raise
    return sock


def _taken(port: int, problem: OSError) -> BookbagError:
    return BookbagError(
        "network",
        f"cannot open the portal: {problem.strerror}",
        place=f"{HOST}:{port}",
        remedy="another program has the port; choose two free ones with --port",
    )


def _not_handed_over() -> BookbagError:
    return BookbagError(
        "not-allowed",
        "cannot serve: systemd hands over no sockets",
        remedy="bookbag-portal.socket starts it; for a laptop in a folder: `bookbag portal --root DIR`",
    )
