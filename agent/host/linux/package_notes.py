"""What the unit that installs remembers from one run to the next: what to tell of each package, what came
along with what policy had installed, what is not tried again at once, when it last looked.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

from agent.core import durable, jsontext
from agent.core.errors import BookbagError
from agent.host.packages import Told

_MOST = 4 << 20


@dataclass(frozen=True, slots=True)
class Came:
    """What came with a package that policy had installed. ``configured``: its configuration was there."""

    others: tuple[str, ...]
    configured: bool


class PackageNotes:
    """Two files in ``place``: what others read (`TOLD`), and what is the unit's own. Damaged, both count as
    empty: nothing is lost but patience, and what came along stays.
    """

    def __init__(self, place: str) -> None:
        self.told_path = f"{place}/told.json"
        self._own_path = f"{place}/work.json"
        self._own = _read(self._own_path)

    def told(self, name: str, wish: str) -> Told | None:
        """How it goes with a package that is wished so."""
        row = _mapping(_mapping(_read(self.told_path).get("told")).get(name))
        return Told(str(row.get("code")), str(row.get("text"))) if row.get("wish") == wish else None

    def tell(self, told: Mapping[str, Told], wishes: Mapping[str, object]) -> None:
        """``wishes``: how each is spelled. Nothing is written where nothing is new, lest whoever watches
        looks in vain.
        """
        rows = {
            name: {"wish": str(wishes[name]), "code": one.code, "text": one.text[:500]}
            for name, one in told.items()
        }
        if _mapping(_read(self.told_path).get("told")) != rows or not os.path.exists(self.told_path):
            _write(self.told_path, {"v": 1, "told": rows})

    # -- what came along

    def came(self, name: str) -> Came | None:
        """With ``name``; None: it is not known to be ours."""
        row = _mapping(self._own.get("came")).get(name)
        if not isinstance(row, dict) or not isinstance(row.get("others"), list):
            return None
        return Came(tuple(map(str, row["others"])), row.get("configured") is True)

    def came_along(self, name: str) -> bool:
        """Whether it came with another that policy had installed, and is not noted itself."""
        rows = (_mapping(row).get("others") for row in _mapping(self._own.get("came")).values())
        return self.came(name) is None and any(isinstance(row, list) and name in row for row in rows)

    def is_ours(self, name: str) -> bool:
        """Whether policy had it installed, or it came with what policy had."""
        return self.came(name) is not None or self.came_along(name)

    def keep_came(self, name: str, came: Came | None) -> None:
        """Before it is installed; None: after it is gone."""
        rows = {one: row for one, row in _mapping(self._own.get("came")).items() if one != name}
        if came is not None:
            rows[name] = {"others": list(came.others), "configured": came.configured}
        self._keep("came", rows)

    # -- patience; times are of the machine's own clock since ``boot``

    def since(self, what: str, boot: str, now: int) -> int | None:
        """Seconds since `began`; None: not since the machine started."""
        row = _mapping(_mapping(self._own.get("began")).get(what))
        at = row.get("at")
        return now - at if row.get("boot") == boot and isinstance(at, int) and at <= now else None

    def began(self, what: str, boot: str, now: int) -> None:
        """Something was begun."""
        self._keep("began", {**_mapping(self._own.get("began")), what: {"boot": boot, "at": now}})

    def looked_at(self, sources: str) -> bool:
        """Whether the last look was at these."""
        return _mapping(self._own.get("sources")).get("seen", sources) == sources

    def look_at(self, sources: str, failures: int) -> None:
        """These are looked at from now on. ``failures``: how many looks in a row failed."""
        self._keep("sources", {"seen": sources, "failures": failures})

    def failures(self) -> int:
        """How many looks had failed when the last one began."""
        found = _mapping(self._own.get("sources")).get("failures")
        return found if type(found) is int and found >= 0 else 0

    def failed(self, name: str, wish: str) -> Told | None:
        """What was told when this very wish, however it is spelled, failed."""
        row = _mapping(_mapping(self._own.get("failed")).get(name))
        return Told(str(row["code"]), str(row["text"])) if row.get("wish") == wish else None

    def fail(self, name: str, wish: str, told: Told | None) -> None:
        """It failed; None: it did not."""
        rows = {one: row for one, row in _mapping(self._own.get("failed")).items() if one != name}
        if told is not None:
            rows[name] = {"wish": wish, "code": told.code, "text": told.text[:500]}
        self._keep("failed", rows)

    def _keep(self, key: str, value: Mapping[str, object]) -> None:
        if _mapping(self._own.get(key)) != value:
            self._own = {**self._own, key: value}
            _write(self._own_path, {**self._own, "v": 1})


def _mapping(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, Mapping) else {}


def _read(path: str) -> dict[str, object]:
    try:
        with open(path, "rb") as file:
            found = jsontext.parse(file.read(_MOST), what="notes about packages", max_bytes=_MOST)
    except (OSError, BookbagError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: str, value: Mapping[str, object]) -> None:
    durable.make_directories(os.path.dirname(path), mode=0o711)
    durable.write(path, json.dumps(value, sort_keys=True).encode())
