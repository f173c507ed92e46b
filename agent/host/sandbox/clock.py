"""Real readings, moved by what DIR/.sandbox/clock.json says, so that a demonstration can be in 1970 or in
2099.

``{"offset": seconds, "synchronised": true or false, "boot-id": "…"}``, each optional; absent file: the real
clock, not synchronised. With ``"wall"`` and ``"boottime"`` (seconds) the laptop's time stands still there.
"""

from __future__ import annotations

import json
import time


class SandboxClock:
    """The clock of the laptop in a folder; the file at ``path`` is read at every question."""

    def __init__(self, path: str, boot_id: str) -> None:
        self._path = path
        self._boot_id = boot_id

    def _settings(self) -> dict[str, object]:
        try:
            with open(self._path, "rb") as file:
                found = json.loads(file.read(1 << 16))
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def wall(self) -> int:
        settings = self._settings()
        return _whole(settings.get("wall"), int(time.time())) + _whole(settings.get("offset"), 0)

    def boottime(self) -> int:
        return _whole(self._settings().get("boottime"), int(time.clock_gettime(time.CLOCK_BOOTTIME)))

    def boot_id(self) -> str:
        named = self._settings().get("boot-id")
        return named if isinstance(named, str) else self._boot_id

    def synchronised(self) -> bool:
        return self._settings().get("synchronised") is True


def _whole(value: object, default: int) -> int:
    return value if isinstance(value, int) else default
