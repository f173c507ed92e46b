"""Tells systemd how the supervisor is: READY, STATUS, WATCHDOG, STOPPING, as datagrams. Without systemd,
nothing happens.
"""

from __future__ import annotations

import os
import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Notify:
    """The service manager's notification socket, from ``NOTIFY_SOCKET`` and ``WATCHDOG_USEC``."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket: socket.socket | None = None
        self._status = ""
        micros = environment.get("WATCHDOG_USEC", "")
        meant = environment.get("WATCHDOG_PID", str(os.getpid()))
        on = bool(self._address) and micros.isdecimal() and meant == str(os.getpid())
        #: Seconds between the signs of life that systemd wants; 0: none wanted.
        self.watchdog_interval = int(micros) / 2e6 if on else 0.0
        if self._address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)

    def ready(self, status: str) -> None:
        """Start-up is over."""
        self._status = status
        self._send(f"READY=1\nSTATUS={_line(status)}")

    def status(self, status: str) -> None:
        """One line for ``systemctl status``; sent only when it changed."""
        if status != self._status:
            self._status = status
            self._send(f"STATUS={_line(status)}")

    def alive(self) -> None:
        """The loop still turns."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The end has begun."""
        self._send("STOPPING=1")

    def close(self) -> None:
        """Give the socket back."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, text: str) -> None:
        if self._socket is None:
            return
        try:  # noqa: SIM105  # contextlib stays out of the resident
            self._socket.sendto(text.encode("utf-8", "replace"), self._address)
        except OSError:
            pass  # nobody listens: the laptop is looked after all the same


def _line(text: str) -> str:
    return text.replace("\n", " ")
