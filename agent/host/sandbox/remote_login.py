"""The ssh server of the laptop in a folder: sshd's rules over the files that are in it, without `Match`."""

from __future__ import annotations

from collections.abc import Iterator

from agent.host.base import Files
from agent.host.remote_login import UNIT
from agent.host.sandbox.services import SandboxServices

MAIN, FOLDER = "/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d"
_DEFAULTS = {"passwordauthentication": "yes", "kbdinteractiveauthentication": "no"}
_ADDS_UP = frozenset(("denyusers", "allowusers"))


class SandboxRemoteLogin:
    """What it would decide for everybody."""

    def __init__(self, files: Files, services: SandboxServices) -> None:
        self._files = files
        self._services = services

    def says(self, user: str) -> dict[str, str] | None:
        if not self._services.state(UNIT).active:
            return None
        found: dict[str, str] = {}
        for keyword, value in self._lines():
            if keyword not in found:  # of two the first counts
                found[keyword] = value
            elif keyword in _ADDS_UP:
                found[keyword] += f" {value}"
        return {**_DEFAULTS, **found}

    def _lines(self) -> Iterator[tuple[str, str]]:
        """Debian's main file begins with all of the folder's."""
        names = [name for name in self._files.names(FOLDER) or () if name.endswith(".conf")]
        for path in (*(f"{FOLDER}/{name}" for name in names), MAIN):
            node = self._files.read(path)
            text = node.content.decode(errors="replace") if node is not None and node.kind == "file" else ""
            for line in text.splitlines():
                keyword, _, value = line.strip().partition(" ")
                if keyword and not keyword.startswith("#"):
                    yield keyword.lower(), value.strip()
