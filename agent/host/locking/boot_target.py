"""boot-target: the machine starts into bookbag-lock.target, and is there now.

That target wants the network, Bookbag and the locker; display managers, gettys and sshd conflict with it
(installer/systemd). Isolating it stops everything else, known or not, that may let people in: kiosks, remote
desktops, web terminals. What ran by standing order is noted and started again.
"""

from __future__ import annotations

from agent.core.errors import BookbagError
from agent.core.model import State
from agent.host.base import Files, Node
from agent.host.locking.ports import Units
from agent.host.recorded import put_back, record

LOCK = "bookbag-lock.target"
LOCKER = "bookbag-locker@*.service"
DEFAULT = "/etc/systemd/system/default.target"
TARGET = f"/usr/lib/systemd/system/{LOCK}"
NETWORK = f"/etc/systemd/system/{LOCK}.d/10-network.conf"
#: What must not run on a locked laptop, whoever starts it.
WAYS_IN = (
    "graphical.target",
    "display-manager.service",
    *("gdm.service", "gdm3.service", "greetd.service", "lightdm.service", "lxdm.service", "sddm.service"),
    *("slim.service", "xdm.service", "ly.service", "nodm.service"),
    *("getty.target", "getty@*.service", "autovt@*.service", "serial-getty@*.service"),
    *("console-getty.service", "container-getty@*.service", "debug-shell.service"),
    *("ssh.service", "ssh.socket", "ssh@*.service", "sshd.service", "sshd.socket", "sshd@*.service"),
)


class BootTarget:
    """The default target, what the network needs on a locked laptop, and what runs."""

    name = "boot-target"

    def __init__(self, files: Files, units: Units) -> None:
        self._files = files
        self._units = units

    def observe(self) -> State:
        """As `agent.host.base.LockLayer.observe`."""
        return {
            **record(self._files, DEFAULT, NETWORK),
            "ways": self._units.active(WAYS_IN),
            "standing": self._units.standing(),
        }

    def close(self) -> None:
        """As `agent.host.base.LockLayer.close`."""
        if self._files.read(NETWORK) is None:  # a second time, on a locked laptop, less may be running
            wants = " ".join(self._units.network())
            self._files.make_parents(NETWORK)
            self._files.write(NETWORK, Node("file", 0o644, content=f"[Unit]\nWants={wants}\n".encode()))
        self._files.make_parents(DEFAULT)
        self._files.write(DEFAULT, Node("symlink", 0o777, content=TARGET.encode()))
        self._units.reload()
        self._units.isolate(LOCK)
        self._units.stop(WAYS_IN)

    def closed(self) -> bool:
        """As `agent.host.base.LockLayer.closed`."""
        link = self._files.read(DEFAULT)
        leads = link is not None and link.kind == "symlink" and link.content == TARGET.encode()
        return leads and bool(self._units.active((LOCK,))) and not self._units.active(WAYS_IN)

    def restore(self, prior: State) -> None:
        """As `agent.host.base.LockLayer.restore`."""
        standing, ways = prior.get("standing"), prior.get("ways")
        if not isinstance(standing, (tuple, list)) or not isinstance(ways, (tuple, list)):
            raise BookbagError("state-corrupt", "cannot start again what ran before: it was not recorded")
        put_back(self._files, prior)
        self._units.reload()
        self._units.stop((LOCK, LOCKER))
        self._units.start(sorted({str(unit) for unit in (*standing, *ways)}))
