"""What dpkg is told of files that do not stay as their packages have them, as `OVERRIDES` holds it."""

from __future__ import annotations

import re
from dataclasses import replace

from agent.core.errors import BookbagError
from agent.host.base import Files, Node
from agent.host.paths import parents
from agent.host.programs import FILE, GRANTING, OVERRIDES, Program, check_program
from agent.host.session_scripts import session_script

_OTHERS_WRITE = 0o022
_ALIASED = ("bin", "sbin", "lib")


class Overridden:
    """Reads it; how it is written is each implementation's own."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def overrides(self, path: str) -> dict[str, str]:
        """As `Programs.overrides`."""
        check_program(path)
        rows = self._rows()
        return {name: rows.get(name, "") for name in self._names(path)}

    def needed_by(self, path: str) -> str:
        """As `Programs.needed_by`."""
        check_program(path)
        if package := self._vital_package(path):
            return f"the package {package}"
        script = session_script(self._files, path)
        return f"what begins people's sessions: {script}" if script else ""

    def _vital_package(self, path: str) -> str:
        """Which package brings it that the laptop does not do without; "": none."""
        raise AttributeError(type(self).__name__)

    def _check_way(self, path: str) -> None:
        """Raise ``bad-path`` where somebody else than root could bring another file there, which we would
        make one that runs as root when we give back what was; and where a link leads elsewhere.
        """
        check_program(path)
        for folder in parents(path)[1:]:
            there = self._files.read(folder)
            if there is None or there.kind == "file":
                return  # nothing is there
            if there.kind != "directory":
                remedy = "name the place itself"
                raise BookbagError("bad-path", f"cannot answer for {path}: {folder} is a link", remedy=remedy)
            if there.owner != "root" or there.mode & _OTHERS_WRITE:
                raise BookbagError(
                    "bad-path", f"cannot answer for {path}: others than root decide what is in {folder}"
                )

    def _names(self, path: str) -> tuple[str, ...]:
        """Packages that were made before /bin was /usr/bin know programs by that name."""
        top, _, rest = path.removeprefix("/usr/").partition("/")
        if not path.startswith("/usr/") or top not in _ALIASED:
            return (path,)
        link = self._files.read(f"/{top}")
        target = link.content if link is not None and link.kind == "symlink" else b""
        return (path, f"/{top}/{rest}") if target.strip(b"/") == f"usr/{top}".encode() else (path,)

    def _rows(self) -> dict[str, str]:
        node = self._files.read(OVERRIDES)
        text = node.content.decode(errors="surrogateescape") if node is not None else ""
        split = (line.split(" ", 3) for line in text.splitlines())
        return {row[3]: f"{row[0]} {row[1]} {int(row[2], 8):04o}" for row in split if _is_row(row)}


def program_of(node: Node) -> Program:
    """The plain file ``node`` as a program."""
    granting = tuple(one for one in node.xattrs if one[0] in GRANTING)
    return Program(FILE, node.owner, node.group, node.mode, granting)


def worn(program: Program, node: Node) -> Node:
    """``node`` as ``program`` has it, with what else it has."""
    others = (one for one in node.xattrs if one[0] not in GRANTING)
    xattrs = tuple(sorted((*program.granting, *others)))
    return replace(node, owner=program.owner, group=program.group, mode=program.mode, xattrs=xattrs)


def _is_row(row: list[str]) -> bool:
    return len(row) == 4 and re.fullmatch("[0-7]{1,5}", row[2]) is not None
