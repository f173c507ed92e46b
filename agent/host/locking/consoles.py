"""consoles: the keyboard of the machine leads nowhere but to the locker.

Switching to another virtual terminal starts no login there; control-alt-delete and the magic SysRq keys do
nothing, now and after a restart.
"""

from __future__ import annotations

from agent.core.errors import BookbagError
from agent.core.model import State
from agent.host.base import Files, Node
from agent.host.locking.ports import Console, Units
from agent.host.recorded import put_back, record

#: Path → what is there while the laptop is locked.
CLOSED = {
    "/etc/systemd/logind.conf.d/90-bookbag-lock.conf": Node(
        "file", 0o644, content=b"[Login]\nNAutoVTs=0\nReserveVT=0\n"
    ),
    "/etc/systemd/system/ctrl-alt-del.target": Node("symlink", 0o777, content=b"/dev/null"),
    # The last of all: systemd-sysctl reads the files in the order of their names.
    "/etc/sysctl.d/99-zz-bookbag-lock.conf": Node("file", 0o644, content=b"kernel.sysrq = 0\n"),
}


class Consoles:
    """Drop-ins and links for the keys and virtual terminals, and the kernel's own setting of SysRq."""

    name = "consoles"

    def __init__(self, files: Files, units: Units, console: Console) -> None:
        self._files = files
        self._units = units
        self._console = console

    def observe(self) -> State:
        """As `agent.host.base.LockLayer.observe`."""
        return {**record(self._files, *CLOSED), "sysrq": self._console.sysrq()}

    def close(self) -> None:
        """As `agent.host.base.LockLayer.close`."""
        for path, node in CLOSED.items():
            self._files.make_parents(path)
            self._files.write(path, node)
        self._take_effect()
        if self._console.sysrq() is not None:
            self._console.set_sysrq(0)

    def closed(self) -> bool:
        """As `agent.host.base.LockLayer.closed`."""
        there = all(self._files.read(path) == node for path, node in CLOSED.items())
        return there and not self._console.sysrq()

    def restore(self, prior: State) -> None:
        """As `agent.host.base.LockLayer.restore`."""
        sysrq = prior.get("sysrq")
        if sysrq is not None and not isinstance(sysrq, int):
            raise BookbagError("state-corrupt", "cannot give the keys back: they were not recorded")
        put_back(self._files, prior)
        self._take_effect()
        if sysrq is not None and self._console.sysrq() is not None:
            self._console.set_sysrq(sysrq)

    def _take_effect(self) -> None:
        self._units.reload()
        self._console.reread()
