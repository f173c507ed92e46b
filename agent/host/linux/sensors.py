"""How this machine is, as /proc and /sys say. Read directly: a library for it would take longer to load than
all of this to run.
"""

from __future__ import annotations

import os

from agent.host.base import Battery

#: What SMBIOS calls a machine's case (DSP0134, table 17), as far as it matters.
_CHASSIS = {
    **dict.fromkeys((8, 9, 10, 14), "laptop"),
    **dict.fromkeys((31, 32), "convertible"),
    **dict.fromkeys((11, 30), "tablet"),
    **dict.fromkeys((3, 4, 5, 6, 7, 13, 15, 16, 35, 36), "desktop"),
}
#: Makers of machines that are programs.
_VIRTUAL = ("bochs", "innotek", "kvm", "microsoft corporation virtual", "parallels", "qemu", "vmware", "xen")
#: Thermal zones that tell the processor's temperature, best first.
_ZONES = ("x86_pkg_temp", "cpu-thermal", "cpu_thermal", "soc-thermal", "acpitz")
_MOST = 1 << 16  #: bytes of a file that says one thing
RESTART = "/run/reboot-required"


class LinuxSensors:
    """Sensors of this machine; ``root`` (tests) is where /sys, /proc and /run are found."""

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
        try:
            found = os.statvfs(f"{self._root}/")
        except OSError:
            return None
        return found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize

    def memory(self) -> tuple[int, int] | None:
        said: dict[str, int] = {}
        for line in self._text("/proc/meminfo").split("\n"):
            name, _, rest = line.partition(":")
            number = rest.strip().removesuffix(" kB")
            if number.isascii() and number.isdecimal():
                said[name] = int(number) << 10
        if "MemTotal" not in said or "MemAvailable" not in said:
            return None
        return said["MemTotal"], said["MemAvailable"]

    def cpu(self) -> tuple[int, int] | None:
        words = self._text("/proc/stat").partition("\n")[0].split()
        if words[:1] != ["cpu"] or len(words) < 9 or not all(word.isdecimal() for word in words[1:9]):
            return None
        # user nice system idle iowait irq softirq steal; what guests use is in user already
        ticks = [int(word) for word in words[1:9]]
        tick = 1000 // os.sysconf("SC_CLK_TCK")
        whole = sum(ticks)
        return (whole - ticks[3] - ticks[4]) * tick, whole * tick

    def temperature(self) -> int | None:
        found: dict[str, int] = {}
        for folder in self._folders("/sys/class/thermal"):
            degrees = self._number(f"{folder}/temp")
            if degrees is not None:
                found.setdefault(self._text(f"{folder}/type"), degrees // 1000)
        return next((found[zone] for zone in _ZONES if zone in found), None)

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
