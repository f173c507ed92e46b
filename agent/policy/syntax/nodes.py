"""The tree a strict document is read into: every node knows its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, number, truth value or nothing. ``bad``: already reported; whoever meets it stays silent."""

    place: Place
    value: str | int | bool | None
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of nodes."""

    place: Place
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys, which are texts, and nodes, in the order written."""

    place: Place
    entries: tuple[tuple[Scalar, Node], ...]

    def pairs(self) -> Iterator[tuple[str, Place, Node]]:
        """Each usable key as text, its place, and its node."""
        for key, node in self.entries:
            if isinstance(key.value, str) and not key.bad:
                yield key.value, key.place, node

    def get(self, name: str) -> Node | None:
        """The node under ``name``; None if there is none."""
        return next((node for key, _, node in self.pairs() if key == name), None)


Node = Scalar | Sequence | Mapping


def describe(node: Node) -> str:
    """What a node is, in the words of an error message: ``the text 'x'``, ``the number 3``, ``a list``."""
    match node:
        case Mapping():
            return "a mapping"
        case Sequence():
            return "a list"
        case Scalar(value=str(text)):
            return f"the text {text[:60]!r}"
        case Scalar(value=None):
            return "nothing"
        case Scalar(value=bool(truth)):
            return "true" if truth else "false"
        case Scalar(value=value):
            return f"the number {value}"
