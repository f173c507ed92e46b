"""What was read from files, kept until the files change: a school has thousands of small ones, and a look at
all of them should cost a look, not their parsing.

A file is taken for unchanged while its inode, size and both times are what they were before it was read. Ours
are replaced by rename, so another content is another inode; editors and git change the times.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
MOST = 200_000  #: files; beyond, all is forgotten rather than memory filled


class Remembered:
    """For any thread. Only what could be read is kept; errors are met again."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, ...], Any]] = {}

    def get(self, path: Path, read: Callable[[Path], T]) -> T:
        """What ``read`` makes of ``path``; for one path always the same ``read``. Raises FileNotFoundError,
        and what ``read`` raises."""
        key = str(path)
        status = os.lstat(key)
        stamp = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        known = self._known.get(key)
        if known is None or known[0] != stamp:
            if len(self._known) >= MOST:
                self._known.clear()
            known = (stamp, read(path))
            self._known[key] = known
        found: T = known[1]
        return found
