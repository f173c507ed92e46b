"""Facts of the laptop in a folder: written to DIR/.sandbox/facts.json when it is first opened, then
whatever it says.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping

from agent.host.sandbox.notes import Notes

DISK = "/dev/disk"  #: the encrypted volume that a new laptop has


class SandboxFacts:
    """The facts in the file at ``path``; made up when it is not there."""

    def __init__(self, path: str) -> None:
        self._notes = Notes(path)
        self._notes.begin(_made_up())

    def serial(self) -> str:
        return str(self._notes.read().get("serial", ""))

    def system(self) -> Mapping[str, str]:
        facts = self._notes.read()
        kept = {key: str(facts.get(key, "")) for key in ("os", "version", "arch")}
        return {**kept, "host": "sandbox"}

    def users(self) -> tuple[str, ...]:
        return self._notes.texts("users")

    def lock_grade(self) -> int:
        grade = self._notes.read().get("lock-grade")
        return grade if isinstance(grade, int) and 0 <= grade <= 4 else 0

    def volumes(self) -> tuple[str, ...]:
        """The laptop paths of its encrypted volumes, in the order of erasing."""
        found = self._notes.read().get("volumes", ())
        return tuple(str(path) for path in found) if isinstance(found, list) else ()


def _made_up() -> dict[str, object]:
    return {
        "serial": f"SANDBOX-{os.urandom(4).hex().upper()}",
        "os": "debian",
        "version": "12",
        "arch": platform.machine(),
        "users": ["student"],
        "lock-grade": 1,
        "volumes": [DISK],
    }
