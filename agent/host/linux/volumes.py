"""Encrypted volumes of a real machine, through cryptsetup, and only those that were recorded when it
enrolled.

An erasure ends with nothing but zeros where key slots were. cryptsetup's own erase comes first, for it knows
every copy of the header; then the whole area is overwritten: it also covers a header that cryptsetup cannot
read any more, whose key slots somebody might mend.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from agent.core.errors import BookbagError
from agent.core.faults import explained
from agent.host.base import Keyslots
from agent.host.beneath import Beneath
from agent.host.linux import volume_record
from agent.host.linux.encrypted import Encrypted
from agent.host.linux.luks import Header, blank, blocks, cryptsetup, digest, read_header
from agent.host.linux.volume_record import Recorded
from agent.host.paths import check_path, split

CRYPTSETUP = "cryptsetup"


class LinuxVolumes:
    """The volumes in the record at ``record``; ``encrypted`` finds devices."""

    def __init__(self, record: str = volume_record.PATH, encrypted: Encrypted | None = None) -> None:
        self._record = record
        self._encrypted = encrypted or Encrypted()

    def names(self) -> tuple[str, ...]:
        return tuple(one.name for one in volume_record.read(self._record))

    def keyslots(self, name: str) -> Keyslots:
        with self._opened(name, os.O_RDONLY) as (fd, header):
            return Keyslots(header.format, header.slots, digest(fd, header.end))

    def sample(self, name: str) -> tuple[str, ...]:
        with self._opened(name, os.O_RDONLY) as (fd, header):
            return blocks(fd, header.begin, header.end)

    def erase_keys(self, name: str) -> None:
        with self._opened(name, os.O_RDWR) as (fd, header):
            if header.slots:
                cryptsetup(fd, CRYPTSETUP, "luksErase")  # how it went is read back
            blank(fd, header.begin, header.end)
            left = read_header(fd, CRYPTSETUP, area=header.end)
            if left.slots or header.format == "none":  # then the header goes as well
                blank(fd, 0, header.end)
                left = read_header(fd, CRYPTSETUP, area=header.end)
        if left.slots:
            raise BookbagError(
                "io-error",
                f"cannot erase: key slots {left.slots} are still there",
                place=name,
                remedy="try again",
            )

    def remember(self) -> None:
        """Record the volumes that this machine runs from now, beside the containers that are listed by
        hand.
        """
        listed = volume_record.read(self._record)
        noted = {one.uuid: one for one in listed}
        found = []
        for one in self._encrypted.find():
            before = noted.get(one.uuid)
            slot = before.student_slot if before is not None else None
            found.append(Recorded(one.uuid, one.area, one.holds, student_slot=slot))
        devices = {one.uuid for one in found}
        files = [one for one in listed if one.path and one.uuid not in devices]
        if (*files, *found) != listed:
            volume_record.write((*files, *found), self._record)

    # -- reaching one

    @contextmanager
    def _opened(self, name: str, how: int) -> Iterator[tuple[int, Header]]:
        """The recorded volume ``name``, open, and its header; all that happens to it is told as
        ``name``'s.
        """
        chosen = next((one for one in volume_record.read(self._record) if one.name == name), None)
        if chosen is None:
            raise BookbagError(
                "not-found", "cannot use this volume: it is not one of this machine's", place=name
            )
        try:
            fd = _open_file(chosen.path, how) if chosen.path else self._open_device(chosen, how)
            try:
                header = read_header(fd, CRYPTSETUP, area=chosen.area)
                self._check(chosen, header)
                yield fd, header
            finally:
                os.close(fd)
        except OSError as error:
            raise explained(error, "use this volume", name) from error

    def _check(self, chosen: Recorded, header: Header) -> None:
        """Refuse what may not be that volume: it has another name, or none and is not the one that is
        open.
        """
        known = header.uuid == chosen.uuid if header.format != "none" else bool(chosen.path)
        if not known and not (header.format == "none" and self._encrypted.mapped(chosen.uuid)):
            raise BookbagError("not-found", "cannot use this volume: another one is there", place=chosen.name)

    def _open_device(self, chosen: Recorded, how: int) -> int:
        path = self._encrypted.mapped(chosen.uuid) or self._encrypted.linked(chosen.uuid)
        if not path:
            raise BookbagError("not-found", "cannot use this volume: its disk is not here", place=chosen.name)
        fd = os.open(path, how | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISBLK(os.fstat(fd).st_mode):
            os.close(fd)
            raise BookbagError("bad-path", "cannot use this volume: no disk is there", place=path)
        return fd


def _open_file(path: str, how: int) -> int:
    """A container file: regular, of one name, root's own, in directories where only root can put another
    there.
    """
    check_path(path)
    directory, name = split(path)
    beneath = Beneath("", lambda *_: False)
    try:
        holder = beneath.directory(directory)
        if _others_write(os.fstat(holder)):
            raise _not_ours(path, "others than root may write in its directory")
        fd = os.open(name, how | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=holder)
    finally:
        beneath.close()
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        os.close(fd)
        raise _not_ours(path, "it is no regular file")
    if status.st_nlink != 1 or _others_write(status):
        os.close(fd)
        raise _not_ours(path, "it has another name, or others than root may write it")
    return fd


def _others_write(status: os.stat_result) -> bool:
    return status.st_uid != os.geteuid() or bool(status.st_mode & 0o022)


def _not_ours(path: str, why: str) -> BookbagError:
    return BookbagError("bad-path", f"cannot use this volume: {why}", place=path)
