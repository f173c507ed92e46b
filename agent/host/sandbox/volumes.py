"""Encrypted volumes of the laptop in a folder: small files that a passphrase opens, or not.

Like LUKS in what matters for an erasure: a header, key slots of which each holds the volume's key behind one
passphrase, and data under that key. Blocks of 4096 bytes: the header, eight key slots, the data.

The header is JSON, padded with zeros: ``{"v": 1, "simulated": "luks", "slots": [0, 1], "check": …}``. A slot
is 32 bytes of salt, the key masked by PBKDF2(passphrase, salt), and filler. It keeps no secret worth the
name.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from agent.core.errors import BookbagError
from agent.core.faults import explained
from agent.host.base import Keyslots
from agent.host.beneath import Beneath
from agent.host.paths import check_path, split
from agent.host.sandbox.newfile import write_new

BLOCK = 4096
SLOTS = 8
AREA = BLOCK * (1 + SLOTS)  #: header and key slots; the data follow
SECTOR = 512
ROUNDS = 1000


class SandboxVolumes:
    """The volumes at the laptop paths ``names`` below ``folder``, in the order of erasing."""

    def __init__(self, folder: str, names: tuple[str, ...]) -> None:
        self._folder = folder
        self._names = names

    def names(self) -> tuple[str, ...]:
        return self._names

    def remember(self) -> None:
        pass  # the laptop's facts say so from the beginning

    def keyslots(self, name: str) -> Keyslots:
        with self._opened(name) as fd:
            area = _area(fd)
        slots = _slots(area)
        digest = hashlib.sha256(area).hexdigest()
        return Keyslots("none", (), digest) if slots is None else Keyslots("luks2", slots, digest)

    def sample(self, name: str) -> tuple[str, ...]:
        with self._opened(name) as fd:
            area = _area(fd)[BLOCK:]
        sectors = (area[at : at + SECTOR] for at in range(0, len(area), SECTOR))
        return tuple(hashlib.sha256(sector).hexdigest() for sector in sectors if any(sector))

    def erase_keys(self, name: str) -> None:
        with self._opened(name, os.O_RDWR) as fd:
            area = _area(fd)
            empty = _header((), "")
            if area[:BLOCK] == empty[: len(area)] and not any(area[BLOCK:]):
                return
            # The keys go first, in place: a new file would leave the old blocks on the disk.
            _overwrite(fd, BLOCK, bytes(max(len(area) - BLOCK, 0)))
            _overwrite(fd, 0, empty[: len(area)])

    @contextmanager
    def _opened(self, name: str, how: int = os.O_RDONLY) -> Iterator[int]:
        if name not in self._names:
            raise BookbagError("not-found", f"cannot use {name}: it is no volume of this laptop", place=name)
        check_path(name)
        directory, last = split(name)
        beneath = Beneath(self._folder, lambda *_: False)
        try:
            fd = os.open(last, how | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=beneath.directory(directory))
            try:
                if not stat.S_ISREG(os.fstat(fd).st_mode):
                    raise OSError(errno.ELOOP, "not a regular file")
                yield fd
            finally:
                os.close(fd)
        except OSError as error:
            raise explained(error, "use the volume", name) from error
        finally:
            beneath.close()


def make(path: str, passphrases: tuple[str, ...], data: bytes = b"diary") -> None:
    """Write the real file ``path`` as a new volume that each of ``passphrases`` opens; never over another
    one.
    """
    key = os.urandom(32)
    area = bytearray(AREA - BLOCK)
    for slot, passphrase in enumerate(passphrases):
        salt = os.urandom(32)
        masked = _xor(key, _mask(passphrase, salt))
        begin = slot * BLOCK
        area[begin : begin + BLOCK] = (salt + masked + _stream(salt, BLOCK))[:BLOCK]
    header = _header(tuple(range(len(passphrases))), hashlib.sha256(key).hexdigest())
    body = _xor(data.ljust(BLOCK, b"\0")[:BLOCK], _stream(key, BLOCK))
    write_new(path, header + bytes(area) + body, mode=0o600)


def unlock(path: str, passphrase: str) -> bytes | None:
    """The data in the volume at the real ``path``, padding included, if ``passphrase`` opens it; else
    None.
    """
    with open(path, "rb") as file:
        whole = file.read(AREA + BLOCK)
    for slot in _slots(whole[:AREA]) or ():
        area = whole[BLOCK * (1 + slot) : BLOCK * (2 + slot)]
        key = _xor(area[32:64], _mask(passphrase, area[:32]))
        if hashlib.sha256(key).hexdigest() == json.loads(whole[:BLOCK].rstrip(b"\0"))["check"]:
            return _xor(whole[AREA:], _stream(key, len(whole) - AREA))
    return None


def _area(fd: int) -> bytes:
    return os.pread(fd, AREA, 0)


def _slots(area: bytes) -> tuple[int, ...] | None:
    """The slots in use as the header says; None if that is no header."""
    try:
        header = json.loads(area[:BLOCK].rstrip(b"\0"))
        found = header["slots"] if header["simulated"] == "luks" and len(area) == AREA else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(found, list) or not all(slot in range(SLOTS) for slot in found):
        return None
    return tuple(sorted(found))


def _header(slots: tuple[int, ...], check: str) -> bytes:
    header = {"v": 1, "simulated": "luks", "slots": list(slots), "check": check}
    return json.dumps(header).encode().ljust(BLOCK, b"\0")


def _overwrite(fd: int, at: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        written = os.pwrite(fd, rest, at)
        at, rest = at + written, rest[written:]
    os.fsync(fd)


def _mask(passphrase: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, ROUNDS)


def _stream(seed: bytes, length: int) -> bytes:
    blocks = (hashlib.sha256(seed + at.to_bytes(4, "big")).digest() for at in range(length // 32 + 1))
    return b"".join(blocks)[:length]


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(left ^ right for left, right in zip(one, other, strict=True))
