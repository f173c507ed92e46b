"""The folder ``returns/``: sealed uploads of laptops, each stored once under its name, durably, within caps.

Another content under a used name is refused, which is what makes an enrolment token one-time; the *same*
bytes again are welcome, because a laptop may have lost our answer. Enrolments that the desk has dealt with
leave a hash in ``done/``, so that their names stay used; of the others the desk knows it from what it keeps
(`agent.fleet.expected`). Enrolments, receipts and requests have room of their own each, and no laptop has
much of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections import defaultdict
from dataclasses import dataclass

from agent.core import durable, returns
from agent.core.errors import BookbagError
from agent.core.ids import new_id
from agent.trust import returned

MAX_BYTES = 512 << 10  #: of one return: the largest sealed box
MEASURE_EVERY = 5.0  #: seconds between two looks at a full folder
PART = ".part-"
DONE = "done"


@dataclass(frozen=True, slots=True)
class Room:
    """What may wait for the desk at a time."""

    count: int
    size: int  #: bytes in all


ENROLMENTS = Room(20_000, 512 << 20)
RECEIPTS = Room(20_000, 512 << 20)
ASKS = Room(20_000, 256 << 20)
LAPTOP_ASKS = Room(64, 1 << 20)  #: of one laptop's requests
MOST_ASK = 16 << 10  #: bytes of one request
LAPTOP = Room(256, 4 << 20)  #: of one laptop's receipts: what has no room here waits in its outbox


def most_bytes(name: str) -> int:
    """How long a return of that name may be."""
    if returns.ask_of(name):
        return MOST_ASK
    return returned.MOST if returns.mailbox_of(name) else MAX_BYTES


class ReturnBox:
    """One ``returns/`` folder."""

    def __init__(self, folder: str) -> None:
        """Make the folder if needed; what a crash left half-written is cleared."""
        self._folder = folder
        os.makedirs(os.path.join(folder, DONE), mode=0o700, exist_ok=True)
        self._used: dict[str, Room] = {}
        self._measured = float("-inf")
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(PART):
                    os.unlink(entry.path)
        self._measure()

    def full(self, name: str, length: int) -> bool:
        """Whether the caps leave no room for a return of that name with ``length`` bytes.

        The desk removes files behind our back, so when the caps seem reached we look again, now and then.
        """
        if not self._over(name, length):
            return False
        now = time.monotonic()
        if now - self._measured >= MEASURE_EVERY:
            self._measured = now
            self._measure()
        return self._over(name, length)

    def store(self, name: str, data: bytes) -> bool:
        """Keep ``data`` under ``name``; True if it is new, False if exactly this was here already.

        Raises ``bad-path`` (no such name), ``too-large``, ``too-many``, ``already-done`` (the name was used
        for something else); OSErrors go through.
        """
        if not returns.NAME.match(name):
            raise BookbagError("bad-path", "cannot store a return under this name", place=name[:80])
        if not 1 <= len(data) <= most_bytes(name):
            raise BookbagError("too-large", f"cannot store a return of {len(data)} bytes", place=name)
        known = _existing(os.path.join(self._folder, name))
        if known is not None:
            return _again(known, data, name)
        known = _existing(os.path.join(self._folder, DONE, name))
        if known is not None:
            return _again(known, hash_of(data) if known == hash_of(data) else data, name)
        if self.full(name, len(data)):
            raise BookbagError("too-many", "cannot store more returns: the desk must fetch them first")
        return self._write(name, data)

    def _write(self, name: str, data: bytes) -> bool:
        """Exclusive and durable: `link` fails if the name exists, unlike rename."""
        part = os.path.join(self._folder, PART + new_id())
        target = os.path.join(self._folder, name)
        fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(part, target)
            except FileExistsError:
                return _again(_existing(target), data, name)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(part)
        durable.sync_directory(self._folder)
        for one, _ in _rooms(name):
            used = self._used.get(one, Room(0, 0))
            self._used[one] = Room(used.count + 1, used.size + len(data))
        return True

    def _over(self, name: str, length: int) -> bool:
        for one, most in _rooms(name):
            used = self._used.get(one, Room(0, 0))
            if used.count >= most.count or used.size + length > most.size:
                return True
        return False

    def _measure(self) -> None:
        sizes: defaultdict[str, list[int]] = defaultdict(list)
        with os.scandir(self._folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    if returns.NAME.match(entry.name) and entry.is_file(follow_symlinks=False):
                        size = entry.stat(follow_symlinks=False).st_size
                        for one, _ in _rooms(entry.name):
                            sizes[one].append(size)
        self._used = {one: Room(len(found), sum(found)) for one, found in sizes.items()}


def hash_of(data: bytes) -> bytes:
    """What is kept of a return that was dealt with."""
    return hashlib.sha256(data).hexdigest().encode()


def _rooms(name: str) -> tuple[tuple[str, Room], ...]:
    """Whose room a return of that name takes up, and how much of it there is."""
    mailbox = returns.mailbox_of(name)
    if returns.ask_of(name):
        return (returns.ASK, ASKS), (returns.ASK + mailbox, LAPTOP_ASKS)
    return ((returns.RECEIPT, RECEIPTS), (mailbox, LAPTOP)) if mailbox else ((returns.ENROL, ENROLMENTS),)


def _again(known: bytes | None, data: bytes, name: str) -> bool:
    if known == data:
        return False
    raise BookbagError("already-done", "cannot store this return: its name was used before", place=name)


def _existing(path: str) -> bytes | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError:
        return b""  # a link or worse: taken, and equal to nothing
    with os.fdopen(fd, "rb") as file:
        return file.read(MAX_BYTES + 1)
