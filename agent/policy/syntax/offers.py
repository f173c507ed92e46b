"""Packages as policies offer them: each once, with what students read of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from agent.host.packages import NAME
from agent.policy.syntax.headtypes import Why
from agent.policy.syntax.nodes import Node, Sequence
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import BAD, Flag, Key, ListOf, Record, Text, wrong

PACKAGE, TITLE, ABOUT, FOREIGN = "package", "title", "about", "foreign"
MOST: Final = 200
_NAME: Final = Text(most=101, pattern=NAME, what="the name of a package such as tuxpaint")
_OFFER: Final = Record(
    {
        PACKAGE: Key(_NAME, required=True, about="its name in the distribution"),
        TITLE: Key(Why(80), about="what it is called, by language; without it, the package's name"),
        ABOUT: Key(Why(200), about="what it is good for, in one line, by language"),
        FOREIGN: Key(Flag(), about="it may come from whichever source the laptop has"),
    },
    what="a mapping",
)
_LIST: Final = ListOf(_OFFER, MOST)


@dataclass(frozen=True, slots=True)
class Offers:
    """A list of packages, no name twice."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        before = len(problems.errors)
        value = _LIST.read(node, problems)
        if not isinstance(value, list) or not isinstance(node, Sequence) or len(problems.errors) > before:
            return BAD
        seen: set[str] = set()
        for entry, item in zip(value, node.items, strict=True):
            if entry[PACKAGE] in seen:
                wrong(_OFFER, item, problems, why="this package is offered already", remedy="delete one")
            seen.add(entry[PACKAGE])
        return value

    def describe(self) -> str:
        """See `Type`."""
        return _LIST.describe()

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return _LIST.schema()
