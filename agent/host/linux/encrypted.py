"""Finding the LUKS volumes that this machine runs from, in sysfs and mountinfo alone: no device is opened.

A volume counts if something mounted, or the swap, lies on it, however deep below (LVM and RAID in between),
and if its disk is not one to carry away: a student's own encrypted stick is none of ours.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from agent.host.linux.volume_record import UUID, Recorded

MAX_DEPTH = 16
SECTOR = 512
_CRYPT = re.compile(r"CRYPT-LUKS[12]-([0-9a-f]{32})-")
_OCTAL = re.compile(r"\\([0-7]{3})")


class Encrypted:
    """The encrypted volumes of the machine whose /sys, /proc and /dev lie below ``root``."""

    def __init__(self, root: str = "") -> None:
        self._root = root
        self._block = f"{root}/sys/class/block"

    def find(self) -> tuple[Recorded, ...]:
        """Those in use now, the one that holds ``/`` last: what was begun is finished by the system
        itself.
        """
        holds: dict[str, set[str]] = {}
        mapped: dict[str, str] = {}
        for device, where in self._in_use():
            for crypt in self._below(device, 0):
                uuid = self.uuid_of(crypt)
                if uuid and not self._removable(crypt):
                    holds.setdefault(uuid, set()).add(where)
                    mapped[uuid] = crypt
        order = sorted(holds, key=lambda uuid: ("/" in holds[uuid], uuid))
        return tuple(
            Recorded(uuid, self._area(mapped[uuid]), " ".join(sorted(holds[uuid]))) for uuid in order
        )

    def holding(self, where: str) -> frozenset[str]:
        """UUIDs of the LUKS volumes under the file system mounted at ``where``; empty: it is not
        encrypted.
        """
        uuids = (
            self.uuid_of(crypt) for dev, at in self._in_use() if at == where for crypt in self._below(dev, 0)
        )
        return frozenset(uuid for uuid in uuids if uuid)

    def mounted(self) -> frozenset[str]:
        """Where anything is mounted."""
        lines = (line.split() for line in self._text(f"{self._root}/proc/self/mountinfo").splitlines())
        return frozenset(_unescaped(fields[4]) for fields in lines if len(fields) > 5)

    def swap_is_encrypted(self) -> bool:
        """Whether what is swapped out lies under a key, in memory, or in a file (which its file system
        keeps).
        """
        for line in self._text(f"{self._root}/proc/swaps").splitlines()[1:]:
            path, kind = (*line.split(), "", "")[:2]
            name = os.path.basename(os.path.realpath(self._root + path))
            chain = tuple(self._below(name, 0))
            under_a_key = any(
                self._text(f"{self._block}/{one}/dm/uuid").startswith("CRYPT-") for one in chain
            )
            if kind != "file" and not under_a_key and not name.startswith("zram"):
                return False
        return True

    def mapped(self, uuid: str) -> str:
        """The device (``/dev/NAME``) that carries LUKS volume ``uuid`` while it is open, whatever its header
        is like by now; "" if it is not open, or can be taken out.
        """
        for name in self._names():
            if self.uuid_of(name) == uuid and not self._removable(name):
                slaves = self._list(f"{self._block}/{name}/slaves")
                return f"/dev/{slaves[0]}" if len(slaves) == 1 else ""
        return ""

    def linked(self, uuid: str) -> str:
        """The same while it is closed: by the link that udev makes from its header."""
        link = f"{self._root}/dev/disk/by-uuid/{uuid}"
        name = os.path.basename(os.path.realpath(link)) if os.path.islink(link) else ""
        return f"/dev/{name}" if name in self._names() and not self._removable(name) else ""

    def uuid_of(self, name: str) -> str:
        """The LUKS UUID of mapped device ``name`` (``dm-0``); "" if it is no open LUKS volume."""
        match = _CRYPT.match(self._text(f"{self._block}/{name}/dm/uuid"))
        if match is None:
            return ""
        bare = match.group(1)
        uuid = "-".join((bare[:8], bare[8:12], bare[12:16], bare[16:20], bare[20:]))
        return uuid if UUID.fullmatch(uuid) else ""

    # -- what is on what

    def _in_use(self) -> Iterator[tuple[str, str]]:
        """(device name, where it is used) of what is mounted or swapped to."""
        for line in self._text(f"{self._root}/proc/self/mountinfo").splitlines():
            fields = line.split()
            if len(fields) > 5:
                name = os.path.basename(os.path.realpath(f"{self._root}/sys/dev/block/{fields[2]}"))
                yield (name, _unescaped(fields[4])) if name in self._names() else ("", "")
        for line in self._text(f"{self._root}/proc/swaps").splitlines()[1:]:
            name = (
                os.path.basename(os.path.realpath(self._root + line.split(maxsplit=1)[0]))
                if line.strip()
                else ""
            )
            yield name, "swap"

    def _below(self, name: str, depth: int) -> Iterator[str]:
        """``name`` and every device that it is made of."""
        if name and depth < MAX_DEPTH:
            yield name
            for slave in self._list(f"{self._block}/{name}/slaves"):
                yield from self._below(slave, depth + 1)

    def _area(self, crypt: str) -> int:
        """Bytes of the carrying device that precede the data; 0 if that cannot be told."""
        slaves = self._list(f"{self._block}/{crypt}/slaves")
        if len(slaves) != 1:
            return 0
        outer, inner = (self._text(f"{self._block}/{name}/size").strip() for name in (slaves[0], crypt))
        return max(int(outer) - int(inner), 0) * SECTOR if outer.isdigit() and inner.isdigit() else 0

    def _removable(self, name: str) -> bool:
        """Whether a disk below ``name`` is one to be taken out."""
        for part in self._below(name, 0):
            real = os.path.realpath(f"{self._block}/{part}")
            whole = real if os.path.exists(f"{real}/removable") else os.path.dirname(real)
            if self._text(f"{whole}/removable").strip() == "1" or "/usb" in real:
                return True
        return False

    def _names(self) -> tuple[str, ...]:
        return self._list(self._block)

    @staticmethod
    def _list(folder: str) -> tuple[str, ...]:
        try:
            return tuple(sorted(os.listdir(folder)))
        except OSError:
            return ()

    @staticmethod
    def _text(path: str) -> str:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                return file.read(1 << 20)
        except OSError:
            return ""


def _unescaped(path: str) -> str:
    """A mount point as mountinfo escapes it."""
    return _OCTAL.sub(lambda match: chr(int(match.group(1), 8)), path)
