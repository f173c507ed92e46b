"""Sensors of the laptop in a folder: written to DIR/.sandbox/sensors.json when first asked, then whatever it
says.

Made up so that twelve laptops in twelve folders are twelve different ones; nothing of the machine underneath
is told.
"""

from __future__ import annotations

import json
import os
import time

from agent.host.base import Battery

_GIB = 1 << 30
_CHASSIS = ("convertible", "desktop", "laptop", "tablet", "virtual")


class SandboxSensors:
    """The sensors in the file at ``path``."""

    def __init__(self, path: str) -> None:
        self._path = path

    def _said(self) -> dict[str, object]:
        try:
            with open(self._path, "rb") as file:
                found = json.loads(file.read(1 << 16))
        except FileNotFoundError:
            found = _made_up()
            with open(self._path, "w", encoding="utf-8") as file:
                json.dump(found, file, indent=1)
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def _number(self, name: str) -> int | None:
        value = self._said().get(name)
        return value if type(value) is int else None

    def battery(self) -> Battery | None:
        level = self._number("battery-level")
        if level is None:
            return None
        return Battery(level, self._number("battery-health"), self._number("battery-cycles"))

    def disk(self) -> tuple[int, int] | None:
        return self._pair("disk-total", "disk-free")

    def memory(self) -> tuple[int, int] | None:
        return self._pair("memory-total", "memory-available")

    def cpu(self) -> tuple[int, int] | None:
        share = self._number("cpu-percent")
        whole = int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000)
        return None if share is None else (whole * share // 100, whole)

    def temperature(self) -> int | None:
        return self._number("temperature")

    def restart_needed(self) -> bool | None:
        return self._said().get("restart-needed") is True

    def chassis(self) -> str:
        said = self._said().get("chassis")
        return said if isinstance(said, str) and said in _CHASSIS else "other"

    def _pair(self, first: str, second: str) -> tuple[int, int] | None:
        one, other = self._number(first), self._number(second)
        return None if one is None or other is None else (one, other)


def _made_up() -> dict[str, object]:
    chance = os.urandom(8)
    disk = 64 * _GIB << chance[0] % 3
    memory = 4 * _GIB << chance[1] % 2
    return {
        "battery-level": 20 + chance[2] % 80,
        "battery-health": 60 + chance[3] % 41,
        "battery-cycles": chance[4] * 3,
        "disk-total": disk,
        "disk-free": disk * (10 + chance[5] % 60) // 100,
        "memory-total": memory,
        "memory-available": memory // 3,
        "cpu-percent": 3 + chance[6] % 30,
        "temperature": 35 + chance[7] % 30,
        "restart-needed": False,
        "chassis": "laptop",
    }
