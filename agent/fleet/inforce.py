"""Which settings are not in force, why, and on how many laptops, as laptops reported it.

It is the laptops' own word, as each last gave it, and decides nothing. A laptop tells of twenty at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.fleet.reported import Standing
from agent.telemetry.declaration import Value

HEAD = ("not in force", "why", "laptops")
#: The code of what is in force, but had to be put back many times.
PUT_BACK = "put-back"
#: Error codes in words; another stands for itself.
WORDS = {
    "awaited": "waits for a secret: bookbag-fleet secret give",
    "conflict": "contradicts another policy, which holds",
    "contested": "cut the laptop off, several times: decide",
    "cut-off": "cut the laptop off; tried again later",
    "flapping": "something changes it again and again; left alone for a while",
    "not-effective": "written, but something there has more say",
    "not-supported": "not supported there",
    "not-yet": "on its way: waits for a download, the right hour, or somebody else",
    "pending": "only observed, or the laptop is paused",
    "unmet": "looked for and not found; nothing here can make it so",
    PUT_BACK: "put back again and again",
}


@dataclass(frozen=True, slots=True)
class Lack:
    """One setting (or kind of resource) that is not in force for one reason. ``laptops``: their names."""

    key: str
    code: str
    laptops: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InForce:
    """All of it. ``reporting``: how many laptops ever told how their settings stand."""

    reporting: int
    lacks: tuple[Lack, ...] = ()

    def rows(self) -> list[list[str]]:
        """Under `HEAD`."""
        return [
            [one.key, WORDS.get(one.code, one.code), f"{len(one.laptops)} of {self.reporting}"]
            for one in self.lacks
        ]

    def value(self) -> dict[str, object]:
        """For programs."""
        return {
            "reporting": self.reporting,
            "settings": [
                {"key": one.key, "code": one.code, "laptops": list(one.laptops)} for one in self.lacks
            ],
        }


def in_force(standings: Iterable[Standing]) -> InForce:
    """What these laptops say, the most frequent first."""
    found: dict[tuple[str, str], list[str]] = {}
    reporting = 0
    for laptop in standings:
        if "compliance" not in laptop.reports:
            continue
        reporting += 1
        for row in _lacks(laptop.reports["compliance"].values):
            found.setdefault(row, []).append(laptop.name)
    lacks = [Lack(*row, tuple(names)) for row, names in found.items()]
    return InForce(reporting, tuple(sorted(lacks, key=lambda one: (-len(one.laptops), one.key, one.code))))


def _lacks(said: Mapping[str, Value]) -> set[tuple[str, str]]:
    """(key, code) of each that one laptop tells of."""
    rows = {(key, code) for key, _, code in _rows(said, "exceptions")}
    return rows | {(key, PUT_BACK) for key, _, _ in _rows(said, "healed")}


def _rows(said: Mapping[str, Value], name: str) -> list[tuple[str, str, str]]:
    rows = said.get(name)
    return [row.partition(" ") for row in rows if isinstance(row, str)] if isinstance(rows, list) else []
