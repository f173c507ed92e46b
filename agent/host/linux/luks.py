"""What cryptsetup says of a LUKS volume that is open as a descriptor, and where its key slots lie."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from agent.core.errors import BookbagError
from agent.core.jsontext import parse
from agent.host.processes import Ended, run

SECONDS = 60.0
SECTOR = 512
PIECE = 1 << 20
MAX_METADATA = 1 << 20  #: bytes of the JSON of a header
MAX_AREA = 1 << 28  #: bytes; a larger area is none that cryptsetup makes
#: Where key material begins and ends if no header says so: cryptsetup's own places (LUKS1 begins, LUKS2
#: ends).
FIRST, LAST = 4096, 16 << 20
_LUKS1_SLOT = re.compile(r"^Key Slot (\d): ENABLED$", re.MULTILINE)
_LUKS1_PAYLOAD = re.compile(r"^Payload offset:\s+(\d+)$", re.MULTILINE)
_LUKS1_UUID = re.compile(r"^UUID:\s+(\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Header:
    """A volume's header. Key slots lie from byte ``begin`` to byte ``end``; before is what describes them."""

    format: str  #: ``luks1``, ``luks2``; ``none``: nothing that cryptsetup would open
    uuid: str
    slots: tuple[int, ...]
    begin: int
    end: int


def read_header(fd: int, program: str, *, area: int = 0) -> Header:
    """The header of the volume open as ``fd``. ``area`` is where key slots are known to end, should no header
    say.

    Raises ``not-supported`` without cryptsetup; ``io-error``, ``worker-timeout``.
    """
    end = min(area or LAST, size_of(fd))
    nothing = Header("none", "", (), min(FIRST, end), end)
    dumped = cryptsetup(fd, program, "luksDump", "--dump-json-metadata")
    if dumped.status == 0:
        return _luks2(dumped.output, cryptsetup(fd, program, "luksUUID").text.strip(), size_of(fd)) or nothing
    dumped = cryptsetup(fd, program, "luksDump")
    return (_luks1(dumped.text, size_of(fd)) if dumped.status == 0 else None) or nothing


def cryptsetup(fd: int, program: str, *words: str) -> Ended:
    """Run cryptsetup on the open volume: by descriptor, so that nobody can put another in its place."""
    try:
        return run((program, "--batch-mode", *words, f"/proc/{os.getpid()}/fd/{fd}"), timeout=SECONDS)
    except BookbagError as error:
        if error.code != "not-found":
            raise
        raise BookbagError(
            "not-supported", "cannot look after encrypted volumes: cryptsetup is not installed"
        ) from error


def _luks2(metadata: bytes, uuid: str, size: int) -> Header | None:
    try:
        found = parse(metadata, what="LUKS2 metadata", max_bytes=MAX_METADATA)
        slots = tuple(sorted(int(name) for name in _object(found, "keyslots")))
        begin = 2 * (4096 + int(str(_object(found, "config")["json_size"])))
        segments = [_object(_object(found, "segments"), name) for name in _object(found, "segments")]
        end = min(int(str(segment["offset"])) for segment in segments)
    except (BookbagError, KeyError, ValueError, TypeError):
        return None
    # A detached header: the data do not follow it, so its end is where its key slots end at the latest.
    end = min(end or LAST, size, MAX_AREA)
    return Header("luks2", uuid, slots, min(begin, end), end)


def _luks1(text: str, size: int) -> Header | None:
    payload, uuid = _LUKS1_PAYLOAD.search(text), _LUKS1_UUID.search(text)
    if payload is None or uuid is None:
        return None
    slots = tuple(int(number) for number in _LUKS1_SLOT.findall(text))
    end = min(int(payload.group(1)) * SECTOR or LAST, size, MAX_AREA)
    return Header("luks1", uuid.group(1), slots, min(FIRST, end), end)


def _object(value: object, name: str) -> Mapping[str, object]:
    found = value[name] if isinstance(value, Mapping) else None
    if not isinstance(found, Mapping):
        raise KeyError(name)
    return found


# -- bytes of the volume


def size_of(fd: int) -> int:
    """How many bytes the open file or device has."""
    return os.lseek(fd, 0, os.SEEK_END)


def digest(fd: int, end: int) -> str:
    """SHA-256 (hex) of the first ``end`` bytes."""
    found = hashlib.sha256()
    for at in range(0, end, PIECE):
        found.update(os.pread(fd, min(PIECE, end - at), at))
    return found.hexdigest()


def blocks(fd: int, begin: int, end: int) -> tuple[str, ...]:
    """SHA-256 (hex) of each non-zero 512-byte block from ``begin`` to ``end``."""
    found = []
    for at in range(begin, end, PIECE):
        piece = os.pread(fd, min(PIECE, end - at), at)
        for start in range(0, len(piece), SECTOR):
            block = piece[start : start + SECTOR]
            if block.strip(b"\0"):
                found.append(hashlib.sha256(block).hexdigest())
    return tuple(found)


def blank(fd: int, begin: int, end: int) -> None:
    """Make every byte from ``begin`` to ``end`` zero, in place, and synced; what is zero already is not
    written.
    """
    zeros = bytes(PIECE)
    for at in range(begin, end, PIECE):
        length = min(PIECE, end - at)
        if os.pread(fd, length, at) != zeros[:length]:
            _write_at(fd, zeros[:length], at)
    os.fsync(fd)


def _write_at(fd: int, data: bytes, at: int) -> None:
    rest = memoryview(data)
    while rest:
        written = os.pwrite(fd, rest, at)
        at, rest = at + written, rest[written:]
