"""How this machine is, as psutil says, and /sys where psutil does not: how worn a battery is, what kind of
machine this is.

psutil takes longer to load than all of this to run, so only the worker that reports loads this module.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

import psutil

from agent.host.base import Battery

T = TypeVar("T")

#: What SMBIOS calls a machine's case (DSP0134, table 17), as far as it matters.
_CHASSIS = {
    **dict.fromkeys((8, 9, 10, 14), "laptop"),
    **dict.fromkeys((31, 32), "convertible"),
    **dict.fromkeys((11, 30), "tablet"),
    **dict.fromkeys((3, 4, 5, 6, 7, 13, 15, 16, 35, 36), "desktop"),
}
#: Makers of machines that are programs.
_VIRTUAL = ("bochs", "innotek", "kvm", "microsoft corporation virtual", "parallels", "qemu", "vmware", "xen")
#: What calls itself the processor's sensor, best first: chips of Intel's and AMD's, then zones.
_PROCESSORS = ("coretemp", "k10temp", "zenpower", "x86_pkg_temp", "cpu", "soc", "acpitz")
_MOST = 1 << 16  #: bytes of a file that says one thing
RESTART = "/run/reboot-required"


class LinuxSensors:
    """Sensors of this machine; ``root`` (tests) is where its disk, and our own part of /sys and /run, are."""

    def __init__(self, root: str = "") -> None:
        self._root = root

    def battery(self) -> Battery | None:
        for folder in self._folders("/sys/class/power_supply"):
            if self._text(f"{folder}/type") != "Battery" or self._text(f"{folder}/scope") == "Device":
                continue  # a mains adapter; a mouse
            new = self._number(f"{folder}/energy_full_design") or self._number(f"{folder}/charge_full_design")
            full = self._number(f"{folder}/energy_full") or self._number(f"{folder}/charge_full")
            health = min(120, full * 100 // new) if new and full else None
            cycles = self._number(f"{folder}/cycle_count")
            return Battery(self._number(f"{folder}/capacity"), health, cycles or None)
        return None

    def disk(self) -> tuple[int, int] | None:
        def ask() -> tuple[int, int]:
            found = psutil.disk_usage(f"{self._root}/")
            return found.total, found.free

        return _known(ask)

    def memory(self) -> tuple[int, int] | None:
        def ask() -> tuple[int, int]:
            found = psutil.virtual_memory()
            return found.total, found.available

        return _known(ask)

    def cpu(self) -> tuple[int, int] | None:
        def ask() -> tuple[int, int]:
            times = psutil.cpu_times()
            idle = times.idle + times.iowait
            busy = times.user + times.nice + times.system + times.irq + times.softirq + times.steal
            # what guests use is in user and nice already
            return round(busy * 1000), round((busy + idle) * 1000)

        return _known(ask)

    def temperature(self) -> int | None:
        def ask() -> int | None:
            found = psutil.sensors_temperatures()
            names = (name for start in _PROCESSORS for name in sorted(found) if name.startswith(start))
            return next((int(found[name][0].current) for name in names if found[name]), None)

        return _known(ask)

    def restart_needed(self) -> bool | None:
        return os.path.exists(f"{self._root}{RESTART}")

    def chassis(self) -> str:
        maker = self._text("/sys/class/dmi/id/sys_vendor").lower()
        product = self._text("/sys/class/dmi/id/product_name").lower()
        if f"{maker} {product}".startswith(_VIRTUAL):
            return "virtual"
        return _CHASSIS.get(self._number("/sys/class/dmi/id/chassis_type") or 0, "other")

    def _folders(self, folder: str) -> list[str]:
        try:
            return [f"{folder}/{name}" for name in sorted(os.listdir(self._root + folder))[:64]]
        except OSError:
            return []

    def _number(self, path: str) -> int | None:
        text = self._text(path)
        plain = text.removeprefix("-")
        return int(text) if plain.isascii() and plain.isdecimal() and len(plain) < 18 else None

    def _text(self, path: str) -> str:
        """What a file of the kernel's says; "" if it is not there, or answers with an error."""
        try:
            fd = os.open(self._root + path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            return ""
        try:
            return os.read(fd, _MOST).decode("utf-8", errors="replace").strip("\0 \t\n")
        except OSError:
            return ""
        finally:
            os.close(fd)


def _known(ask: Callable[[], T | None]) -> T | None:
    """What psutil says; None whatever goes wrong there on kernels, in containers, with firmware."""
    try:
        return ask()
    except Exception:
        return None
