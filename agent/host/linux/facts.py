"""What kind of machine this is, as firmware, os-release and the user database say."""

from __future__ import annotations

import os
import platform
import pwd
from collections.abc import Mapping

from agent.host.uids import FIRST_PERSON, LAST_PERSON

#: Where firmware keeps a number of this very machine, best first.
SERIALS = (
    "/sys/class/dmi/id/product_serial",
    "/sys/class/dmi/id/board_serial",
    "/sys/class/dmi/id/product_uuid",
    "/proc/device-tree/serial-number",
)
#: What makers leave in the field when they fill in nothing (compared in lower case, without spaces and dots).
MEANINGLESS = frozenset(
    (
        "0",
        "none",
        "na",
        "n/a",
        "null",
        "empty",
        "invalid",
        "default",
        "defaultstring",
        "notspecified",
        "notapplicable",
        "notavailable",
        "systemserialnumber",
        "serialnumber",
        "tobefilledbyoem",
        "oem",
        "unknown",
        "123456789",
        "1234567890",
        "03000200-0400-0500-0006-000700080009",
    )
)


class LinuxFacts:
    """Facts of this machine; ``root`` (tests) is where /sys, /proc and /etc are found."""

    def __init__(self, root: str = "") -> None:
        self._root = root

    def serial(self) -> str:
        for path in SERIALS:
            text = _first_line(self._root + path)
            if means_something(text):
                return text
        return ""

    def system(self) -> Mapping[str, str]:
        release = os_release(_text(f"{self._root}/etc/os-release"))
        return {
            "os": release.get("ID", "linux"),
            "version": release.get("VERSION_ID", ""),
            "arch": platform.machine(),
            "host": "linux",
        }

    def users(self) -> tuple[str, ...]:
        return tuple(
            sorted({entry.pw_name for entry in pwd.getpwall() if FIRST_PERSON <= entry.pw_uid <= LAST_PERSON})
        )

    def lock_grade(self) -> int:
        from agent.host.linux.grade import Grade

        return Grade(self._root, self.serial()).now()


def means_something(serial: str) -> bool:
    """Whether a serial number tells this machine from others of its make."""
    plain = serial.lower().replace(" ", "").replace(".", "")
    return len(set(plain) - {"-"}) > 1 and plain not in MEANINGLESS


def os_release(text: str) -> dict[str, str]:
    """The assignments of os-release(5), without their quotes."""
    found = {}
    for line in text.split("\n"):
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            found[name] = value.strip("\"'")
    return found


def _first_line(path: str) -> str:
    return _text(path).split("\n")[0].strip("\0 \t")


def _text(path: str) -> str:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(fd, 1 << 16).decode("utf-8", errors="replace")
    except OSError:
        return ""  # firmware that answers with an error
    finally:
        os.close(fd)
