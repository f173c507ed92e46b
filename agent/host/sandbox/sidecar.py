"""Attributes that only root could give a file, kept beside the sandbox's files: an append-only log of JSON
lines.

Each line speaks of one path and of one file there, known by its inode, or (after the folder was copied) by
its content: a file that somebody else put in its place is another, and so has lost the attributes, as it
would on a real machine. (The same content put there again has them back, which a real machine would not do.
Nothing relies on it.) The last line about a file counts; a half-written one, left by a crash, does not.
"""

from __future__ import annotations

import base64
import binascii
import errno
import json
import os
from dataclasses import dataclass

from agent.core import durable
from agent.core.errors import BookbagError

COMPACT_BEYOND = 4096  #: lines
MAX_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Attributes:
    """What root gave the file. ``real_mode`` is what was put on the real file then, to notice a later
    chmod.
    """

    mode: int
    real_mode: int
    owner: str
    group: str
    xattrs: tuple[tuple[str, bytes], ...] = ()


#: What is kept of one file: a mark of its content, and its attributes (None: nothing special).
Kept = tuple[int, Attributes | None]


class Sidecar:
    """The log at ``path``, read again when another process has added to it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._known: dict[str, dict[int, Kept]] = {}  # path → inode → what is kept, oldest first
        self._read_to = 0
        self._inode = -1
        self._lines = 0

    def get(self, path: str, inode: int, content: bytes | None = None) -> Attributes | None:
        """What is kept for the file ``inode`` at ``path``; or else for one of that ``content`` there."""
        self._refresh()
        files = self._known.get(path)
        if files is None:
            return None
        if inode in files:
            return files[inode][1]
        mark = -1 if content is None else mark_of(content)
        return next((attributes for known, attributes in reversed(files.values()) if known == mark), None)

    def put(self, path: str, inode: int, content: bytes, attributes: Attributes | None) -> None:
        """Keep ``attributes`` (None: nothing special), durably. Nothing is written if that is known
        already.
        """
        self._refresh()
        files = self._known.get(path, {})
        if files.get(inode, (-1, None)) == (mark_of(content), attributes) or not (files or attributes):
            return
        if self._lines > COMPACT_BEYOND:
            self._compact()
        fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            line = _line(path, inode, mark_of(content), attributes)
            if os.write(fd, line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(fd)
        finally:
            os.close(fd)
        if self._inode < 0:  # the log is new, and so is its name
            durable.sync_directory(os.path.dirname(self._path))

    def _refresh(self) -> None:
        try:
            status = os.stat(self._path)
        except FileNotFoundError:
            self._known.clear()
            self._inode = -1
            return
        if status.st_ino == self._inode and status.st_size == self._read_to:
            return
        if status.st_ino != self._inode or status.st_size < self._read_to:
            self._known.clear()
            self._inode, self._read_to, self._lines = status.st_ino, 0, 0
        if status.st_size > MAX_BYTES:
            raise BookbagError("too-large", "cannot read the sandbox's attributes", place=self._path)
        with open(self._path, "rb") as file:
            file.seek(self._read_to)
            data = file.read(MAX_BYTES)
        whole = data[: data.rfind(b"\n") + 1]  # the rest is torn, or still being written
        for line in whole.splitlines():
            self._lines += 1
            self._take(line)
        self._read_to += len(whole)

    def _take(self, line: bytes) -> None:
        try:
            path, inode, mark, attributes = json.loads(line)
            files = self._known.setdefault(path, {})
            files.pop(int(inode), None)
            files[int(inode)] = (int(mark), _attributes(attributes) if attributes else None)
        except (ValueError, TypeError, KeyError, RecursionError):
            return  # torn by a crash: as if it had never been written

    def _compact(self) -> None:
        """Write anew, with the newest two files of each path: the one there, and the one that replaces it."""
        temporary = f"{self._path}.new"
        with open(temporary, "wb") as file:
            for path, files in self._known.items():
                for inode, (mark, attributes) in list(files.items())[-2:]:
                    file.write(_line(path, inode, mark, attributes))
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, self._path)
        durable.sync_directory(os.path.dirname(self._path))
        self._refresh()


def mark_of(content: bytes) -> int:
    """Tells one content from another, nobody being out to deceive."""
    return len(content) << 32 | binascii.crc32(content)


def _line(path: str, inode: int, mark: int, attributes: Attributes | None) -> bytes:
    kept = attributes and {
        "mode": attributes.mode,
        "real-mode": attributes.real_mode,
        "owner": attributes.owner,
        "group": attributes.group,
        "xattrs": {name: base64.b64encode(value).decode() for name, value in attributes.xattrs},
    }
    # A newline first closes a line that a crash tore.
    return b"\n" + json.dumps([path, inode, mark, kept]).encode() + b"\n"


def _attributes(kept: dict[str, object]) -> Attributes:
    xattrs = kept["xattrs"]
    if not isinstance(xattrs, dict):
        raise TypeError("xattrs")
    return Attributes(
        mode=int(str(kept["mode"])),
        real_mode=int(str(kept["real-mode"])),
        owner=str(kept["owner"]),
        group=str(kept["group"]),
        xattrs=tuple(sorted((name, base64.b64decode(value)) for name, value in xattrs.items())),
    )
