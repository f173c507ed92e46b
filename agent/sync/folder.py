"""A folder as a source: a stick, a share, a mirror beside. Read as what it is, a place where anyone may have
put anything.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator

from agent.core.errors import BookbagError
from agent.sync.source import MAX_TIMESTAMP, TIMESTAMP, Part, SourceFailed
from agent.trust.mirror import Mirror

PIECE = 256 << 10  #: bytes read at a time


class FolderSource:
    """The site repository in ``path``, or in its ``published`` or ``bookbag`` folder (as `bookbag-fleet
    stick` writes it).
    """

    def __init__(self, path: str) -> None:
        self.name = path
        self._mirror = Mirror(_repository_in(path))

    def probe(self, tag: str) -> tuple[bytes, str] | None:
        """As `Source.probe`; the tag is a hash, because a stick's times say nothing."""
        data = self._mirror.read(TIMESTAMP, MAX_TIMESTAMP)
        if data is None:
            raise SourceFailed(
                "cannot sync: there is no site repository in this folder",
                place=self.name,
                code="not-found",
                remedy="make a stick with `bookbag-fleet stick`",
            )
        new_tag = hashlib.sha256(data).hexdigest()
        return None if new_tag == tag else (data, new_tag)

    def open(self, path: str, max_bytes: int) -> Iterator[bytes]:
        """As `Source.open`."""
        data = self._mirror.read(path, max_bytes)
        if data is None:
            raise BookbagError("not-found", "cannot find this in the folder", place=f"{self.name}: {path}")
        return iter((data,))

    def part(self, path: str, first: int, tag: str, most: int) -> Part:
        """As `Source.part`; a copy of a file on a stick is as long as it is, so the tag is its size and
        time."""
        fd = self._mirror.open_file(path, most)
        if fd is None:
            raise BookbagError("not-found", "cannot find this in the folder", place=f"{self.name}: {path}")
        found = os.fstat(fd)
        now = f"{found.st_size}-{found.st_mtime_ns}"
        begin = first if tag == now and first <= found.st_size else 0
        return Part(begin, now, _pieces(fd, begin, most), lambda: os.close(fd))

    def deliver(self, name: str, data: bytes) -> str:
        """As `Source.deliver`: the return is left in ``returns/``; the outbox keeps it too, for the stick may
        get lost.
        """
        folder = os.path.join(self._mirror.path, "returns")
        try:
            os.makedirs(folder, exist_ok=True)
            at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                _write(at, name, data)
            finally:
                os.close(at)
        except OSError as problem:
            raise BookbagError(
                "network", f"cannot leave a return: {problem.strerror}", place=folder
            ) from None
        return "left"

    def close(self) -> None:
        """As `Source.close`."""
        self._mirror.close()


def _repository_in(path: str) -> str:
    for candidate in (path, os.path.join(path, "published"), os.path.join(path, "bookbag")):
        if os.path.isdir(os.path.join(candidate, "metadata")):
            return candidate
    return path


def _pieces(fd: int, first: int, most: int) -> Iterator[bytes]:
    at = first
    while at < most:
        try:
            data = os.pread(fd, min(PIECE, most - at), at)
        except OSError as problem:
            raise BookbagError("network", f"cannot read from the folder: {problem.strerror}") from None
        if not data:
            return
        at += len(data)
        yield data


def _has(folder: int, name: str, data: bytes) -> bool:
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return False
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(fd)
        return stat.S_ISREG(status.st_mode) and status.st_size == len(data) and file.read(len(data)) == data


def _write(folder: int, name: str, data: bytes) -> None:
    """Durably put ``name`` into the open directory ``folder``, whole or not at all. What is there already is
    not written again: a stick has only so many writes in it."""
    if _has(folder, name, data):
        return
    draft = f".{name}.new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(draft, flags, 0o644, dir_fd=folder), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)
