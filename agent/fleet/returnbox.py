"""The folder ``returns/``: sealed uploads of laptops, each stored once under its name, durably, within caps.

Another content under a used name is refused, which is what makes an enrolment token one-time; the *same*
bytes again are
welcome, because a laptop may have lost our answer. The desk moves what it has dealt with to ``done/``,
where the name stays
used.
"""

from __future__ import annotations

import contextlib
import os
import re
import time

from agent.core import durable
from agent.core.errors import BookbagError
from agent.core.ids import new_id

MAX_BYTES = 512 << 10  #: of one return: the largest sealed box
MAX_COUNT = 20_000
MAX_TOTAL = 512 << 20  #: bytes of all returns
MEASURE_EVERY = 5.0  #: seconds between two looks at a full folder
NAME = re.compile(r"[a-z]{1,16}-[0-9a-f]{32}(-[0-9]{1,12})?\Z")
PART = ".part-"
DONE = "done"


class ReturnBox:
    """One ``returns/`` folder."""

    def __init__(self, folder: str) -> None:
        """Make the folder if needed; what a crash left half-written is cleared."""
        self._folder = folder
        os.makedirs(os.path.join(folder, DONE), mode=0o700, exist_ok=True)
        self._count = 0
        self._bytes = 0
        self._measured = float("-inf")
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(PART):
                    os.unlink(entry.path)
        self._measure()

    def full(self, length: int) -> bool:
        """Whether the caps leave no room for ``length`` bytes.

        The desk removes files behind our back, so when the caps seem reached we look again, now and then.
        """
        if not self._over(length):
            return False
        now = time.monotonic()
        if now - self._measured >= MEASURE_EVERY:
            self._measured = now
            self._measure()
        return self._over(length)

    def store(self, name: str, data: bytes) -> bool:
        """Keep ``data`` under ``name``; True if it is new, False if exactly this was here already.

        Raises ``bad-path`` (no such name), ``too-large``, ``too-many``, ``already-done`` (the name was used
        for something
        else); OSErrors go through.
        """
        if not NAME.match(name):
            raise BookbagError("bad-path", "cannot store a return under this name", place=name[:80])
        if not 1 <= len(data) <= MAX_BYTES:
            raise BookbagError("too-large", f"cannot store a return of {len(data)} bytes", place=name)
        for where in (self._folder, os.path.join(self._folder, DONE)):
            known = _existing(os.path.join(where, name))
            if known is not None:
                return _again(known, data, name)
        if self.full(len(data)):
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
        self._count += 1
        self._bytes += len(data)
        return True

    def _over(self, length: int) -> bool:
        return self._count >= MAX_COUNT or self._bytes + length > MAX_TOTAL

    def _measure(self) -> None:
        sizes = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    if entry.is_file(follow_symlinks=False):
                        sizes.append(entry.stat(follow_symlinks=False).st_size)
        self._count, self._bytes = len(sizes), sum(sizes)


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
