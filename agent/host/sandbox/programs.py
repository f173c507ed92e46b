"""Programs of the laptop in a folder: its files, and the list of overrides as dpkg would keep it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from agent.core.errors import BookbagError
from agent.host.base import Files, Node
from agent.host.overrides import Overridden, program_of, worn
from agent.host.programs import FILE, OVERRIDES, Program, indispensable
from agent.host.sandbox.notes import Notes

_PACKAGES = "packages"
_MOST = 1 << 30


class SandboxPrograms(Overridden):
    """``notes``: which package brings which path."""

    def __init__(self, files: Files, notes: Notes) -> None:
        super().__init__(files)
        self._notes = notes

    def note_package(self, path: str, package: str) -> None:
        """Which package brings it."""
        self._notes.put(_PACKAGES, {**self._noted(), path: package})

    def find(self, path: str) -> Program | None:
        self._check_way(path)
        node = self._files.read(path, limit=_MOST)
        if node is None:
            return None
        if node.kind == "symlink":
            return Program(f"a link to {node.content.decode(errors='replace')}")
        return program_of(node) if node.kind == FILE else Program("no program")

    def dress(self, path: str, program: Program) -> None:
        self._check_way(path)
        node = self._files.read(path, limit=_MOST)
        if node is None:
            raise BookbagError("not-found", "cannot change who may start it: it is not there", place=path)
        if node.kind != FILE:
            raise BookbagError("bad-path", f"cannot change who may start a {node.kind}", place=path)
        if (dressed := worn(program, node)) != node:
            self._files.write(path, dressed)

    def override(self, name: str, rule: str) -> None:
        rows = self._rows()
        if rows.get(name, "") == rule:
            return
        rows[name] = rule
        rows = {one: row for one, row in rows.items() if row}
        if not rows:
            self._files.remove(OVERRIDES)
            self._files.remove_empty(["/var/lib/dpkg", "/var/lib", "/var"])  # a new one has none
            return
        self._files.make_parents(OVERRIDES)
        node = self._files.read(OVERRIDES) or Node("file")
        text = "".join(f"{row} {one}\n" for one, row in rows.items())
        self._files.write(OVERRIDES, replace(node, content=text.encode()))

    def _vital_package(self, path: str) -> str:
        return indispensable([one for one in (self._noted().get(path),) if one])

    def _noted(self) -> dict[str, str]:
        noted = self._notes.read().get(_PACKAGES, {})
        return {str(one): str(name) for one, name in noted.items()} if isinstance(noted, Mapping) else {}
