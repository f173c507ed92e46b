"""Applications of flatpak, and where they come from, as policies list them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from agent.host.flatpaks import APPLICATION, BRANCH, SOURCE
from agent.policy.syntax.nodes import Node, Sequence
from agent.policy.syntax.openpgp import PublicKeys
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import BAD, Flag, Key, ListOf, Record, Text, wrong

_HOST = "[a-z0-9][a-z0-9-]{0,62}([.][a-z0-9][a-z0-9-]{0,62}){0,20}"
_APPLICATIONS: Final = ListOf(
    Record(
        {
            "application": Key(
                Text(most=255, pattern=APPLICATION, what="an application such as org.gnome.Calculator"),
                required=True,
                about="as flatpak calls it",
            ),
            "source": Key(
                Text(most=60, pattern=SOURCE, what="the name of a source such as flathub"),
                about="where it comes from: of `software.flatpak-sources`, or one that the laptop has",
            ),
            "branch": Key(
                Text(most=60, pattern=BRANCH, what="a branch such as stable"), about="`stable` if left out"
            ),
            "absent": Key(Flag(), about="it is not to be there; such a one needs no source"),
        },
        what="a mapping",
    ),
    50,
)
_SOURCES: Final = ListOf(
    Record(
        {
            "name": Key(
                Text(most=40, pattern="[a-z][a-z0-9-]{0,39}", what="a short name of a-z, 0-9 and hyphens"),
                required=True,
                about="what applications name it by",
            ),
            "address": Key(
                Text(
                    most=300,
                    pattern=rf"https?://{_HOST}(:[1-9][0-9]{{0,4}})?(/[A-Za-z0-9_][A-Za-z0-9._-]*)*/?",
                    what="an address such as https://dl.flathub.org/repo/",
                ),
                required=True,
                about="where its repository is",
            ),
            "key": Key(PublicKeys(), required=True, about="whose signature is believed, for it alone"),
        },
        what="a mapping",
    ),
    10,
)


@dataclass(frozen=True, slots=True)
class Flatpaks:
    """A list of applications, none twice."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        return _once(_APPLICATIONS, node, problems, called, _mistake)

    def describe(self) -> str:
        """See `Type`."""
        return _APPLICATIONS.describe()

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return _APPLICATIONS.schema()


@dataclass(frozen=True, slots=True)
class FlatpakSources:
    """A list of sources, no name twice."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        return _once(_SOURCES, node, problems, lambda entry: str(entry["name"]), lambda entry: "")

    def describe(self) -> str:
        """See `Type`."""
        return _SOURCES.describe()

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return _SOURCES.schema()


def called(entry: Mapping[str, object]) -> str:
    """An application with its branch, as flatpak writes it."""
    return f"{entry['application']}//{entry.get('branch', 'stable')}"


def _mistake(entry: Mapping[str, object]) -> str:
    if entry.get("absent") is True:
        return "what is absent comes from nowhere" if "source" in entry else ""
    return "" if "source" in entry else "it names no source"


def _once(
    type_: ListOf,
    node: Node,
    problems: Problems,
    name: Callable[[Mapping[str, object]], str],
    mistake: Callable[[Mapping[str, object]], str],
) -> object:
    before = len(problems.errors)
    value = type_.read(node, problems)
    if not isinstance(value, list) or not isinstance(node, Sequence) or len(problems.errors) > before:
        return BAD
    seen: set[str] = set()
    for entry, item in zip(value, node.items, strict=True):
        if why := mistake(entry):
            wrong(type_.inner, item, problems, why=why)
        elif name(entry) in seen:
            wrong(type_.inner, item, problems, why="it is listed already", remedy="delete one")
        seen.add(name(entry))
    return value
