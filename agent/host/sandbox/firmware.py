"""Firmware of the laptop in a folder: a tree of the form of the kernel's, in its own /sys, if somebody put
one there. What is set takes effect at once, but where that tree says otherwise.
"""

from __future__ import annotations

from dataclasses import replace

from agent.core.errors import BookbagError
from agent.host.base import Files, Node
from agent.host.firmware import (
    FOLDER,
    MAKERS,
    MOST_BYTES,
    Attribute,
    attribute_of,
    believed,
    check_attribute,
    check_settable,
)
from agent.host.sandbox.notes import Notes


class SandboxFirmware:
    """``notes`` has what was written: attribute → value."""

    def __init__(self, files: Files, notes: Notes) -> None:
        self._files = files
        self._notes = notes

    def maker(self) -> str:
        return next((name for name in sorted(self._files.names(FOLDER) or ()) if name in MAKERS), "")

    def find(self, attribute: str) -> Attribute | None:
        check_attribute(attribute)
        folder = self._folder(f"attributes/{attribute}")
        return attribute_of(self._read(f"{folder}/current_value"), self._read(f"{folder}/possible_values"))

    def waits(self) -> bool:
        return believed(self._read(self._folder("attributes/pending_reboot"))) == "1"

    def locked(self) -> bool:
        maker = MAKERS.get(self.maker())
        admin = self._folder(f"authentication/{maker.admin}/is_enabled") if maker else "/"
        return believed(self._read(admin)) == "1"

    def set(self, attribute: str, value: str) -> None:
        found = check_settable(self, attribute, value)
        given = self._notes.read().get(attribute) if self.waits() else None
        if value in (found.value, given):
            return
        self._notes.put(attribute, value)
        place = self._folder(f"attributes/{attribute}/current_value")
        node = self._files.read(place) or Node("file")
        self._files.write(place, replace(node, content=f"{value}\n".encode()))

    def _folder(self, below: str) -> str:
        return f"{FOLDER}/{self.maker()}/{below}"

    def _read(self, path: str) -> bytes | None:
        try:
            node = self._files.read(path, limit=MOST_BYTES)
        except BookbagError:
            return None
        return node.content if node is not None and node.kind == "file" else None
