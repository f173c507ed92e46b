"""Settings of a real machine's firmware: read in /sys, written by one transient unit of systemd each, for
whoever puts policy in force sees /sys read-only.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress

from agent.core import durable, jsontext
from agent.core.errors import BookbagError
from agent.host.firmware import (
    FOLDER,
    MAKERS,
    MOST_BYTES,
    Attribute,
    attribute_of,
    believed,
    check_attribute,
    check_settable,
)
from agent.host.processes import run

SECONDS = 60.0  #: some firmware takes its time
#: What was written since the machine started; nobody else may read or write there.
GIVEN = "/run/bookbag/firmware.json"
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_ONCE = ("systemd-run", "--quiet", "--wait", "--collect", "--pipe", "--no-ask-password")


def written_by_a_unit(path: str, data: bytes) -> str:
    """Write ``data`` to a file of the kernel's; why that failed, "" if it did not."""
    ended = run((*_ONCE, "--", "/usr/bin/tee", path), timeout=SECONDS, input=data)
    return "" if ended.status == 0 else ended.complaint or "the firmware does not take it"


class LinuxFirmware:
    """``root`` stands for / in tests, ``put`` writes one file and says why it could not."""

    def __init__(self, root: str = "", put: Callable[[str, bytes], str] = written_by_a_unit) -> None:
        self._root = root
        self._put = put

    def maker(self) -> str:
        try:
            there = os.listdir(self._root + FOLDER)
        except OSError:
            return ""
        return next((name for name in sorted(there) if name in MAKERS), "")

    def find(self, attribute: str) -> Attribute | None:
        check_attribute(attribute)
        folder = self._folder(f"attributes/{attribute}")
        return attribute_of(self._read(f"{folder}/current_value"), self._read(f"{folder}/possible_values"))

    def waits(self) -> bool:
        return believed(self._read(self._folder("attributes/pending_reboot"))) == "1"

    def locked(self) -> bool:
        maker = MAKERS.get(self.maker())
        admin = self._folder(f"authentication/{maker.admin}/is_enabled") if maker else ""
        return believed(self._read(admin)) == "1"

    def set(self, attribute: str, value: str) -> None:
        found = check_settable(self, attribute, value)
        given = self._given() if self.waits() else {}
        if value in (found.value, given.get(attribute)):
            return
        place = self._folder(f"attributes/{attribute}/current_value")
        self._remember({**given, attribute: value})  # before: what is cut off here is not written twice
        if why := self._put(place, value.encode()):
            self._remember(given)
            raise BookbagError("not-effective", f"cannot set {attribute} to {value}: {why}", place=place)

    def _folder(self, below: str) -> str:
        return f"{self._root}{FOLDER}/{self.maker()}/{below}"

    def _read(self, path: str) -> bytes | None:
        with suppress(OSError):
            fd = os.open(path, _READ)
            try:
                if stat.S_ISREG(os.fstat(fd).st_mode):
                    return os.read(fd, MOST_BYTES + 1)
            finally:
                os.close(fd)
        return None

    def _given(self) -> dict[str, object]:
        """Attribute → value. Lost, it is written once more."""
        data = self._read(self._root + GIVEN)
        with suppress(BookbagError):
            found = jsontext.parse(data, what=GIVEN) if data else None
            given = found.get("given") if isinstance(found, dict) else None
            return given if isinstance(given, dict) else {}
        return {}

    def _remember(self, given: dict[str, object]) -> None:
        durable.write(self._root + GIVEN, jsontext.canonical({"v": 1, "given": given}), synced=False)
