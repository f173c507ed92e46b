"""The keyboard of a real machine: what the kernel lets the SysRq keys do, and logind's virtual terminals."""

from __future__ import annotations

import os

from agent.core.faults import explained
from agent.host.linux.units import LinuxUnits

SYSRQ = "/proc/sys/kernel/sysrq"


class LinuxConsole:
    """The kernel's own setting at ``path`` (tests: elsewhere), and logind."""

    def __init__(self, units: LinuxUnits, path: str = SYSRQ) -> None:
        self._units = units
        self._path = path

    def sysrq(self) -> int | None:
        if not os.access(self._path, os.W_OK):
            return None
        try:
            with open(self._path, encoding="ascii") as file:
                text = file.read(64).strip()
        except OSError:
            return None
        return int(text) if text.isdigit() else None

    def set_sysrq(self, value: int) -> None:
        try:
            with open(self._path, "w", encoding="ascii") as file:
                file.write(f"{value}\n")
        except OSError as error:
            raise explained(error, "set what SysRq may do", self._path) from error

    def reread(self) -> None:
        self._units.signal("systemd-logind.service", "HUP")
