"""The files port over real directories below a root; how attributes are kept is left to linux/ and sandbox/.

A write is: temporary file in the same directory → content, attributes → fsync → rename → fsync of the
directory. A crash in between leaves the old file and perhaps one temporary file, which the next write into
that directory clears away.
"""

from __future__ import annotations

import errno
import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from agent.core.errors import BookbagError
from agent.core.faults import explained
from agent.host.base import Node
from agent.host.beneath import Beneath
from agent.host.directories import OPEN_DIRECTORY, dressed_directory
from agent.host.leftovers import clear_leftovers, is_leftover, leftover
from agent.host.paths import check_path, parents, split

#: A FIFO or device must not hold us up, a terminal must not become ours, a link must not lead us on.
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
#: Why a directory is left where it is: gone, filled, a file by now, or mounted on.
NOT_EMPTY = (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.EBUSY)
MAX_UNSYNCED = 64  #: directories that a batch keeps open before it syncs them early

Xattrs = tuple[tuple[str, bytes], ...]


class TreeFiles(ABC):
    """Files below ``root``; subclasses know how attributes are kept, and which links are trusted."""

    def __init__(self, root: str = "") -> None:
        self._beneath = Beneath(root, self._trusts)
        self._swept: set[tuple[int, int]] = set()
        #: While a batch is open: which directories are to be synced, by descriptor and laptop path.
        self._unsynced: dict[tuple[int, int], tuple[int, str]] | None = None

    def close(self) -> None:
        """Give back every descriptor."""
        self._beneath.close()

    # -- what subclasses know

    @abstractmethod
    def _trusts(self, path: str, link: os.stat_result, holder: os.stat_result) -> bool:
        """Whether a link among a path's parents is followed."""

    @abstractmethod
    def _node(self, path: str, kind: str, status: os.stat_result, fd: int, content: bytes) -> Node:
        """The node at ``path``; ``fd`` is -1 where it could not be opened (symlink, socket)."""

    @abstractmethod
    def _dress(self, path: str, node: Node, fd: int) -> None:
        """Put mode, owner, group and xattrs on the new file, or the directory, open as ``fd``, and none
        beside.
        """

    @abstractmethod
    def _dress_link(self, path: str, node: Node, directory: int, name: str) -> None:
        """Put the owner on the new symlink ``name`` in ``directory`` that will be at ``path``."""

    @abstractmethod
    def _dress_directory(self, path: str, fd: int) -> None:
        """Make the new directory open as ``fd`` root's, 0755."""

    def _check(self, path: str) -> None:
        check_path(path)

    # -- reading

    def read(self, path: str, *, limit: int = 16 << 20) -> Node | None:
        """As `agent.host.base.Files.read`."""
        self._check(path)
        directory, name = split(path)
        try:
            holder = self._beneath.directory(directory)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise explained(error, "read", path) from error
        try:
            fd = os.open(name, READ, dir_fd=holder)
        except FileNotFoundError:
            return None
        except OSError as error:
            return self._read_unopened(path, holder, name, error)
        try:
            return self._read_open(path, fd, limit)
        except OSError as error:
            raise explained(error, "read", path) from error
        finally:
            os.close(fd)

    def _read_open(self, path: str, fd: int, limit: int) -> Node:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            kind = "directory" if stat.S_ISDIR(status.st_mode) else "other"
            return self._node(path, kind, status, fd, b"")
        if status.st_size > limit:
            raise _too_large(path, limit)
        # One byte more than expected shows in one call that the end was reached.
        content = os.read(fd, status.st_size + 1)
        if len(content) != status.st_size or not content:
            content = _rest(path, fd, content, limit)
        return self._node(path, "file", status, fd, content)

    def _read_unopened(self, path: str, holder: int, name: str, error: OSError) -> Node | None:
        """A symlink, a socket, or what we may not open."""
        try:
            status = os.stat(name, dir_fd=holder, follow_symlinks=False)
            if stat.S_ISLNK(status.st_mode):
                return self._node(path, "symlink", status, -1, os.fsencode(os.readlink(name, dir_fd=holder)))
        except FileNotFoundError:
            return None
        except OSError as late:
            raise explained(late, "read", path) from late
        if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
            raise explained(error, "read", path) from error
        return self._node(path, "other", status, -1, b"")

    def names(self, directory: str) -> tuple[str, ...] | None:
        """As `agent.host.base.Files.names`."""
        self._check(directory)
        try:
            fd = os.open(".", OPEN_DIRECTORY, dir_fd=self._beneath.directory(directory))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise explained(error, "list", directory) from error
        try:
            return tuple(sorted(name for name in os.listdir(fd) if not is_leftover(name)))
        finally:
            os.close(fd)

    # -- writing

    def write(self, path: str, node: Node) -> None:
        """As `agent.host.base.Files.write`."""
        if node.kind not in ("file", "symlink"):
            raise BookbagError("bad-path", f"cannot write a {node.kind}: only files and symlinks", place=path)
        holder, name = self._place(path, "write")
        try:
            self._check_replaceable(path, holder, name)
            self._sweep(holder)
            temporary = leftover()
            try:
                if node.kind == "file":
                    self._create(path, node, holder, temporary)
                else:
                    os.symlink(node.content, os.fsencode(temporary), dir_fd=holder)
                    self._dress_link(path, node, holder, temporary)
                os.rename(temporary, name, src_dir_fd=holder, dst_dir_fd=holder)
            except BaseException:
                with suppress(OSError):
                    os.unlink(temporary, dir_fd=holder)
                raise
            self._sync(holder, split(path)[0])
        except OSError as error:
            raise explained(error, "write", path) from error

    def remove(self, path: str) -> None:
        """As `agent.host.base.Files.remove`."""
        try:
            holder, name = self._place(path, "remove")
        except BookbagError as error:
            if error.code == "not-found":
                return
            raise
        try:
            self._check_replaceable(path, holder, name)
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=holder)
            self._sync(holder, split(path)[0])
        except OSError as error:
            raise explained(error, "remove", path) from error

    @contextmanager
    def batch(self) -> Iterator[None]:
        """As `agent.host.base.Files.batch`."""
        if self._unsynced is not None:
            raise BookbagError("internal", "cannot begin a batch: one is open")
        self._unsynced = {}
        try:
            yield
        finally:
            try:
                self._sync_batch()
            finally:
                self._unsynced = None

    def make_parents(self, path: str) -> tuple[str, ...]:
        """As `agent.host.base.Files.make_parents`."""
        self._check(path)
        missing: list[str] = []
        made: list[str] = []
        directory = path
        try:
            for directory in reversed(parents(path)):
                try:
                    self._beneath.directory(directory)
                    break
                except FileNotFoundError:
                    missing.append(directory)
            for directory in reversed(missing):
                self._make(directory)
                made.append(directory)
        except OSError as error:
            raise explained(error, "make the directory", directory) from error
        return tuple(made)

    def make_directory(self, path: str, node: Node) -> None:
        """As `agent.host.base.Files.make_directory`."""
        holder, name = self._place(path, "make")
        try:
            self._sweep(holder)
            dressed_directory(holder, name, lambda fd: self._dress(path, node, fd))
            self._sync(holder, split(path)[0])
        except OSError as error:
            if error.errno in (errno.ENOTDIR, errno.ELOOP):
                raise BookbagError(
                    "bad-path", "cannot make a directory: something else is there", place=path
                ) from error
            raise explained(error, "make the directory", path) from error

    def remove_empty(self, directories: Iterable[str]) -> None:
        """As `agent.host.base.Files.remove_empty`."""
        for directory in sorted(directories, key=lambda path: path.count("/"), reverse=True):
            self._check(directory)
            try:
                self._sweep(self._beneath.directory(directory), again=True)
                above, name = split(directory)
                holder = self._beneath.directory(above)
                os.rmdir(name, dir_fd=holder)
                self._sync(holder, above)
            except OSError as error:
                if error.errno not in NOT_EMPTY:
                    raise explained(error, "remove the directory", directory) from error

    def rename_beside(self, path: str, name: str) -> None:
        """As `agent.host.base.Files.rename_beside`."""
        holder, old = self._place(path, "rename")
        self._check(f"{split(path)[0].rstrip('/')}/{name}")
        try:
            if "/" in name:
                raise BookbagError("bad-path", f"cannot rename to {name!r}: it is no single name", place=path)
            if _is_there(holder, name):
                raise BookbagError("bad-path", f"cannot rename to {name}: something is there", place=path)
            os.rename(old, name, src_dir_fd=holder, dst_dir_fd=holder)
            fd = os.open(".", OPEN_DIRECTORY, dir_fd=holder)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
        except OSError as error:
            raise explained(error, "rename", path) from error

    # -- steps of writing

    def _place(self, path: str, doing: str) -> tuple[int, str]:
        """(descriptor of the directory, name) where ``path`` is to be changed."""
        self._check(path)
        directory, name = split(path)
        try:
            return self._beneath.directory(directory), name
        except FileNotFoundError as error:
            raise BookbagError(
                "not-found", f"cannot {doing}: its directory is not there", place=path
            ) from error
        except OSError as error:
            raise explained(error, doing, path) from error

    @staticmethod
    def _check_replaceable(path: str, holder: int, name: str) -> None:
        try:
            mode = os.stat(name, dir_fd=holder, follow_symlinks=False).st_mode
        except FileNotFoundError:
            return
        if stat.S_ISDIR(mode) or stat.S_ISBLK(mode) or stat.S_ISCHR(mode):
            what = "directory" if stat.S_ISDIR(mode) else "device"
            raise BookbagError("bad-path", f"cannot replace or remove: a {what} is in the way", place=path)

    def _create(self, path: str, node: Node, holder: int, temporary: str) -> None:
        fd = os.open(temporary, CREATE, 0o600, dir_fd=holder)
        try:
            ahead = memoryview(node.content)
            while ahead:
                ahead = ahead[os.write(fd, ahead) :]
            self._dress(path, node, fd)
            os.fsync(fd)
        finally:
            os.close(fd)

    def _make(self, directory: str) -> None:
        above, name = split(directory)
        holder = self._beneath.directory(above)
        os.mkdir(name, 0o755, dir_fd=holder)
        fd = os.open(name, OPEN_DIRECTORY | os.O_NOFOLLOW, dir_fd=holder)
        try:
            self._dress_directory(directory, fd)
            os.fsync(fd)
        finally:
            os.close(fd)
        self._sync(holder, above)

    def _sweep(self, holder: int, *, again: bool = False) -> None:
        """Clear away what crashed writes of ours left in a directory; looked for once per directory and
        process.
        """
        status = os.fstat(holder)
        key = (status.st_dev, status.st_ino)
        if key in self._swept and not again:
            return
        try:
            fd = os.open(".", OPEN_DIRECTORY, dir_fd=holder)
        except PermissionError:
            return  # may be entered, not listed: then nobody asked us to write here before
        try:
            clear_leftovers(fd)
        finally:
            os.close(fd)
        self._swept.add(key)

    def _sync(self, holder: int, directory: str) -> None:
        """Make the entries of ``directory`` durable: now, or when the batch ends."""
        fd = os.open(".", OPEN_DIRECTORY, dir_fd=holder) if self._unsynced is None else -1
        if self._unsynced is None:
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
            return
        status = os.fstat(holder)
        key = (status.st_dev, status.st_ino)
        if key not in self._unsynced:
            if len(self._unsynced) >= MAX_UNSYNCED:
                self._sync_batch()
            self._unsynced[key] = os.open(".", OPEN_DIRECTORY, dir_fd=holder), directory

    def _sync_batch(self) -> None:
        """Sync them all; one that fails keeps none of the others from it, and the first to fail is told."""
        failed: BookbagError | None = None
        while self._unsynced:
            _, (fd, directory) = self._unsynced.popitem()
            try:
                os.fsync(fd)
            except OSError as error:
                failed = failed or explained(error, "make changes durable in the directory", directory)
            finally:
                os.close(fd)
        if failed is not None:
            raise failed


def _is_there(holder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=holder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _rest(path: str, fd: int, content: bytes, limit: int) -> bytes:
    """The whole content of a file that grows, shrinks, or (in /proc) has no size."""
    pieces = [content]
    total = len(content)
    while piece := os.read(fd, 1 << 16):
        pieces.append(piece)
        total += len(piece)
        if total > limit:
            raise _too_large(path, limit)
    return b"".join(pieces)


def _too_large(path: str, limit: int) -> BookbagError:
    return BookbagError("too-large", f"cannot read: it is larger than {limit} bytes", place=path)


def no_such(what: str, name: str, path: str) -> NoReturn:
    """Refuse an owner or group that this machine does not have."""
    raise BookbagError(
        "not-found", f"cannot give the file to {what} {name!r}: no such {what} here", place=path
    )
