"""When something was last opened, and what somebody waits for: the times of empty files, left by the portal's
user.

``opened/KEY@MANIFEST`` is touched when a version is read, ``opened/KEY@want`` when somebody asks for an item
that is not here, ``opened/damaged`` when reading failed. Nothing is in these files, and nothing is ever read
from them.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat

from agent.content.bounds import MOST_ITEMS

WANT = "want"
DAMAGED = "damaged"
NEWS = "news"  #: touched after any mark that should not wait for the next look
_NAME = re.compile(r"([a-z0-9-]{1,32}\.[a-z0-9-]{1,32})@([0-9a-f]{64}|want)")
_MOST = 4 * MOST_ITEMS


class Marks:
    """The marks in ``folder``, and how many seconds ago each was left by the kernel's own clock."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._now = self._moment()
        self.opened: dict[tuple[str, str], int] = {}  #: (key, manifest) → seconds ago
        self.wanted: dict[str, int] = {}  #: key → seconds ago
        self.damaged = False
        self._read()

    def last(self, key: str) -> int | None:
        """Seconds since any version of the item was opened."""
        return min((ago for (one, _), ago in self.opened.items() if one == key), default=None)

    def forget(self, keys: set[str]) -> None:
        """Drop what was left about other items than these, and the word of damage."""
        for key, version in [*self.opened, *((one, WANT) for one in self.wanted)]:
            if key not in keys:
                self._drop(f"{key}@{version}")
        if self.damaged:
            self._drop(DAMAGED)

    def served(self, key: str) -> None:
        """Nobody has to wait for it any more."""
        if self.wanted.pop(key, None) is not None:
            self._drop(f"{key}@{WANT}")

    def _read(self) -> None:
        try:
            with os.scandir(self._folder) as entries:
                for number, entry in enumerate(entries):
                    if number >= _MOST:
                        break
                    self._take(entry)
        except OSError:
            return

    def _take(self, entry: os.DirEntry[str]) -> None:
        with contextlib.suppress(OSError):
            found = entry.stat(follow_symlinks=False)
            if not stat.S_ISREG(found.st_mode):
                return
            ago = max(0, int(self._now - found.st_mtime))
            if entry.name == DAMAGED:
                self.damaged = True
            elif match := _NAME.fullmatch(entry.name):
                key, version = match.groups()
                if version == WANT:
                    self.wanted[key] = ago
                else:
                    self.opened[key, version] = ago

    def _moment(self) -> float:
        """The time that the kernel gives files now."""
        path = f"{self._folder}/.now"
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
        except OSError:
            return 0.0
        try:
            os.utime(fd)
            return os.fstat(fd).st_mtime
        finally:
            os.close(fd)

    def _drop(self, name: str) -> None:
        with contextlib.suppress(OSError):
            os.unlink(f"{self._folder}/{name}")


def leave(folder: str, name: str) -> bool:
    """Leave a mark, or renew it; False where this user may not, which costs nothing but order."""
    try:
        fd = os.open(
            f"{folder}/{name}", os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o640
        )
    except OSError:
        return False
    try:
        os.utime(fd)
    except OSError:
        return False
    finally:
        os.close(fd)
    return True
