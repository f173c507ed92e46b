"""The service manager of the laptop in a folder: names of units in DIR/.sandbox/units.json, nothing runs.

Enough of it for locking: which units are active, what isolating a target leaves, what a restart brings.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from agent.host.base import Files
from agent.host.locking.boot_target import DEFAULT, LOCK, NETWORK, TARGET
from agent.host.sandbox.notes import Notes

#: What runs after a restart of a laptop that is not locked.
BOOTED = (
    *("NetworkManager.service", "apt-daily-upgrade.timer", "apt-daily.timer", "basic.target"),
    *("bookbag.service", "cron.service", "cups.service", "display-manager.service", "getty.target"),
    *("getty@tty1.service", "graphical.target", "multi-user.target", "ssh.service"),
    *("systemd-timesyncd.service", "unattended-upgrades.service"),
)
ALWAYS = ("basic.target", "bookbag.service")
OF_THE_NETWORK = ("NetworkManager.service",)
LOCKER = "bookbag-locker@tty1.service"


class SandboxUnits:
    """The units noted in ``notes``; ``files`` says what the lock target wants."""

    def __init__(self, files: Files, notes: Notes) -> None:
        self._files = files
        self._notes = notes
        notes.begin({"active": list(BOOTED)})

    def standing(self) -> tuple[str, ...]:
        return tuple(unit for unit in self._notes.texts("active") if not unit.startswith("bookbag"))

    def active(self, patterns: Iterable[str]) -> tuple[str, ...]:
        wanted = tuple(patterns)
        return tuple(
            unit for unit in self._notes.texts("active") if any(fnmatchcase(unit, one) for one in wanted)
        )

    def network(self) -> tuple[str, ...]:
        return self.active(OF_THE_NETWORK)

    def reload(self) -> None:
        pass  # nothing is remembered between two questions

    def isolate(self, target: str) -> None:
        node = self._files.read(NETWORK) if target == LOCK else None
        wants = node.content.decode().rpartition("=")[2].split() if node is not None else []
        self._put({target, *ALWAYS, *wants, *((LOCKER,) if target == LOCK else ())})

    def start(self, units: Iterable[str]) -> None:
        self._put({*self._notes.texts("active"), *units})

    def stop(self, patterns: Iterable[str]) -> None:
        self._put(set(self._notes.texts("active")) - set(self.active(patterns)))

    def restart(self) -> None:
        """What a restart of the machine does."""
        link = self._files.read(DEFAULT)
        if link is not None and link.content == TARGET.encode():
            self.isolate(LOCK)
        else:
            self._put(set(BOOTED))

    def _put(self, units: set[str]) -> None:
        self._notes.put("active", sorted(units))
