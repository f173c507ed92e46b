"""The ssh server of a real machine, asked by its own test mode for one person's connection."""

from __future__ import annotations

from agent.core.errors import BookbagError
from agent.host.linux.services import LinuxServices
from agent.host.processes import run
from agent.host.remote_login import UNIT

SSHD = "/usr/sbin/sshd"
SECONDS = 20.0
#: From no network of this machine's.
_FROM = "host=elsewhere.invalid,addr=192.0.2.1"


class LinuxRemoteLogin:
    """``sshd -T``, which reads all files and rules as the server does."""

    def __init__(self, services: LinuxServices) -> None:
        self._services = services

    def says(self, user: str) -> dict[str, str] | None:
        if not self._services.state(UNIT).active:
            return None
        ended = run((SSHD, "-T", "-C", f"user={user},{_FROM}"), timeout=SECONDS)
        if ended.status != 0:
            raise BookbagError("not-supported", f"cannot ask the ssh server: {ended.complaint}")
        found: dict[str, str] = {}
        for line in ended.text.splitlines():
            keyword, _, value = line.partition(" ")
            found[keyword] = f"{found[keyword]} {value}" if keyword in found else value
        return found
