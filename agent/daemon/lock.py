"""One supervisor per laptop: an exclusive lock that the kernel drops with the process, however it ends."""

from __future__ import annotations

import fcntl
import os

from agent.core.errors import BookbagError


class Lock:
    """Holds ``path`` locked until `release`."""

    __slots__ = ("_fd", "path")

    def __init__(self, path: str, fd: int) -> None:
        self.path = path
        self._fd = fd

    @classmethod
    def take(cls, path: str, *, wait: bool = False) -> Lock:
        """The lock on ``path``, which need not exist yet. ``wait``: until its holder lets go; else
        ``already-running``.
        """
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not wait:
                os.ftruncate(fd, 0)
                os.write(fd, b"%d\n" % os.getpid())
        except BlockingIOError:
            holder = os.pread(fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(fd)
            raise BookbagError(
                "already-running",
                f"cannot start: process {holder} looks after this laptop already",
                place=path,
                remedy="use `bookbag status`, or stop that one first",
            ) from None
        except BaseException:
            os.close(fd)
            raise
        return cls(path, fd)

    def release(self) -> None:
        """Let go (idempotent)."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
