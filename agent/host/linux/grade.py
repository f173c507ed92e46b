"""What a lock is worth on this machine, from what its files and firmware show. What was not seen is not
claimed.

The grades are of `agent.host.base.Facts.lock_grade`; each needs those before it.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator

from agent.core.errors import BookbagError
from agent.core.jsontext import parse
from agent.host.linux import volume_record
from agent.host.linux.encrypted import Encrypted
from agent.host.linux.pam import Pam
from agent.host.locking.boot_target import TARGET

LOCKER = "/usr/lib/systemd/system/bookbag-locker@.service"
#: An administrator's word that the firmware asks for a password and starts nothing from outside.
FIRMWARE = "/etc/bookbag/firmware-closed.json"
GRUB = ("/boot/grub/grub.cfg", "/boot/grub2/grub.cfg")
_GUID = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
EFI = "/sys/firmware/efi/efivars"
#: Shells that ask for root's password, and for none if told so; and one that never asks.
RESCUE = ("rescue.service", "emergency.service")
UNITS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system")
#: Where a student's data may lie, beside the root file system.
DATA = ("/home", "/var", "/srv")
MAX_BYTES = 4 << 20
_SUPERUSER = re.compile(r"^\s*set\s+superusers=\"?\w", re.MULTILINE)
_PASSWORD = re.compile(r"^\s*password_pbkdf2\s+\S+\s+grub\.pbkdf2\.sha512\.", re.MULTILINE)
_FORCE = re.compile(r"^\s*Environment=.*\bSYSTEMD_SULOGIN_FORCE=(1|yes|true|on)\b", re.MULTILINE)


class Grade:
    """The machine whose files lie below ``root``, with this ``serial``; ``record`` lists its volumes."""

    def __init__(self, root: str, serial: str) -> None:
        self._root = root
        self._serial = serial

    def now(self) -> int:
        """The highest grade of which every condition, and every lower grade, was seen to hold."""
        grade = 0
        for holds in (self._survives, self._boot_is_closed, self._disk_is_closed, self._firmware_is_closed):
            if not holds():
                break
            grade += 1
        return grade

    # -- 1

    def _survives(self) -> bool:
        """Every login asks the gate, and there are a target to start into and a locker to show."""
        pam = Pam(self._root)
        files = (TARGET, LOCKER)
        return (
            not pam.fault() and not pam.holes() and all(os.path.isfile(self._root + path) for path in files)
        )

    # -- 2

    def _boot_is_closed(self) -> bool:
        return self.loader_asks() and self.secure_boot() and self._rescue_refuses()

    def loader_asks(self) -> bool:
        """GRUB asks for a password before another kernel line is typed."""
        texts = [text for text in map(self._text, GRUB) if text]
        return bool(texts) and all(_SUPERUSER.search(text) and _PASSWORD.search(text) for text in texts)

    def secure_boot(self) -> bool:
        """The firmware starts signed programs only, and is not open to new keys."""
        return self._variable("SecureBoot") == 1 and self._variable("SetupMode") == 0

    def _variable(self, name: str) -> int | None:
        data = self._bytes(f"{EFI}/{name}-{_GUID}")
        return data[4] if len(data) == 5 else None  # four bytes of attributes come first

    def _rescue_refuses(self) -> bool:
        """No shell is given to whoever makes the start fail."""
        if any(_FORCE.search(text) for text in self._rescue_texts()) or self._debug_shell():
            return False
        masked = all(self._is_masked(unit) for unit in RESCUE)
        root = next((line for line in self._text("/etc/shadow").splitlines() if line.startswith("root:")), "")
        return masked or root.partition(":")[2][:1] in ("!", "*")

    def _rescue_texts(self) -> Iterator[str]:
        for folder in UNITS:
            for unit in RESCUE:
                yield self._text(f"{folder}/{unit}")
                for name in self._list(f"{folder}/{unit}.d"):
                    yield self._text(f"{folder}/{unit}.d/{name}")

    def _is_masked(self, unit: str) -> bool:
        path = f"{self._root}{UNITS[0]}/{unit}"
        return os.path.islink(path) and os.readlink(path) == "/dev/null"

    def _debug_shell(self) -> bool:
        wanted = (
            f"{folder}/{name}/debug-shell.service"
            for folder in UNITS
            for name in self._list(folder)
            if name.endswith(".wants")
        )
        return any(os.path.lexists(self._root + path) for path in wanted)

    # -- 3

    def _disk_is_closed(self) -> bool:
        """All that a student's data may lie on is encrypted, and a key slot of the student's is known."""
        encrypted = Encrypted(self._root)
        try:
            recorded = volume_record.read(self._root + volume_record.PATH)
        except BookbagError:
            return False
        removable = {one.uuid for one in recorded if one.student_slot is not None}
        mounted = encrypted.mounted()
        places = [where for where in ("/", *DATA) if where in mounted]
        closed = all(encrypted.holding(where) & removable for where in places)
        return "/" in places and closed and encrypted.swap_is_encrypted()

    # -- 4

    def _firmware_is_closed(self) -> bool:
        """An administrator said so, of this very machine, in a file that only root can write."""
        try:
            status = os.lstat(self._root + FIRMWARE)
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
                return False
            said = parse(self._bytes(FIRMWARE), what=FIRMWARE, max_bytes=1 << 16)
        except (OSError, BookbagError):
            return False
        if not isinstance(said, dict) or said.get("v") != 1 or not said.get("by"):
            return False
        return bool(self._serial) and said.get("serial") == self._serial

    # -- reading

    def _text(self, path: str) -> str:
        return self._bytes(path).decode("utf-8", errors="replace")

    def _bytes(self, path: str) -> bytes:
        try:
            with open(self._root + path, "rb") as file:
                return file.read(MAX_BYTES)
        except OSError:
            return b""

    def _list(self, folder: str) -> list[str]:
        try:
            return sorted(os.listdir(self._root + folder))
        except OSError:
            return []
