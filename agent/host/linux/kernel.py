"""The switches of a real machine's kernel, in /proc/sys.

Whoever puts policy in force sees them read-only; one transient unit of systemd writes one switch.
"""

from __future__ import annotations

from contextlib import suppress

from agent.core.errors import BookbagError
from agent.host.kernel import check_switch, check_value
from agent.host.processes import run

SECONDS = 30.0
_ONCE = ("systemd-run", "--quiet", "--wait", "--collect", "--pipe", "--no-ask-password")


class LinuxKernel:
    """Linux."""

    def value(self, switch: str) -> str | None:
        with suppress(OSError, UnicodeDecodeError), open(_path(switch), encoding="ascii") as file:
            return " ".join(file.read(4096).split())
        return None

    def set(self, switch: str, value: str) -> None:
        check_value(value)
        path = _path(switch)
        if self.value(switch) == value:
            return
        ended = run((*_ONCE, "--", "/usr/bin/tee", path), timeout=SECONDS, input=f"{value}\n".encode())
        if ended.status != 0:
            why = ended.complaint or "the kernel does not take it"
            raise BookbagError("not-effective", f"cannot set {switch} to {value}: {why}", place=path)


def _path(switch: str) -> str:
    check_switch(switch)
    return f"/proc/sys/{switch.replace('.', '/')}"
