"""Our table of nftables as data: JSON in, JSON out, in one form whatever version lists it.

A script is what ``nft -j -f`` reads. Its objects are chains and rules without the numbers that the kernel
gives them, so that what was asked and what is listed can be compared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from agent.core.errors import BookbagError
from agent.core.jsontext import parse

FAMILY, TABLE = "inet", "bookbag"
_TABLE = {"table": {"family": FAMILY, "name": TABLE}}
#: What the kernel counts or numbers.
_NUMBERED = frozenset(("handle", "index", "position"))
_OBJECTS = ("chain", "rule")
MOST = 1 << 20  #: bytes
_NODES = 100_000


def chain(name: str, hook: str, policy: str) -> dict[str, object]:
    """A chain that everything passes at ``hook`` (``input``, ``output``); ``policy``: what becomes of the
    rest.
    """
    made = {"family": FAMILY, "table": TABLE, "name": name, "type": "filter", "hook": hook, "prio": 0}
    return {"chain": {**made, "policy": policy}}


def rule(chain: str, *statements: object) -> dict[str, object]:
    """A rule of nft's own JSON statements."""
    return {"rule": {"family": FAMILY, "table": TABLE, "chain": chain, "expr": list(statements)}}


def script(objects: Sequence[object]) -> str:
    """What makes our table consist of ``objects``, whatever was in it, in one transaction."""
    fresh: list[object] = [{"add": _TABLE}, {"delete": _TABLE}, {"add": _TABLE}]
    rows = ",\n".join(json.dumps(one) for one in (*fresh, *({"add": one} for one in objects)))
    return f'{{"nftables": [\n{rows}\n]}}\n'


def added(text: str) -> tuple[object, ...]:
    """The objects that a script adds. Raises ``bad-json`` for what is none."""
    commands = [one.get("add") for one in _listed(text.encode()) if isinstance(one, dict)]
    return tuple(one for one in commands if one is not None and one != _TABLE)


def listing(data: bytes, user: Callable[[int], str]) -> tuple[object, ...]:
    """What ``nft -j list`` says, in the form of `plain`. Raises ``bad-json``, ``too-large``."""
    return plain(_listed(data), user)


def _listed(data: bytes) -> list[object]:
    found = parse(data, what="rules of nftables", max_bytes=MOST, max_nodes=_NODES)
    objects = found.get("nftables") if isinstance(found, dict) else None
    if not isinstance(objects, list):
        raise BookbagError("bad-json", "cannot understand these rules: they are no list of nftables")
    return objects


def plain(objects: Sequence[object], user: Callable[[int], str] = str) -> tuple[object, ...]:
    """Chains and rules in the form that compares: without the kernel's numbers, sets in one order, users by
    their names as ``user`` knows them.
    """
    kept = [one for one in objects if isinstance(one, dict) and next(iter(one), "") in _OBJECTS]
    return tuple(_plain(one, user) for one in kept)


def _plain(value: object, user: Callable[[int], str]) -> object:
    if isinstance(value, dict):
        made = {key: _plain(one, user) for key, one in value.items() if key not in _NUMBERED}
        right = made.get("right")
        if made.get("left") == {"meta": {"key": "skuid"}} and made.get("op") == "==" and type(right) is int:
            made["right"] = user(right)
        if isinstance(right, list):
            made["right"] = _sorted(right)
        if isinstance(made.get("set"), list):
            made["set"] = _sorted(made["set"])
        return made
    return [_plain(one, user) for one in value] if isinstance(value, list) else value


def _sorted(values: object) -> object:
    assert isinstance(values, list)  # noqa: S101
    return sorted(values, key=lambda one: json.dumps(one, sort_keys=True))
