"""The watch port over the kernel's inotify, spoken to directly: no thread, 0.5 MiB, nothing held back.

Each watched path's directory is watched, and every directory above it, by name: so that removing a
directory, renaming one over it or bringing it back is noticed where it happens. A directory that comes
(back) is watched at once, and then all paths below it are reported as touched: what happened before the
watch stood cannot be missed. What is written through a file's other hard links or a memory map, and what
happens above the place where a link among the directories leads, the kernel does not report: the periodic
sweep finds that.

Part of the resident process: no dataclasses, no typing.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from agent.core.errors import BookbagError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

IN_MODIFY = 0x2
IN_ATTRIB = 0x4
IN_CLOSE_WRITE = 0x8
IN_MOVED_FROM = 0x40
IN_MOVED_TO = 0x80
IN_CREATE = 0x100
IN_DELETE = 0x200
IN_DELETE_SELF = 0x400
IN_MOVE_SELF = 0x800
IN_UNMOUNT = 0x2000
IN_Q_OVERFLOW = 0x4000
IN_IGNORED = 0x8000
IN_ONLYDIR = 0x1000000
IN_MASK_ADD = 0x20000000  #: a directory reached by two names has one watch, for what either name asks

#: In a directory that merely leads to watched paths: names come and go.
NAMES = (
    IN_MOVED_FROM
    | IN_MOVED_TO
    | IN_CREATE
    | IN_DELETE
    | IN_DELETE_SELF
    | IN_MOVE_SELF
    | IN_ONLYDIR
    | IN_MASK_ADD
)
#: In a directory that holds watched paths: their content and attributes too.
CONTENTS = NAMES | IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE
#: The directory itself is no longer where it was.
GONE = IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED

_HEAD = struct.Struct("iIII")
_BUFFER = 1 << 16
_MOST_READS = 64  #: per call, so that a flood of events cannot hold the caller up for ever


class Inotify:
    """Watches laptop paths below ``root`` (``""``: the machine). One thread; see `agent.host.base.Watch`."""

    def __init__(self, root: str = "") -> None:
        self._root = root
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd: int = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            number = ctypes.get_errno()
            raise BookbagError(
                "too-many",
                f"cannot watch files: {os.strerror(number)}",
                remedy="raise fs.inotify.max_user_instances",
            )
        self._paths: frozenset[str] = frozenset()
        self._masks: dict[str, int] = {}  # every directory to watch; a parent sorts before what it holds
        self._watches: dict[str, int] = {}  # directory → watch, where it could be placed
        self._directories: dict[
            int, set[str]
        ] = {}  # watch → directories (two, if a link leads to one of them)
        self._blind: set[str] = set()  # directories that the kernel refused to watch
        self._touched: set[str] = set()
        self._lost = False

    def fileno(self) -> int:
        """As `agent.host.base.Watch.fileno`."""
        return self._fd

    def close(self) -> None:
        """As `agent.host.base.Watch.close`."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def set_paths(self, paths: Iterable[str]) -> None:
        """As `agent.host.base.Watch.set_paths`. One that cannot be watched is a lost event, once."""
        before, self._paths = self._paths, frozenset(paths)
        masks: dict[str, int] = {}
        for path in self._paths:
            directory = path.rpartition("/")[0]
            masks[directory] = CONTENTS
            while directory:
                directory = directory.rpartition("/")[0]
                masks.setdefault(directory, NAMES)
        for directory in [known for known in self._watches if masks.get(known) != self._masks.get(known)]:
            self._forget(directory)
        self._masks = dict(sorted(masks.items()))
        self._blind.intersection_update(masks)
        self._touched.intersection_update(self._paths)
        self._touched.update(self._paths - before)
        for directory in self._masks:
            if directory not in self._watches:
                self._place(directory)

    def read(self) -> tuple[frozenset[str], bool]:
        """As `agent.host.base.Watch.read`."""
        for _ in range(_MOST_READS):
            try:
                data = os.read(self._fd, _BUFFER)
            except BlockingIOError:
                break
            at = 0
            while at < len(data):
                watch, mask, _, length = _HEAD.unpack_from(data, at)
                at += _HEAD.size
                name = os.fsdecode(data[at : at + length].rstrip(b"\0"))
                at += length
                self._take(watch, mask, name)
        touched, lost = frozenset(self._touched), self._lost
        self._touched.clear()
        self._lost = False
        return touched, lost

    # -- what an event means

    def _take(self, watch: int, mask: int, name: str) -> None:
        if mask & IN_Q_OVERFLOW:
            self._lost = True
            self._renew("")
            return
        for directory in tuple(self._directories.get(watch, ())):
            if mask & GONE:
                self._renew(directory)
            elif not name:  # the directory's own mode or owner
                self._touched.update(path for path in self._paths if path.rpartition("/")[0] == directory)
            else:
                path = f"{directory}/{name}"
                if path in self._paths:
                    self._touched.add(path)
                if path in self._masks and not mask & (IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE):
                    self._renew(path)

    def _renew(self, above: str) -> None:
        """Watch ``above`` and every directory below it afresh; all that lies there may have changed."""
        inside = above + "/"
        for directory in self._masks:
            if directory == above or directory.startswith(inside):
                self._forget(directory)
                self._place(directory)
        self._touched.update(path for path in self._paths if path.startswith(inside))

    # -- placing watches

    def _place(self, directory: str) -> None:
        path = os.fsencode(self._root + directory) or b"/"
        watch: int = self._libc.inotify_add_watch(self._fd, path, self._masks[directory])
        if watch < 0:
            # Not there, or no directory: the one above tells when it comes. Anything else leaves us blind.
            if ctypes.get_errno() not in (errno.ENOENT, errno.ENOTDIR):
                self._lost = self._lost or directory not in self._blind
                self._blind.add(directory)
            return
        self._blind.discard(directory)
        self._watches[directory] = watch
        self._directories.setdefault(watch, set()).add(directory)

    def _forget(self, directory: str) -> None:
        watch = self._watches.pop(directory, -1)
        if watch < 0:
            return
        others = self._directories[watch]
        others.discard(directory)
        if not others:
            del self._directories[watch]
            self._libc.inotify_rm_watch(self._fd, watch)  # fails, rightly, if the kernel dropped it first
