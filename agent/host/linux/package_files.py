"""Where packages' files lie between the unit that fetches them, which is nobody, and the one that installs
them, which is root: every byte is compared with the hash that the signed lists give, on its way into a folder
that only root may write to.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress

from agent.core import durable, jsontext
from agent.core.errors import BookbagError
from agent.core.faults import explained
from agent.host.linux.apt_get import File, bare
from agent.host.packages import Told

MOST_BYTES = 4 << 30  #: of one file
MOST_FILES = 900
_MOST_LIST = 4 << 20
_MODE = 0o640  #: of the list
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+~%_:-]{0,250}\.deb")
_URI = re.compile(r"https?://[!-~]{1,1900}")
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
#: Left free for everything else on the disk.
_ROOM = 512 << 20
#: How much larger files are on the disk than in their package, where they are packed well.
_UNPACKED = 4


class PackageFiles:
    """Everything below ``place``."""

    def __init__(self, place: str) -> None:
        self.archives = f"{place}/archives"
        self.fetched = f"{place}/fetched"
        self.list = f"{place}/fetch.json"

    def begin(self) -> None:
        """An empty folder of archives."""
        durable.make_directories(f"{self.archives}/partial", mode=0o700)
        for name in os.listdir(self.archives):
            if name != "partial":
                with suppress(OSError):
                    os.unlink(f"{self.archives}/{name}")

    def take(self, wanted: Sequence[File]) -> tuple[File, ...]:
        """Bring those into the archives that were fetched, and say which were not. Raises where one cannot be
        fetched at all, before others are asked for together with it.
        """
        for one in wanted:
            _check(one)
        return tuple(one for one in wanted if not self._take(one))

    def _take(self, file: File) -> bool:
        try:
            folder = os.open(self.fetched, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fd = os.open(file.name, _OPEN, dir_fd=folder)
        except OSError:
            return False
        finally:
            os.close(folder)
        try:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or found.st_size != file.size:
                return False
            return self._copy(fd, file)
        finally:
            os.close(fd)

    def _copy(self, source: int, file: File) -> bool:
        """Read once: what was judged is what is written."""
        path = f"{self.archives}/{file.name}"
        digest, left = hashlib.sha256(), file.size
        try:
            target = os.open(
                path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644
            )
            try:
                while left and (piece := os.read(source, min(left, 1 << 20))):
                    digest.update(piece)
                    durable.write_all(target, piece)
                    left -= len(piece)
            finally:
                os.close(target)
            if left or digest.hexdigest() != file.sha256:
                os.unlink(path)
                return False
        except OSError as error:
            raise explained(error, "take a package's file", path) from error
        return True

    def want(self, packages: Mapping[str, Sequence[File]]) -> tuple[bool, dict[str, Told]]:
        """List these packages' files to be fetched, and no others; whether the list is a new one, and what to
        tell of packages that are left out: the largest, where there is no room for all of them.
        """
        wanted: dict[str, File] = {}
        left_out: dict[str, Told] = {}
        for name, files in sorted(packages.items(), key=lambda one: _size(one[1])):
            more = {**wanted, **{one.name: one for one in files}}
            if (problem := self._problem(name, more, packages)) is None:
                wanted = more
            else:
                left_out[name] = problem
        rows = [{"uri": one.uri, "name": one.name, "size": one.size, "sha256": one.sha256} for one in
                sorted(wanted.values(), key=lambda one: one.name)]  # fmt: skip
        data = jsontext.canonical({"v": 1, "files": rows})
        with suppress(FileNotFoundError), open(self.list, "rb") as file:
            if file.read(_MOST_LIST) == data and stat.S_IMODE(os.fstat(file.fileno()).st_mode) == _MODE:
                return False, left_out
        # Addresses of sources may hold passwords: only who fetches reads them, whose folder that is.
        group = os.stat(self.fetched).st_gid if os.path.isdir(self.fetched) else 0
        durable.write(self.list, data, mode=_MODE, owner=(os.geteuid(), group))
        return True, left_out

    def _problem(
        self, name: str, files: Mapping[str, File], packages: Mapping[str, Sequence[File]]
    ) -> Told | None:
        """Why ``files`` are too much where ``name`` is among them."""
        if len(files) > MOST_FILES:
            return Told("too-many", f"cannot fetch {name} with the others: these are too many files at once")
        size = (2 + _UNPACKED) * _size(files.values())  # once fetched, once judged, and unpacked
        if not self._has_room(size):
            self.sweep({one.name for each in packages.values() for one in each})
        if self._has_room(size):
            return None
        return Told("disk-full", f"cannot fetch {name}: the disk has too little room left for it")

    def check_room(self, name: str, files: Sequence[File]) -> None:
        """Raise ``disk-full`` where what is there by now cannot be unpacked: a package that is half there is
        worse than none."""
        if not self._has_room(_UNPACKED * _size(files)):
            raise BookbagError(
                "disk-full", f"cannot install {name}: the disk has too little room left for it"
            )

    def _has_room(self, size: int) -> bool:
        found = os.statvfs(os.path.dirname(self.list))
        return found.f_bavail * found.f_frsize >= size + _ROOM

    def sweep(self, kept: Collection[str]) -> None:
        """Of what was fetched, only files of these names stay."""
        try:
            folder = os.open(self.fetched, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            for name in os.listdir(folder):
                if name not in kept:
                    with suppress(OSError):
                        os.unlink(name, dir_fd=folder)
        finally:
            os.close(folder)


def _size(files: Iterable[File]) -> int:
    return sum(one.size for one in files)


def _check(file: File) -> None:
    if not _NAME.fullmatch(file.name):
        raise BookbagError("bad-content", f"cannot install from a file called {file.name[:60]!r}")
    if not _URI.fullmatch(file.uri) or file.size > MOST_BYTES:
        raise BookbagError("not-supported", f"cannot fetch {bare(file.uri)[:80]}: too large, or not by http")


def read_list(path: str) -> tuple[File, ...]:
    """What is to be fetched, as root wrote it; nothing where there is no list."""
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_LIST + 1)
    except FileNotFoundError:
        return ()
    told = jsontext.parse(data, what="the list of files", max_bytes=_MOST_LIST)
    rows = told.get("files") if isinstance(told, dict) else None
    if not isinstance(rows, list):
        raise BookbagError("bad-content", "cannot fetch: the list of files is none", place=path)
    return tuple(_file(row, path) for row in rows[:MOST_FILES])


def _file(row: object, path: str) -> File:
    made = row if isinstance(row, dict) else {}
    uri, name, size, digest = (made.get(key) for key in ("uri", "name", "size", "sha256"))
    if (
        not (isinstance(uri, str) and isinstance(name, str) and isinstance(digest, str))
        or type(size) is not int
    ):
        raise BookbagError("bad-content", "cannot fetch: a row of the list is none", place=path)
    if not (_URI.fullmatch(uri) and _NAME.fullmatch(name) and re.fullmatch("[0-9a-f]{64}", digest)):
        raise BookbagError("bad-content", f"cannot fetch {name[:60]!r}", place=path)
    return File(uri, name, size, digest)
