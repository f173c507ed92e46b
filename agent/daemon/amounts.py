"""What agent.yaml says of learning content: how fast it may come, how much in a day, how much room it may
take.

```yaml
content-rate: 64K        # bytes per second while nobody waits; 0: only what somebody asks for
content-per-day: 256M    # without what somebody asked for or brought on a stick; 0: no bound
content-room: 50%        # of what the disk has free, or an amount such as 8G
```
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.core.errors import BookbagError
from agent.policy.syntax.nodes import Mapping, Node, Scalar, describe

KEYS = ("content-rate", "content-per-day", "content-room")
RATE, PER_DAY, SHARE = 64 << 10, 256 << 20, 50
_AMOUNT = re.compile(r"(\d{1,6})([KMG]?)", re.ASCII)
_PERCENT = re.compile(r"(\d{1,2})%", re.ASCII)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


@dataclass(frozen=True, slots=True)
class Amounts:
    """``room`` in bytes; 0: ``share`` percent of what is free."""

    rate: int = RATE
    per_day: int = PER_DAY
    room: int = 0
    share: int = SHARE


def read_amounts(tree: Mapping) -> Amounts:
    """From agent.yaml. Raises ``bad-config`` with the place."""
    room, share = _room(tree.get("content-room"))
    return Amounts(
        rate=_amount(tree.get("content-rate"), "content-rate", RATE),
        per_day=_amount(tree.get("content-per-day"), "content-per-day", PER_DAY),
        room=room,
        share=share,
    )


def _amount(node: Node | None, name: str, default: int) -> int:
    if node is None:
        return default
    amount = _bytes(node)
    if amount is None:
        raise _bad(f"`{name}` must be an amount such as 64K, 256M or 8G", node)
    return amount


def _room(node: Node | None) -> tuple[int, int]:
    if node is None:
        return 0, SHARE
    if isinstance(node, Scalar) and isinstance(node.value, str) and (found := _PERCENT.fullmatch(node.value)):
        return 0, int(found[1])
    amount = _bytes(node)
    if amount is None:
        raise _bad("`content-room` must be a share such as 50% or an amount such as 8G", node)
    return (amount, SHARE) if amount else (0, 0)


def _bytes(node: Node) -> int | None:
    value = node.value if isinstance(node, Scalar) else None
    if type(value) is int and 0 <= value < 1 << 50:
        return value
    found = _AMOUNT.fullmatch(value) if isinstance(value, str) else None
    return int(found[1]) * _UNITS[found[2]] if found else None


def _bad(why: str, node: Node) -> BookbagError:
    return BookbagError(
        "bad-config", f"cannot use agent.yaml: {why}, not {describe(node)}", place=str(node.place)
    )
