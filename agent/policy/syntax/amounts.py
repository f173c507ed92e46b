"""Amounts of bytes, as people write them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.policy.syntax.nodes import Node, Scalar
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import wrong

_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


@dataclass(frozen=True, slots=True)
class Amount:
    """A whole number and its unit, or 0; the value is in bytes."""

    most: int

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        value = node.value if isinstance(node, Scalar) else None
        if value in (0, "0") and value is not False:
            return 0
        found = re.fullmatch(r"([0-9]{1,6})([KMG])", value, re.ASCII) if isinstance(value, str) else None
        if found is None:
            return wrong(self, node, problems)
        amount = int(found[1]) * _UNITS[found[2]]
        return wrong(self, node, problems, why="it is out of bounds") if amount > self.most else amount

    def describe(self) -> str:
        """See `Type`."""
        return f"an amount such as 64K, 256M or 8G, up to {spelled(self.most)}, or 0"

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return {"anyOf": [{"enum": [0, "0"]}, {"type": "string", "pattern": "^[0-9]{1,6}[KMG]$"}]}


@dataclass(frozen=True, slots=True)
class Room:
    """An `Amount`, or a share of what is free, kept as ``50%``."""

    most: int

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, str) and value.endswith("%"):
            fits = re.fullmatch("[1-9][0-9]?%", value, re.ASCII)
            return value if fits else wrong(self, node, problems, why="it is out of bounds")
        read = Amount(self.most).read(node, Problems())
        return read if isinstance(read, int) else wrong(self, node, problems)

    def describe(self) -> str:
        """See `Type`."""
        return f"a share from 1% to 99%, or {Amount(self.most).describe()}"

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        share = {"type": "string", "pattern": "^[1-9][0-9]?%$"}
        return {"anyOf": [share, *Amount(self.most).schema()["anyOf"]]}  # type: ignore[misc]


def spelled(amount: int) -> str:
    """As it is written: by its largest whole unit."""
    for unit, size in reversed(_UNITS.items()):
        if amount and amount % size == 0:
            return f"{amount // size}{unit}"
    return str(amount)
