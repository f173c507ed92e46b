"""An append-only file of small records, written in batches: a batch of any size is all there or not at all.

    bookbag log 1 KIND 0000000000001234 crc                    two slots: how long the file is known to be;
    the greater whole one counts 0000000000000000 crc B <tab> bytes <tab> crc <tab> check     a batch: that
    many bytes of records follow, with this CRC-32 X <tab> length <tab> crc <tab> name <tab> check     a
    record of kind X (a letter); name is a JSON string payload                                             its
    canonical JSON: length bytes with this CRC-32 …

``check`` is the CRC-32 of the line before it. An append writes the batch, fsyncs, then writes the new length
over the older slot and fsyncs again. So what lies beyond the known length was never acknowledged and may be
torn, while anything wrong or missing within it is damage. Loading checks every line but not every payload,
which may be large: `Record.load` does that when it is used.
"""

from __future__ import annotations

import binascii
import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.store import atomic

_SLOT = 26
_MOST = 1 << 30
_NOTHING = (0, 0)
_OPEN = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC


class Damaged(Exception):
    """The log is not as it was acknowledged. ``whole`` are the records that can still be trusted."""

    def __init__(self, why: str, whole: tuple[Record, ...]) -> None:
        super().__init__(why)
        self.why = why
        self.whole = whole


class Record:
    """One record: a kind letter, a name, and the JSON payload as stored."""

    __slots__ = ("_crc", "kind", "name", "payload")

    def __init__(self, kind: str, name: str, payload: bytes, crc: int | None = None) -> None:
        self.kind = kind
        self.name = name
        self.payload = payload
        self._crc = binascii.crc32(payload) if crc is None else crc

    def whole(self) -> bool:
        """Whether the payload is as written."""
        return binascii.crc32(self.payload) == self._crc

    def load(self) -> object:
        """The payload as a JSON value. Raises ``state-corrupt`` if it is not as written."""
        if not self.whole():
            raise BookbagError(
                "state-corrupt", f"cannot trust the record of {self.name}: its checksum is wrong"
            )
        size = len(self.payload)
        return jsontext.parse(self.payload, what=self.name, max_bytes=size, max_depth=64, max_nodes=size + 2)

    def encode(self) -> bytes:
        """Both lines of it."""
        name = json.dumps(self.name).encode("ascii")
        head = b"%s\t%d\t%08x\t%s" % (self.kind.encode("ascii"), len(self.payload), self._crc, name)
        return _checked(head) + self.payload + b"\n"


class BatchLog:
    """The log at ``path``, in a directory of its own; ``kind`` names what it holds.

    Not for threads; several processes may use it, each change under a lock on the directory.
    """

    def __init__(self, path: str, kind: str) -> None:
        self.path = path
        self._kind = kind
        self._title = _checked(f"bookbag log 1 {kind}".encode("ascii"))
        self._start = len(self._title) + 2 * _SLOT
        self._length = 0  # of what was loaded and is acknowledged or at least whole
        self._known = _NOTHING  # inode and length at the last look

    def exists(self) -> bool:
        """Whether anything is at the path."""
        return self._stamp() != _NOTHING

    def changed(self) -> bool:
        """Whether another process wrote since the last `load` or change by this object."""
        return self._stamp() != self._known

    def load(self) -> tuple[Record, ...] | None:
        """Every record, oldest first; None if there is no log. Raises `Damaged`, or ``format-too-new``."""
        try:
            data = atomic.read(self.path, max_bytes=_MOST)
        except BookbagError as problem:
            if problem.code not in ("bad-path", "too-large"):
                raise
            raise Damaged(problem.message, ()) from None
        if data is None:
            self._known = _NOTHING
            return None
        records, self._length = self._parse(data)
        self._known = self._stamp()
        return records

    @contextmanager
    def locked(self) -> Iterator[None]:
        """No other process changes the log meanwhile. Makes the directory if it is missing."""
        directory = os.path.dirname(self.path)
        atomic.make_dir(directory)
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def append(self, records: Iterable[Record]) -> None:
        """Add one batch to the loaded log, durably. Raises ``disk-full``, and nothing was added."""
        body = b"".join(record.encode() for record in records)
        batch = _checked(b"B\t%d\t%08x" % (len(body), binascii.crc32(body))) + body
        with atomic.named_errors("write", self.path):
            fd = os.open(self.path, _OPEN)
            try:
                self._append(fd, batch)
            finally:
                os.close(fd)
        self._length += len(batch)
        self._known = self._stamp()

    def replace(self, records: Iterable[Record]) -> None:
        """Make the log hold just these, durably, in one step: how it begins, and how it is compacted."""
        body = b"".join(record.encode() for record in records)
        batch = _checked(b"B\t%d\t%08x" % (len(body), binascii.crc32(body))) + body
        self._length = self._start + len(batch)
        slot = _slot(self._length)
        atomic.write(self.path, b"".join((self._title, slot, slot, batch)))
        self._known = self._stamp()

    def mend(self, damage: Damaged) -> BookbagError:
        """Copy the damaged log aside, then begin it anew with what is whole; the ``state-corrupt`` error to
        raise."""
        aside = f"{self.path}.corrupt"
        try:
            data = atomic.read(self.path, max_bytes=_MOST)
        except BookbagError:
            aside = atomic.set_aside(self.path)  # no file, or no log that anyone could have written
        else:
            atomic.write(aside, data or b"")
        self.replace(damage.whole)
        return BookbagError(
            "state-corrupt",
            f"cannot trust the whole {self._kind} log: {damage.why}; {len(damage.whole)} records were saved",
            place=self.path,
            remedy=f"the damaged one is kept as {aside}",
        )

    def _append(self, fd: int, batch: bytes) -> None:
        before = self._length
        older = self._older_slot(fd)
        try:
            os.ftruncate(fd, before)  # a torn batch of an earlier run
            _pwrite(fd, batch, before)
            os.fsync(fd)
            _pwrite(fd, _slot(before + len(batch)), older)
            os.fsync(fd)
        except OSError:
            # First the slot, or a length would be on record that the file does not have.
            _pwrite(fd, _slot(before), older)
            os.fsync(fd)
            os.ftruncate(fd, before)
            raise

    def _older_slot(self, fd: int) -> int:
        first, second = (_read_slot(os.pread(fd, _SLOT, len(self._title) + i * _SLOT)) for i in (0, 1))
        return len(self._title) + (_SLOT if (first or 0) > (second or 0) else 0)

    def _stamp(self) -> tuple[int, int]:
        try:
            found = os.lstat(self.path)
        except FileNotFoundError:
            return _NOTHING
        return found.st_ino, found.st_size

    def _parse(self, data: bytes) -> tuple[tuple[Record, ...], int]:
        if data[: len(self._title)] != self._title:
            self._check_title(data)
        slots = [_read_slot(data[at : at + _SLOT]) for at in (len(self._title), len(self._title) + _SLOT)]
        known = max((slot for slot in slots if slot is not None), default=None)
        if known is None or known < self._start:
            raise Damaged("its length is not on record", tuple(_salvage(data)))
        if known > len(data):
            raise Damaged(f"{known - len(data)} bytes are missing at its end", tuple(_salvage(data)))
        records: list[Record] = []
        position = self._start
        while position < len(data):
            try:
                position = _read_batch(data, position, records, check=position >= known)
            except ValueError:
                if position < known:
                    raise Damaged(f"it is altered near byte {position}", tuple(_salvage(data))) from None
                break  # torn, and never acknowledged
        return tuple(records), position

    def _check_title(self, data: bytes) -> None:
        try:
            (title,), _ = _line(data, 0, len(data))
            program, what, version, _ = title.split(b" ")
        except ValueError:
            program = what = version = b""
        if (program, what) == (b"bookbag", b"log") and version not in (b"", b"1"):
            raise BookbagError(
                "format-too-new",
                f"cannot read this {self._kind} log: its format is {version.decode('ascii')}, not 1",
                place=self.path,
                remedy="update Bookbag",
            )
        raise Damaged("it is empty" if not data else f"this is no {self._kind} log", tuple(_salvage(data)))


