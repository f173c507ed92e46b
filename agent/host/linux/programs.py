"""Programs of a real machine: their files by descriptor, and dpkg's own words for the rest."""

from __future__ import annotations

import os
import stat
from dataclasses import replace

from agent.core.errors import BookbagError
from agent.core.faults import explained
from agent.host.linux.dpkg import Dpkg
from agent.host.linux.files import LinuxFiles
from agent.host.linux.owners import Owners
from agent.host.overrides import Overridden, program_of, worn
from agent.host.packages import YES
from agent.host.processes import run
from agent.host.programs import FILE, Program, indispensable

OVERRIDE = "/usr/bin/dpkg-statoverride"
SECONDS = 60.0
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class LinuxPrograms(Overridden):
    """The machine's own, as root. ``root`` stands for / in tests, as that of ``files``."""

    def __init__(self, files: LinuxFiles, root: str = "") -> None:
        super().__init__(files)
        self._tree = files
        self._root = root
        self._dpkg = Dpkg()
        self._owners = Owners(self._installed)

    def find(self, path: str) -> Program | None:
        self._check_way(path)
        try:
            fd = os.open(self._root + path, _OPEN)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if os.path.islink(self._root + path):
                return Program(f"a link to {os.path.realpath(self._root + path)}")
            raise explained(error, "look at", path) from error
        try:
            return self._found(path, fd)
        finally:
            os.close(fd)

    def dress(self, path: str, program: Program) -> None:
        self._check_way(path)
        try:
            fd = os.open(self._root + path, _OPEN)
        except OSError as error:
            raise explained(error, "change who may start", path) from error
        try:
            if (there := self._found(path, fd)).kind != FILE:
                raise BookbagError("bad-path", f"cannot change who may start it: {there.kind}", place=path)
            self._tree.redress(path, fd, worn(program, self._tree.attributes(path, fd)))
        except OSError as error:
            raise explained(error, "change who may start", path) from error
        finally:
            os.close(fd)

    def override(self, name: str, rule: str) -> None:
        if self._rows().get(name, "") == rule:
            return
        words = ("--force-statoverride-add", "--add", *rule.split(" ")) if rule else ("--remove",)
        ended = run((OVERRIDE, "--quiet", *words, name), timeout=SECONDS)
        if ended.status != 0:
            raise BookbagError("not-effective", f"cannot tell dpkg: {ended.complaint}", place=name)

    def _vital_package(self, path: str) -> str:
        packages = self._owners.of(self._names(path))
        return indispensable(packages) or next((one for one in packages if self._dpkg.find(one).vital), "")

    def _installed(self) -> frozenset[str]:
        return frozenset(name for name, one in self._dpkg.all().items() if one.package.installed == YES)

    def _found(self, path: str, fd: int) -> Program:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            return Program("a folder" if stat.S_ISDIR(status.st_mode) else "no program")
        return replace(program_of(self._tree.attributes(path, fd)), shared=status.st_nlink > 1)
