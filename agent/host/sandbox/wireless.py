"""Wi-Fi of the laptop in a folder: files that count from when they were taken in, and no radio."""

from __future__ import annotations

import hashlib
import re

from agent.core.errors import BookbagError
from agent.host.base import Files
from agent.host.sandbox.notes import Notes
from agent.host.sandbox.services import SandboxServices
from agent.host.wireless import FOLDER, MODE, Profile, owner_of, read_keyfile

UNIT = "NetworkManager.service"
_TAKEN = "taken"
_OURS = re.compile(rf"{FOLDER}/bookbag-(.+)\.nmconnection")


class SandboxWireless:
    """``notes`` has the hash of each file as it was taken in, never what is in it."""

    def __init__(self, files: Files, notes: Notes, services: SandboxServices) -> None:
        self._files = files
        self._notes = notes
        self._services = services

    def lacks(self) -> str:
        return "" if self._services.state(UNIT).active else "NetworkManager that runs"

    def take_in(self, path: str) -> None:
        self._check_runs()
        taken = {one: digest for one, digest in self._taken().items() if one != path}
        text = self._text(path)
        if text is not None:
            taken[path] = _hash(text)
        self._notes.put(_TAKEN, taken)

    def known(self, uuid: str) -> Profile | None:
        self._check_runs()
        for path, digest in sorted(self._taken().items()):
            text, name = self._text(path), _OURS.fullmatch(path)
            if text is not None and name is not None and owner_of(text) == uuid and _hash(text) == digest:
                return read_keyfile(name[1], text)
        return None

    def _text(self, path: str) -> str | None:
        """A file that NetworkManager would read: root's, and nobody else's to read."""
        node = self._files.read(path)
        if node is None or node.kind != "file" or (node.mode, node.owner) != (MODE, "root"):
            return None
        return node.content.decode(errors="replace")

    def _taken(self) -> dict[str, str]:
        noted = self._notes.read().get(_TAKEN, {})
        return {str(path): str(one) for path, one in noted.items()} if isinstance(noted, dict) else {}

    def _check_runs(self) -> None:
        if self.lacks():
            raise BookbagError("not-supported", "cannot ask NetworkManager: it does not run")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
