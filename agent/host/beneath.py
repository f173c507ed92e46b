"""Reaching a directory below a root without being led astray by links.

Root works on paths of which a student may own a part, and a student who can swap a directory for a link
would choose where root writes. So every directory is opened name by name from the root's descriptor,
without following; a link is resolved here, and only if the caller trusts it. ``..`` in a link's target
never climbs above the root.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable

from agent.core.errors import BookbagError

#: O_PATH: passing through a directory needs no right to list it.
DIRECTORY = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
LINK = os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
MAX_LINKS = 40  #: as the kernel itself
MAX_KEPT = 64  #: directories kept open for reuse

#: (laptop path of the link, its status, status of the directory that holds it) → whether to follow it.
Trusts = Callable[[str, os.stat_result, os.stat_result], bool]


class Beneath:
    """Directories below ``root`` (a folder; ``""`` is the whole machine). One thread."""

    def __init__(self, root: str, trusts: Trusts) -> None:
        self.root = root
        self._trusts = trusts
        self._kept: dict[str, tuple[int, int, int]] = {}
        self._fd = -1
        self._fd = os.open(root or "/", os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY))

    def __del__(self) -> None:
        # Whoever lets go of it does not have to know that it holds descriptors.
        self.close()

    def close(self) -> None:
        """Give back every descriptor."""
        self._forget()
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def _forget(self) -> None:
        for fd, _, _ in self._kept.values():
            os.close(fd)
        self._kept.clear()

    def directory(self, path: str) -> int:
        """A descriptor of directory ``path``, borrowed until the next call.

        Raises FileNotFoundError, NotADirectoryError, PermissionError, and BookbagError ``bad-path`` for a
        link in the way that is not to be followed.
        """
        if path == "/":
            return self._fd
        kept = self._kept.get(path)
        if kept is not None:
            # Still the directory that the name leads to? Links may lead there by now: it was reached
            # safely, and is the same one.
            try:
                now = os.stat(self.root + path)
            except OSError:
                now = None
            if now is not None and now.st_ino == kept[2] and now.st_dev == kept[1]:
                return kept[0]
            os.close(self._kept.pop(path)[0])
        fd = self._walk(path)
        there = os.fstat(fd)
        if len(self._kept) >= MAX_KEPT:
            self._forget()
        self._kept[path] = (fd, there.st_dev, there.st_ino)
        return fd

    def _walk(self, path: str) -> int:
        ahead = path.split("/")[:0:-1]
        passed: list[str] = []
        hops = 0
        here = os.dup(self._fd)
        try:
            while ahead:
                name = ahead.pop()
                if name in ("", "."):
                    continue
                target = "" if name == ".." else self._enter(here, name, passed)
                if isinstance(target, int):
                    os.close(here)
                    here = target
                    passed.append(name)
                    continue
                hops += 1
                if hops > MAX_LINKS:
                    raise BookbagError(
                        "bad-path", f"cannot reach {path}: more than {MAX_LINKS} links in the way", place=path
                    )
                # A link, or '..' inside one: go on from the top, by names already resolved.
                if name == "..":
                    del passed[-1:]
                else:
                    ahead.extend(target.split("/")[::-1])
                if not target.startswith("/"):
                    ahead.extend(passed[::-1])
                passed.clear()
                os.close(here)
                here = os.dup(self._fd)
        except BaseException:
            os.close(here)
            raise
        return here

    def _enter(self, here: int, name: str, passed: list[str]) -> int | str:
        """A descriptor of directory ``name``, or the target of the trusted link that is there instead."""
        try:
            return os.open(name, DIRECTORY, dir_fd=here)
        except OSError as error:
            if error.errno not in (errno.ENOTDIR, errno.ELOOP):
                raise
            # Held open while it is judged and read: somebody may be swapping it for another.
            link = os.open(name, LINK, dir_fd=here)
        try:
            status = os.fstat(link)
            if stat.S_ISDIR(status.st_mode):
                return os.dup(link)
            if not stat.S_ISLNK(status.st_mode):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            self._check_link("/".join(("", *passed, name)), status, here)
            return os.readlink("", dir_fd=link)
        finally:
            os.close(link)

    def _check_link(self, path: str, status: os.stat_result, here: int) -> None:
        if not self._trusts(path, status, os.fstat(here)):
            raise BookbagError(
                "bad-path",
                f"cannot go through {path}: it is a link that the system did not make",
                place=path,
                remedy="remove the link, or name the real place",
            )
