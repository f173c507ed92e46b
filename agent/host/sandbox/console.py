"""The keyboard of the laptop in a folder: what SysRq may do is noted in DIR/.sandbox/console.json."""

from __future__ import annotations

from agent.host.base import Files
from agent.host.locking.consoles import CLOSED
from agent.host.sandbox.notes import Notes

SYSRQ = 438  #: Debian's own


class SandboxConsole:
    """The keys noted in ``notes``; there is no screen."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def sysrq(self) -> int | None:
        value = self._notes.read().get("sysrq", SYSRQ)
        return value if isinstance(value, int) else None

    def set_sysrq(self, value: int) -> None:
        self._notes.put("sysrq", value)

    def reread(self) -> None:
        pass

    def restart(self, files: Files) -> None:
        """What a restart of the machine does: the setting is what sysctl.d says."""
        closed = any(files.read(path) == node for path, node in CLOSED.items() if "/sysctl.d/" in path)
        self.set_sysrq(0 if closed else SYSRQ)
