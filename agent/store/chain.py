"""The hash chain of the ledger, without IO: how an entry becomes a row, and at which row a chain breaks.

A row is ``n``, the hash of the row before (``prev``), ``body`` (canonical JSON of the entry with its format's
``v``) and ``hash``: SHA-256, in hex, of the canonical JSON ``[n, prev, body]``, body being that text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from agent.core import jsontext, schema
from agent.core.errors import BookbagError
from agent.core.model import Entry

GENESIS = "0" * 64
#: Kind of the entry that says, within the chain, that the ledger was found damaged; what follows is whole.
DAMAGED = "ledger-damaged"
_V = 1
_MOST_BYTES = 8 << 20
_MOST_NODES = 100_000


@dataclass(frozen=True, slots=True)
class Head:
    """The newest row that the head file knows of."""

    n: int
    hash: str
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Broken:
    """The first row at which the chain does not hold, and why."""

    row: int
    why: str


class Row(NamedTuple):
    """One row, as stored."""

    n: int
    prev: str
    body: str
    hash: str


def body_of(entry: Entry) -> str:
    """The text to store. Raises ``bad-json`` for what has no JSON form (bytes, floats)."""
    return jsontext.canonical({**schema.encode(entry), "v": _V}).decode("utf-8")


def next_row(last: Head, body: str) -> Row:
    """The row that follows ``last``."""
    n = last.n + 1
    return Row(n, last.hash, body, _hash(n, last.hash, body))


def entry_of(row: Row, what: str) -> Entry:
    """The entry that a row holds. Raises ``format-too-new``, or ``bad-json`` for a body nobody of ours
    wrote."""
    body = _parse(row, what)
    v = body.pop("v", None)
    if not isinstance(v, int):
        raise BookbagError(
            "bad-json", "cannot read the entry: it carries no version", place=f"{what}: row {row.n}"
        )
    if v > _V:
        raise BookbagError(
            "format-too-new",
            f"cannot read the entry: it is format {v}, and this version of Bookbag reads up to {_V}",
            place=f"{what}: row {row.n}",
            remedy="update Bookbag",
        )
    return schema.decode(Entry, body, what=f"{what}: row {row.n}", keep_unknown=True)


def first_broken(rows: Iterable[Row], head: Head) -> Broken | None:
    """Where ``rows`` (all of them, oldest first) stop being the chain that leads to ``head`` and perhaps
    beyond."""
    previous: Row | None = None
    for row in rows:
        why = _why_broken(row, previous)
        if not why and row.n == head.n and row.hash != head.hash:
            why = "it is not the row that the head file names"
        if why:
            return Broken(row.n, why)
        previous = row
    last = previous.n if previous else 0
    if head.n > last:
        return Broken(last + 1, f"{head.n - last} rows are missing at the end")
    return None


def _why_broken(row: Row, previous: Row | None) -> str:
    if row.hash != _hash(row.n, row.prev, row.body):
        return "its content does not match its hash"
    if previous is not None:
        if row.n != previous.n + 1:
            return f"the row before it is {previous.n}"
        return "" if row.prev == previous.hash else "it does not follow from the row before it"
    if (row.n, row.prev) == (1, GENESIS) or _parse(row, "ledger").get("kind") == DAMAGED:
        return ""
    return "the rows before it are missing"


def _hash(n: int, prev: str, body: str) -> str:
    return hashlib.sha256(jsontext.canonical([n, prev, body])).hexdigest()


def _parse(row: Row, what: str) -> dict[str, object]:
    where = f"{what}: row {row.n}"
    body = jsontext.parse(row.body.encode("utf-8"), what=where, max_bytes=_MOST_BYTES, max_nodes=_MOST_NODES)
    if not isinstance(body, dict):
        raise BookbagError("bad-json", "cannot read the entry: it is no mapping", place=where)
    return body
