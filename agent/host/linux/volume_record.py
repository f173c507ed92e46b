"""Which encrypted volumes belong to this machine: found when it enrols, written down, and never guessed
later.

``/etc/bookbag/volumes.json`` is root's own. Each entry is known by its LUKS UUID; one with a ``path`` is a
regular file (a container that the school made), any other a device. Nothing that is not listed is ever
erased.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.core import durable
from agent.core.errors import BookbagError
from agent.core.faults import explained
from agent.core.jsontext import parse, pretty

PATH = "/etc/bookbag/volumes.json"
MAX_BYTES = 1 << 16
MAX_VOLUMES = 32
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One volume of this machine."""

    uuid: str
    area: int = 0  #: bytes before its data: header and key slots; 0: not known
    holds: str = ""  #: what lies on it, for people: mount points, ``swap``
    path: str = ""  #: of a container file; "" for a device
    student_slot: int | None = None  #: the key slot that a lock may take away, as an administrator noted it

    @property
    def name(self) -> str:
        """What receipts and commands call it."""
        return self.path or f"/dev/disk/by-uuid/{self.uuid}"


def read(path: str = PATH) -> tuple[Recorded, ...]:
    """The recorded volumes, in the order of erasing; none where nothing is recorded.

    Raises ``not-allowed`` if others than root could have written it, ``bad-config`` for what is no record.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise explained(error, "read which volumes belong to this machine", path) from error
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
            raise BookbagError(
                "not-allowed",
                "cannot trust this list of volumes: others than root could write it",
                place=path,
            )
        data = os.read(fd, MAX_BYTES + 1)
    finally:
        os.close(fd)
    return _understood(data, path)


def write(volumes: Iterable[Recorded], path: str = PATH) -> None:
    """Record ``volumes``, durably."""
    entries = []
    for one in volumes:
        entry: dict[str, object] = {"uuid": one.uuid, "area": one.area, "holds": one.holds}
        if one.path:
            entry["path"] = one.path
        if one.student_slot is not None:
            entry["student-slot"] = one.student_slot
        entries.append(entry)
    try:
        durable.write(path, pretty({"v": 1, "volumes": entries}).encode(), mode=0o644)
    except OSError as error:
        raise explained(error, "record the volumes of this machine", path) from error


def _understood(data: bytes, place: str) -> tuple[Recorded, ...]:
    found = parse(data, what=place, max_bytes=MAX_BYTES)
    version = found.get("v") if isinstance(found, dict) else None
    if isinstance(version, int) and version > 1:
        raise BookbagError("format-too-new", "cannot read this list of volumes: it is newer", place=place)
    entries = found.get("volumes") if isinstance(found, dict) else None
    if version != 1 or not isinstance(entries, list) or len(entries) > MAX_VOLUMES:
        raise _bad("it is no list of volumes", place)
    volumes = tuple(_volume(entry, place) for entry in entries)
    if len({one.uuid for one in volumes}) != len(volumes):
        raise _bad("one volume is listed twice", place)
    return volumes


def _volume(entry: object, place: str) -> Recorded:
    if not isinstance(entry, Mapping):
        raise _bad("an entry is no object", place)
    uuid, area, holds, path = (entry.get(key) for key in ("uuid", "area", "holds", "path"))
    slot = entry.get("student-slot")
    if not isinstance(uuid, str) or not UUID.fullmatch(uuid):
        raise _bad("an entry has no LUKS UUID", place)
    if not (area is None or (type(area) is int and 0 <= area <= 1 << 40)):
        raise _bad(f"the area of {uuid} is no number of bytes", place)
    if not (path is None or (isinstance(path, str) and path.startswith("/"))):
        raise _bad(f"the path of {uuid} is no absolute path", place)
    if not (slot is None or (type(slot) is int and 0 <= slot < 32)):
        raise _bad(f"the student's slot of {uuid} is no key slot", place)
    return Recorded(uuid, area or 0, str(holds or "")[:200], path or "", slot)


def _bad(why: str, place: str) -> BookbagError:
    return BookbagError("bad-config", f"cannot tell which volumes belong to this machine: {why}", place=place)
