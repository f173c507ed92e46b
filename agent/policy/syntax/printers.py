"""Printers as policies list them: a name, an address, and what a student should know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agent.host.printing import ADDRESS, LANGUAGES, NAME, PAPERS, SCHEMES, SHOWN
from agent.policy.syntax.nodes import Node, Sequence
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import BAD, Choice, Flag, Key, ListOf, Record, Text, wrong

_PRINTER: Final = Record(
    {
        "name": Key(
            Text(most=40, pattern=NAME, what="a short name of a-z, 0-9, hyphens and underscores"),
            required=True,
            about="names the queue, and tells printers of several ranks apart",
        ),
        "address": Key(
            Text(
                most=400,
                pattern=ADDRESS,
                what=f"an address such as ipp://printer.north.example/ipp/print or socket://10.0.0.9:9100 "
                f"({', '.join(SCHEMES)}; no user, no options)",
            ),
            required=True,
            about="where the printer answers",
        ),
        "default": Key(Flag(), about="whether programs print on it unless told otherwise; of one only"),
        "description": Key(
            Text(most=100, pattern=SHOWN, what="a text of 1 to 100 characters"),
            about="what programs call it; its name if left out",
        ),
        "place": Key(
            Text(most=100, pattern=SHOWN, what="a text of 1 to 100 characters"), about="where it stands"
        ),
        "paper": Key(Choice(tuple(PAPERS)), about="what is in it; a4 if left out"),
        "speaks": Key(
            Choice(LANGUAGES),
            about="the language it understands; if left out, ipp-everywhere at ipp and ipps, and postscript "
            "at socket",
        ),
    },
    what="a printer",
)


@dataclass(frozen=True, slots=True)
class Printers:
    """A list of them, each name once, one default at most."""

    most: int = 30

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        values = self._list.read(node, problems)
        if not isinstance(values, list) or not isinstance(node, Sequence):
            return BAD
        names: set[object] = set()
        default = False
        for entry, item in zip(values, node.items, strict=False):  # fewer where one was complained of
            if not isinstance(entry, Mapping) or len(values) < len(node.items):
                continue
            if entry["name"] in names:
                wrong(_PRINTER, item, problems, why=f"another is called {entry['name']}", remedy="rename one")
            if entry.get("default") and default:
                wrong(_PRINTER, item, problems, why="another is the default", remedy="say it of one")
            names.add(entry["name"])
            default = default or bool(entry.get("default"))
        return values

    def describe(self) -> str:
        """See `Type`."""
        return self._list.describe()

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return self._list.schema()

    @property
    def _list(self) -> ListOf:
        return ListOf(_PRINTER, self.most)
