"""Reading an untrusted mirror directory: one named file at a time, never a walk, never through anything but
plain files.

Whoever owns the mirror (the sync user, a stick, a neighbour) may put links, FIFOs, devices, gigabytes or a
million files there: each name is opened component by component below the mirror's own descriptor, judged by
fstat, and read up to a cap.
"""

from __future__ import annotations

import errno
import os
import stat

from agent.core.errors import BookbagError

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
_MOST_NAME = 255

MOST_FILE = 512 << 10
MOST_TOTAL = 16 << 20


def split_name(name: str) -> list[str]:
    """The components of a relative name. Raises ``bad-path`` for anything that could lead elsewhere."""
    parts = name.split("/")
    for part in parts:
        if part in ("", ".", "..") or "\x00" in part or "\\" in part or len(part.encode()) > _MOST_NAME:
            raise BookbagError(
                "bad-path", "cannot read from mirror: not a plain relative name", place=name[:200]
            )
    if len(parts) > 6:
        raise BookbagError("bad-path", "cannot read from mirror: too many folders deep", place=name[:200])
    return parts


class Mirror:
    """One mirror directory. ``owner``: the uid that must own every file (None: not checked, as on a stick's
    file system).

    A context manager; keeps only the top descriptor open. ``total`` bounds the bytes read through this
    object.
    """

    def __init__(self, path: str, *, owner: int | None = None, total: int = MOST_TOTAL) -> None:
        try:
            self._top = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError as error:
            code = "not-found" if error.errno == errno.ENOENT else "bad-path"
            raise BookbagError(
                code, f"cannot open the copy of the site: {os.strerror(error.errno or 0)}", place=path
            ) from None
        self.path = path
        self._owner = owner
        self._left = total

    def __enter__(self) -> Mirror:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the descriptor back (idempotent)."""
        if self._top >= 0:
            os.close(self._top)
            self._top = -1

    def read(self, name: str, most: int = MOST_FILE) -> bytes | None:
        """The bytes of ``name``, at most ``most``; None if there is no such file.

        Raises ``bad-path`` (a link, FIFO, device, hard link, foreign owner…), ``too-large`` (the file, or
        all together).
        """
        fd = self.open_file(name, most)
        if fd is None:
            return None
        try:
            return self._take(fd, name, most)
        finally:
            os.close(fd)

    def open_file(self, name: str, most: int) -> int | None:
        """A descriptor of ``name``, judged like what `read` reads; None if there is no such file. It may
        still grow: whoever reads it keeps to ``most``."""
        folders = split_name(name)
        fd = self._open(folders.pop(), folders, name, most)
        if fd is None:
            return None
        try:
            self._judge(os.fstat(fd), name, most)
        except BaseException:
            os.close(fd)
            raise
        return fd

    def _open(self, last: str, folders: list[str], name: str, most: int) -> int | None:
        at = os.dup(self._top)
        try:
            for folder in folders:
                below = os.open(folder, _DIRECTORY, dir_fd=at)
                os.close(at)
                at = below
            # Opening a device can already do something: look first. The open file is judged again.
            self._judge(os.stat(last, dir_fd=at, follow_symlinks=False), name, most)
            return os.open(last, _FILE, dir_fd=at)
        except OSError as error:
            if error.errno in _ABSENT and not self._is_link_in_the_way(error, at, folders):
                return None
            raise BookbagError(
                "bad-path", f"cannot read from mirror: {os.strerror(error.errno or 0)}", place=name
            ) from None
        finally:
            os.close(at)

    @staticmethod
    def _is_link_in_the_way(error: OSError, at: int, folders: list[str]) -> bool:
        """With O_DIRECTORY|O_NOFOLLOW a link gives ENOTDIR: the same as a plain file, but it deserves to be
        named."""
        if error.errno != errno.ENOTDIR:
            return False
        for folder in folders:
            try:
                if stat.S_ISLNK(os.stat(folder, dir_fd=at, follow_symlinks=False).st_mode):
                    return True
            except OSError:
                continue
        return False

    def _judge(self, found: os.stat_result, name: str, most: int) -> None:
        if not stat.S_ISREG(found.st_mode):
            raise BookbagError("bad-path", "cannot read from mirror: not a regular file", place=name)
        if found.st_nlink != 1:
            raise BookbagError("bad-path", "cannot read from mirror: it has other hard links", place=name)
        if self._owner is not None and found.st_uid != self._owner:
            raise BookbagError(
                "bad-path", f"cannot read from mirror: owned by uid {found.st_uid}", place=name
            )
        if found.st_size > most:
            raise BookbagError("too-large", f"cannot read from mirror: larger than {most} bytes", place=name)

    def _take(self, fd: int, name: str, most: int) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while chunk := os.read(fd, 65536):
            size += len(chunk)
            if size > most:
                raise BookbagError(
                    "too-large", f"cannot read from mirror: it grows beyond {most} bytes", place=name
                )
            chunks.append(chunk)
        self._left -= size
        if self._left < 0:
            raise BookbagError("too-large", "cannot read from mirror: too much in all", place=name)
        return b"".join(chunks)
