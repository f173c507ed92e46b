"""The clocks of a real machine, and whether the kernel says that one of them is disciplined."""

from __future__ import annotations

import ctypes
import os
import time

STA_UNSYNC = 0x40
TIME_ERROR = 5
#: systemd-timesyncd makes this when it first agrees with a server; it goes with /run at every boot.
TIMESYNCD = "/run/systemd/timesync/synchronized"


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2), as far as we read it; the kernel writes 208 bytes."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("room", ctypes.c_long * 32),
    )


class LinuxClock:
    """Readings of this machine."""

    def wall(self) -> int:
        return int(time.time())

    def boottime(self) -> int:
        return int(time.clock_gettime(time.CLOCK_BOOTTIME))

    def boot_id(self) -> str:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()

    def synchronised(self) -> bool:
        timex = _Timex()
        state: int = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
        if state < 0:  # a container may not ask
            return os.path.exists(TIMESYNCD)
        return state != TIME_ERROR and not timex.status & STA_UNSYNC
