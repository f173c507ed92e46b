"""Packages as policies list them: names, and what is wanted of each; no name twice where that contradicts."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import Final

from agent.host.packages import NAME, protected
from agent.policy.syntax.nodes import Mapping, Node, Sequence
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import BAD, Key, ListOf, Record, Text, wrong

PRESENT, FOREIGN, ABSENT, HELD = "present", "foreign", "absent", "held"
_NAME: Final = Text(most=101, pattern=NAME, what="the name of a package such as gcompris-qt")
_MOST: Final = 300
#: What says of a package whether it is there: one of them only.
WHETHER: Final = (PRESENT, FOREIGN, ABSENT)
_RECORD: Final = Record(
    {
        PRESENT: Key(ListOf(_NAME, _MOST), about="installed, from the distribution"),
        FOREIGN: Key(ListOf(_NAME, _MOST), about="installed, from whichever source the laptop has"),
        ABSENT: Key(ListOf(_NAME, _MOST), about="removed; their configuration stays"),
        HELD: Key(ListOf(_NAME, _MOST), about="kept at their version, or kept from being installed"),
    },
    what="a mapping",
)


@dataclass(frozen=True, slots=True)
class Packages:
    """Lists of names, by what is wanted of them."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        value = _RECORD.read(node, problems)
        if not isinstance(value, AnyMapping) or not isinstance(node, Mapping):
            return BAD
        if not value:
            return wrong(_RECORD, node, problems, why="it lists nothing")
        said: dict[str, str] = {}
        for name, _, child in node.pairs():
            for entry, item in zip(
                value[name], child.items if isinstance(child, Sequence) else (), strict=False
            ):
                if entry is BAD or len(value[name]) < len(getattr(child, "items", ())):
                    continue
                if name == ABSENT and protected(entry):
                    why = "the laptop does not do without it"
                    wrong(_NAME, item, problems, why=why, remedy="leave it out")
                elif name in WHETHER and said.setdefault(entry, name) != name:
                    wrong(_NAME, item, problems, why=f"it is {said[entry]}, too", remedy="delete one")
        return value

    def describe(self) -> str:
        """See `Type`."""
        return _RECORD.describe()

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return {**_RECORD.schema(), "minProperties": 1}
