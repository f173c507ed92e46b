"""From system calls to changes on a disk: which descriptor means which file, which path which directory."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.powercut.disk import Attribute, Change, Data, Inode, Names, Said, Size, Sync, load
from tests.powercut.strace import Call, Unrecordable, split, text

_IOV = re.compile(r'iov_base=("[^"]*")')


@dataclass(eq=False, slots=True)
class _OpenFile:
    """What one open call made; shared by copies of its descriptor."""

    inode: Inode | None  # None: outside the directory
    path: str = ""  # of a directory outside, for names relative to it
    offset: int = 0
    append: bool = False
    readable: bool = False
    heard: bool = False  # standard output, under whatever number: what is written there was acknowledged


@dataclass(eq=False, slots=True)
class _Process:
    files: dict[int, _OpenFile] = field(default_factory=dict)
    closed_on_exec: set[int] = field(default_factory=set)
    cwd: str = ""
    umask: int = 0o022


@dataclass(frozen=True, slots=True)
class Step:
    """One change, and the call that made it (for injecting a fault at the same call of another run)."""

    change: Change
    call: Call


class Recorder:
    """Turns the calls of one run into `steps` on the disk that begins as ``directory``."""

    def __init__(self, directory: Path, cwd: Path) -> None:
        self.top = os.path.realpath(directory)
        self.root = load(directory)
        self.steps: list[Step] = []
        self._now: dict[Inode, dict[str, Inode]] = {}  # the directories as the running program sees them
        self._sizes: dict[Inode, int] = {}
        self._cwd = str(cwd)
        self._processes: dict[int, _Process] = {}
        umask = os.umask(0o022)
        os.umask(umask)
        self._umask = umask

    def take(self, calls: Iterable[Call]) -> None:
        """Follow every call; those that failed changed nothing."""
        for call in calls:
            if call.result < 0:
                continue
            handler: Callable[[Call, _Process], None] | None = getattr(self, f"_on_{call.name}", None)
            if handler is not None:
                handler(call, self._process(call.pid))

    # -- processes and descriptors

    def _process(self, pid: int) -> _Process:
        if pid not in self._processes:
            standard = {n: _OpenFile(None, heard=n == 1) for n in (0, 1, 2)}
            self._processes[pid] = _Process(standard, set(), self._cwd, self._umask)
        return self._processes[pid]

    def _on_clone(self, call: Call, process: _Process) -> None:
        shared = "CLONE_FILES" in ",".join(call.args)
        self._processes[call.result] = (
            process
            if shared
            else _Process(dict(process.files), set(process.closed_on_exec), process.cwd, process.umask)
        )

    _on_clone3 = _on_fork = _on_vfork = _on_clone

    def _on_execve(self, call: Call, process: _Process) -> None:
        for fd in process.closed_on_exec:
            process.files.pop(fd, None)
        process.closed_on_exec.clear()

    def _on_chdir(self, call: Call, process: _Process) -> None:
        process.cwd = os.path.join(process.cwd, os.fsdecode(text(call.args[0])))

    def _on_fchdir(self, call: Call, process: _Process) -> None:
        process.cwd = self._file(call.args[0], process).path

    def _on_umask(self, call: Call, process: _Process) -> None:
        process.umask = int(call.args[0], 8)

    def _on_close(self, call: Call, process: _Process) -> None:
        process.files.pop(int(call.args[0]), None)
        process.closed_on_exec.discard(int(call.args[0]))

    def _on_close_range(self, call: Call, process: _Process) -> None:
        first, last = int(call.args[0]), int(call.args[1])
        for fd in [fd for fd in process.files if first <= fd <= last]:
            del process.files[fd]

    def _on_dup(self, call: Call, process: _Process) -> None:
        process.files[call.result] = self._file(call.args[0], process)
        process.closed_on_exec.discard(call.result)

    _on_dup2 = _on_dup3 = _on_dup

    def _on_fcntl(self, call: Call, process: _Process) -> None:
        if call.args[1].startswith("F_DUPFD"):
            self._on_dup(call, process)

    def _on_openat(self, call: Call, process: _Process) -> None:
        self._open(call, process, call.args[0], call.args[1], call.args[2], call.args[3:])

    def _on_open(self, call: Call, process: _Process) -> None:
        self._open(call, process, "AT_FDCWD", call.args[0], call.args[1], call.args[2:])

    def _on_creat(self, call: Call, process: _Process) -> None:
        self._open(call, process, "AT_FDCWD", call.args[0], "O_WRONLY|O_CREAT|O_TRUNC", call.args[1:])

    def _on_openat2(self, call: Call, process: _Process) -> None:
        how = dict(part.split("=", 1) for part in split(call.args[2].strip("{}")) if "=" in part)
        self._open(call, process, call.args[0], call.args[1], how["flags"], (how.get("mode", "0"),))

    def _open(
        self, call: Call, process: _Process, at: str, name: str, flags: str, mode: tuple[str, ...]
    ) -> None:
        path = self._path(at, name, process)
        words = set(flags.split("|"))
        inode = None
        if self._inside(path):
            inode = self._find(path)
            if (
                "O_TMPFILE" in words
            ):  # never has a name: its bytes are gone with the power, but may be refused
                inode = Inode("file", int(mode[0], 8))
                self._step(call, Names(f"an unnamed file in {path}", (), ()))
            if inode is not None and inode.kind == "symlink" and not words & {"O_NOFOLLOW", "O_PATH"}:
                raise Unrecordable(f"opening {path} through a symlink")
            if inode is None:
                inode = Inode("file", int(mode[0], 8) & ~process.umask)
                self._names(call, (path, inode))
            elif "O_TRUNC" in words and self._size(inode):
                self._resize(call, inode, 0)
        append, readable = "O_APPEND" in words, "O_RDWR" in words
        process.files[call.result] = _OpenFile(inode, path, 0, append, readable)
        if "O_CLOEXEC" in words:
            process.closed_on_exec.add(call.result)

    def _on_lseek(self, call: Call, process: _Process) -> None:
        self._file(call.args[0], process).offset = call.result

    def _on_mmap(self, call: Call, process: _Process) -> None:
        _, _, protection, flags, fd, _ = call.args
        if "MAP_SHARED" in flags and "PROT_WRITE" in protection and not fd.startswith("-"):
            file = self._file(fd, process)
            # SQLite rebuilds its shared-memory index after any crash and never reads an old one.
            if file.inode is not None and not file.path.endswith("-shm"):
                raise Unrecordable(f"a writable shared mapping of {file.path}")

    # -- bytes

    def _on_write(self, call: Call, process: _Process) -> None:
        self._write(call, process, text(call.args[1]))

    def _on_writev(self, call: Call, process: _Process) -> None:
        self._write(call, process, b"".join(map(text, _IOV.findall(call.args[1]))))

    def _on_pwrite64(self, call: Call, process: _Process) -> None:
        self._write(call, process, text(call.args[1]), int(call.args[3]))

    def _on_pwritev(self, call: Call, process: _Process) -> None:
        self._write(call, process, b"".join(map(text, _IOV.findall(call.args[1]))), int(call.args[3]))

    _on_pwritev2 = _on_pwritev

    def _write(self, call: Call, process: _Process, data: bytes, offset: int | None = None) -> None:
        data = data[: call.result]
        file = self._file(call.args[0], process)
        if file.heard:
            self._step(call, Said("said", (), data))
        if file.inode is None:
            return
        if offset is None:
            if file.append:
                file.offset = self._size(file.inode)
            elif file.readable and file.offset != self._size(file.inode):
                # Reads move the offset too, unless it is at the end, and are not traced: each would show all
                # it read.
                raise Unrecordable(f"write() to {file.path}, opened for reading too: use pwrite()")
            offset = file.offset
            file.offset += len(data)
        self._sizes[file.inode] = max(self._size(file.inode), offset + len(data))
        self._step(
            call, Data(f"write {len(data)} bytes at {offset} of {file.path}", (file.inode,), offset, data)
        )

    def _on_ftruncate(self, call: Call, process: _Process) -> None:
        inode = self._file(call.args[0], process).inode
        if inode is not None and self._size(inode) != int(call.args[1]):
            self._resize(call, inode, int(call.args[1]))

    def _on_truncate(self, call: Call, process: _Process) -> None:
        inode = self._find(self._path("AT_FDCWD", call.args[0], process))
        if inode is not None:
            self._resize(call, inode, int(call.args[1]))

    def _on_fallocate(self, call: Call, process: _Process) -> None:
        inode = self._file(call.args[0], process).inode
        if inode is not None:
            if call.args[1] != "0":
                raise Unrecordable(f"fallocate with {call.args[1]}")
            length = int(call.args[2]) + int(call.args[3])
            self._sizes[inode] = max(self._size(inode), length)
            self._step(call, Size("fallocate", (inode,), length, only_grow=True))

    def _on_copy_file_range(self, call: Call, process: _Process) -> None:
        target = call.args[0] if call.name == "sendfile" else call.args[2]
        if self._file(target, process).inode is not None:
            raise Unrecordable(call.name)

    _on_sendfile = _on_splice = _on_copy_file_range

    # -- fsync

    def _on_fsync(self, call: Call, process: _Process) -> None:
        file = self._file(call.args[0], process)
        if file.inode is not None:
            only = call.name == "fdatasync"
            self._step(call, Sync(f"{call.name} {file.path}", (file.inode,), only))

    _on_fdatasync = _on_fsync

    def _on_sync(self, call: Call, process: _Process) -> None:
        self._step(call, Sync("sync", ()))

    _on_syncfs = _on_sync

    # -- names

    def _on_rename(self, call: Call, process: _Process) -> None:
        old, new, flags = "AT_FDCWD", "AT_FDCWD", ""
        names = call.args
        if call.name != "rename":
            old, new, names = call.args[0], call.args[2], (call.args[1], call.args[3])
            flags = call.args[4] if len(call.args) > 4 else ""
        source, target = self._path(old, names[0], process), self._path(new, names[1], process)
        if self._inside(source) != self._inside(target):
            raise Unrecordable(f"a rename across the edge of the directory: {source} to {target}")
        inode = self._find(source)
        if inode is None:
            return
        exchanged = self._find(target) if "RENAME_EXCHANGE" in flags else None
        if inode is not self._find(target):
            self._names(call, (source, exchanged), (target, inode))

    _on_renameat = _on_renameat2 = _on_rename

    def _on_unlink(self, call: Call, process: _Process) -> None:
        at, name = ("AT_FDCWD", call.args[0]) if call.name != "unlinkat" else call.args[:2]
        path = self._path(at, name, process)
        if self._inside(path):
            self._names(call, (path, None))

    _on_unlinkat = _on_rmdir = _on_unlink

    def _on_mkdir(self, call: Call, process: _Process) -> None:
        args = call.args if call.name == "mkdirat" else ("AT_FDCWD", *call.args)
        path = self._path(args[0], args[1], process)
        if self._inside(path):
            self._names(call, (path, Inode("directory", int(args[2], 8) & ~process.umask)))

    _on_mkdirat = _on_mkdir

    def _on_symlink(self, call: Call, process: _Process) -> None:
        target, at, name = call.args if call.name == "symlinkat" else (call.args[0], "AT_FDCWD", call.args[1])
        path = self._path(at, name, process)
        if self._inside(path):
            self._names(call, (path, Inode("symlink", 0o777, text(target))))

    _on_symlinkat = _on_symlink

    def _on_link(self, call: Call, process: _Process) -> None:
        if call.name == "link":
            source = self._path("AT_FDCWD", call.args[0], process)
            target = self._path("AT_FDCWD", call.args[1], process)
        else:
            source = self._path(call.args[0], call.args[1], process)
            target = self._path(call.args[2], call.args[3], process)
        if self._inside(target):
            inode = self._find(source) if self._inside(source) else None
            if inode is None:
                raise Unrecordable(f"a link from outside: {source}")
            self._names(call, (target, inode))

    _on_linkat = _on_link

    def _on_mknod(self, call: Call, process: _Process) -> None:
        args = call.args if call.name == "mknodat" else ("AT_FDCWD", *call.args)
        if self._inside(self._path(args[0], args[1], process)):
            raise Unrecordable("mknod")

    _on_mknodat = _on_mknod

    # -- attributes

    def _on_fchmod(self, call: Call, process: _Process) -> None:
        self._attribute(call, self._file(call.args[0], process).inode, int(call.args[1], 8))

    def _on_chmod(self, call: Call, process: _Process) -> None:
        inode = self._find(self._path("AT_FDCWD", call.args[0], process))
        self._attribute(call, inode, int(call.args[1], 8))

    def _on_fchmodat(self, call: Call, process: _Process) -> None:
        inode = self._find(self._path(call.args[0], call.args[1], process))
        self._attribute(call, inode, int(call.args[2], 8))

    _on_fchmodat2 = _on_fchmodat

    def _on_fchown(self, call: Call, process: _Process) -> None:
        self._attribute(call, self._file(call.args[0], process).inode, None)

    _on_fsetxattr = _on_fremovexattr = _on_fchown

    def _on_chown(self, call: Call, process: _Process) -> None:
        self._attribute(call, self._find(self._path("AT_FDCWD", call.args[0], process)), None)

    _on_lchown = _on_setxattr = _on_lsetxattr = _on_removexattr = _on_lremovexattr = _on_chown

    def _on_fchownat(self, call: Call, process: _Process) -> None:
        self._attribute(call, self._find(self._path(call.args[0], call.args[1], process)), None)

    def _attribute(self, call: Call, inode: Inode | None, mode: int | None) -> None:
        if inode is not None:
            self._step(call, Attribute(call.name, (inode,), mode))

    # -- the tree as the program sees it

    def _step(self, call: Call, change: Change) -> None:
        self.steps.append(Step(change, call))

    def _file(self, fd: str, process: _Process) -> _OpenFile:
        return process.files.get(int(fd), _OpenFile(None))

    def _path(self, at: str, name: str, process: _Process) -> str:
        base = process.cwd if at == "AT_FDCWD" else self._file(at, process).path
        path = os.path.join(base, os.fsdecode(text(name)))
        return os.path.normpath(path)

    def _inside(self, path: str) -> bool:
        return path == self.top or path.startswith(self.top + "/")

    def _entries(self, directory: Inode) -> dict[str, Inode]:
        return self._now.setdefault(directory, dict(directory.names))

    def _find(self, path: str) -> Inode | None:
        if not self._inside(path):
            return None
        inode: Inode | None = self.root
        for name in path[len(self.top) + 1 :].split("/"):
            if name and inode is not None:
                inode = self._entries(inode).get(name)
        return inode

    def _size(self, inode: Inode) -> int:
        return self._sizes.setdefault(inode, len(inode.content))

    def _resize(self, call: Call, inode: Inode, length: int) -> None:
        self._sizes[inode] = length
        self._step(call, Size(f"cut to {length}", (inode,), length))

    def _names(self, call: Call, *links: tuple[str, Inode | None]) -> None:
        found = []
        for path, inode in links:
            directory = self._find(os.path.dirname(path))
            if directory is None:
                raise Unrecordable(f"no directory known for {path}")
            name = os.path.basename(path)
            entries = self._entries(directory)
            if inode is None:
                entries.pop(name, None)
            else:
                entries[name] = inode
            found.append((directory, name, inode))
        touched = tuple(dict.fromkeys(directory for directory, _, _ in found))
        what = f"{call.name} " + ", ".join(path for path, _ in links)
        self._step(call, Names(what, touched, tuple(found)))