def _checked(line: bytes) -> bytes:
    return b"%s\t%08x\n" % (line, binascii.crc32(line))


def _slot(length: int) -> bytes:
    digits = b"%016d" % length
    return b"%s %08x\n" % (digits, binascii.crc32(digits))


def _read_slot(data: bytes) -> int | None:
    digits = data[:16]
    return int(digits) if digits.isdigit() and data == _slot(int(digits)) else None


def _pwrite(fd: int, data: bytes, offset: int) -> None:
    rest = memoryview(data)
    while rest:
        written = os.pwrite(fd, rest, offset)
        rest, offset = rest[written:], offset + written


def _line(data: bytes, position: int, end: int) -> tuple[list[bytes], int]:
    """The fields of the checked line at ``position``, and where the next begins. Raises ValueError."""
    stop = data.find(b"\n", position, end)
    if stop < 0:
        raise ValueError("no line")
    line = data[position : stop - 9]
    if int(data[stop - 8 : stop], 16) != binascii.crc32(line):
        raise ValueError("altered")
    return line.split(b"\t"), stop + 1


def _read_batch(data: bytes, position: int, records: list[Record], *, check: bool) -> int:
    """Add the records of the batch at ``position``; returns where the next begins. Raises ValueError, adding
    none."""
    fields, position = _line(data, position, len(data))
    kind, size, crc = fields
    end = position + int(size)
    if kind != b"B" or end > len(data):
        raise ValueError("no batch")
    if check and binascii.crc32(data[position:end]) != int(crc, 16):
        raise ValueError("torn")
    found: list[Record] = []
    while position < end:
        record, position = _read_record(data, position, end)
        found.append(record)
    records += found
    return end


def _read_record(data: bytes, position: int, end: int) -> tuple[Record, int]:
    fields, position = _line(data, position, end)
    kind, size, crc, name = fields
    stop = position + int(size)
    if stop >= end or data[stop : stop + 1] != b"\n":
        raise ValueError("no payload")
    text = json.loads(name) if b"\\" in name else name[1:-1].decode("ascii")
    return Record(kind.decode("ascii"), text, data[position:stop], int(crc, 16)), stop + 1


def _salvage(data: bytes) -> Iterator[Record]:
    """Every record that is whole in itself, wherever it stands: only lines with a check contain tabs."""
    position = 0
    for head in re.finditer(rb"[A-Z]\t[0-9]+\t[0-9a-f]{8}\t", data):
        if head.start() < position:
            continue
        with suppress(ValueError):
            record, position = _read_record(data, head.start(), len(data))
            if record.whole():
                yield record
