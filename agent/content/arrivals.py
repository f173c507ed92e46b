"""Blobs as the sync user left them in the spool: untrusted files, copied into the store if they are what is
wanted."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from agent.content.packs import Packs
from agent.core.errors import BookbagError

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class Arrivals:
    """The folder at ``spool``; every file in it must be ``owner``'s (None: anyone's, in a sandbox)."""

    def __init__(self, spool: str, packs: Packs, owner: int | None) -> None:
        self._spool = spool
        self._packs = packs
        self._owner = owner
        self.damaged: list[str] = []
        self.taken = 0  #: bytes

    def take(self, sha256: str, size: int) -> bool:
        """Whether the blob is in the store now. One that is there but wrong is noted as ``damaged``. Raises
        ``disk-full``."""
        if self._packs.size(sha256) == size:
            return True
        try:
            fd = os.open(f"{self._spool}/{sha256}", _READ)
        except OSError as problem:
            if not isinstance(problem, FileNotFoundError):
                self.damaged.append(sha256)  # a link, a socket, another's: fetched again over it
            return False
        try:
            found = os.fstat(fd)
            strange = (
                not stat.S_ISREG(found.st_mode)
                or found.st_nlink != 1
                or found.st_size != size
                or (self._owner is not None and found.st_uid != self._owner)
            )
            if strange:
                self.damaged.append(sha256)
                return False
            self._packs.take(fd, sha256, size)
        except BookbagError as problem:
            if problem.code != "bad-content":
                raise
            self.damaged.append(sha256)
            return False
        finally:
            os.close(fd)
        self.taken += size
        return True

    def leftover(self, missing: Iterable[str]) -> bool:
        """Whether something lies there that no fetch of ``missing`` goes on with: it only takes room."""
        awaited = set(missing).difference(self.damaged)
        try:
            with os.scandir(self._spool) as found:
                return any(one.name.partition(".")[0] not in awaited for one in found)
        except OSError:
            return False
