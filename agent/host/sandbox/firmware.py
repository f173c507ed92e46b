"""Firmware of the laptop in a folder: a tree of the form of the kernel's, in its own /sys, if somebody put
one there. What is set takes effect at once, but where that tree says otherwise.
"""

from __future__ import annotations

from dataclasses import replace

from agent.core.errors import BookbagError
from agent.host.base import Files, Node
from agent.host.firmware import MOST_BYTES, Kept
from agent.host.firmware_tree import DENIED, FirmwareTree, Started
from agent.host.sandbox.notes import Notes


class SandboxFirmware(FirmwareTree):
    """``notes`` has what a machine and its firmware would remember: its ``password``, the one it was
    ``told``, how many ``refusals`` there were, what is ``kept`` and what was ``started``.
    """

    def __init__(self, files: Files, notes: Notes) -> None:
        self._files = files
        self._notes = notes

    def names(self, path: str) -> tuple[str, ...]:
        return self._files.names(path) or ()

    def read(self, path: str) -> bytes | None:
        try:
            node = self._files.read(path, limit=MOST_BYTES)
        except BookbagError:
            return None
        return node.content if node is not None and node.kind == "file" else None

    def put(self, path: str, data: bytes) -> str:
        folder, _, name = path.rpartition("/")
        text = data.decode().strip("\0")
        if name == "current_password":
            self._notes.put("told", text)
            return ""
        real = self._notes.read().get("password", "")
        if real != "" and real != self._notes.read().get("told", ""):
            refusals = self._notes.read().get("refusals", 0)
            self._notes.put("refusals", refusals + 1 if isinstance(refusals, int) else 1)
            return DENIED
        if name == "new_password":
            self._notes.put("password", text)
            path, text = f"{folder}/is_enabled", "1" if text else "0"
        node = self._files.read(path) or Node("file")
        self._files.write(path, replace(node, content=f"{text}\n".encode()))
        return ""

    def started(self) -> Started:
        said = self._notes.read().get("started")
        if not isinstance(said, dict):
            return Started()
        return Started(**{**said, "tried": frozenset(said["tried"])})

    def remember(self, started: Started) -> None:
        said = {"salt": started.salt, "tried": sorted(started.tried), "given": dict(started.given)}
        said |= {"shown": dict(started.shown), "times": dict(started.times)}
        self._notes.put("started", said)

    def kept(self) -> Kept | None:
        said = self._notes.read().get("kept")
        return Kept(**said) if isinstance(said, dict) else None

    def keep(self, kept: Kept | None) -> None:
        said = None if kept is None else (kept.current, kept.coming, kept.proved)
        self._notes.put("kept", said and dict(zip(("current", "coming", "proved"), said, strict=True)))
