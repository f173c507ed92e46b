"""Sources of packages as policies list them: addresses, suites and keys, of signs that mean nothing else in a
file of apt's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agent.host.apt import release_address
from agent.policy.syntax.nodes import Node, Sequence
from agent.policy.syntax.openpgp import PublicKeys
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import Key, ListOf, Record, Text, wrong

NAME = "[a-z][a-z0-9-]{0,39}"
_PART = "[A-Za-z0-9_][A-Za-z0-9._+-]*"  # never `.` or `..`, and nothing that begins like an option
_HOST = "[a-z0-9][a-z0-9-]{0,62}([.][a-z0-9][a-z0-9-]{0,62}){0,20}"
_URI: Final = Text(
    most=300,
    pattern=rf"https?://{_HOST}(:[1-9][0-9]{{0,4}})?(/{_PART})*/?",
    what="an address such as https://packages.vendor.example/debian, without user, ~, % or $",
)
#: One of ``dists``, or a folder, which ends in a stroke.
_SUITE: Final = Text(most=100, pattern=rf"{_PART}(/{_PART})*/?|[.]?/", what="a suite such as stable")
_WORD: Final = Text(most=60, pattern=rf"{_PART}(/{_PART})*", what="a component such as main")
_ARCHITECTURE: Final = Text(most=20, pattern="[a-z][a-z0-9-]*", what="an architecture such as amd64")
_MOST = 20
_RECORD: Final = Record(
    {
        "name": Key(
            Text(most=40, pattern=NAME, what="a short name of a-z, 0-9 and hyphens"),
            required=True,
            about="names its file",
        ),
        "uris": Key(ListOf(_URI, 5), required=True, about="where it is"),
        "suites": Key(
            ListOf(_SUITE, 5), required=True, about="which of its parts; `./` and the like for a folder"
        ),
        "components": Key(ListOf(_WORD, 10), about="needed unless every suite is a folder"),
        "architectures": Key(ListOf(_ARCHITECTURE, 5), about="the laptop's own if left out"),
        "key": Key(PublicKeys(), required=True, about="whose signature is believed, for this source alone"),
    },
    what="a source",
)


@dataclass(frozen=True, slots=True)
class Sources:
    """A list of them; no name twice, and nothing in two of them: apt would have none at all then."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        if not isinstance(node, Sequence) or not 1 <= len(node.items) <= _MOST:
            return wrong(self, node, problems)
        names: set[object] = set()
        places: set[str] = set()
        values: list[object] = []
        for item in node.items:
            value = _RECORD.read(item, problems)
            if not isinstance(value, Mapping):
                continue
            if why := _mistake(value):
                wrong(self, item, problems, why=why)
            elif value["name"] in names:
                wrong(self, item, problems, why=f"another is called {value['name']}")
            elif places & (mine := frozenset(releases(value))):
                wrong(self, item, problems, why="another has the same address and suite")
            else:
                places |= mine
            names.add(value["name"])
            values.append(value)
        return values

    def describe(self) -> str:
        """See `Type`."""
        return f"a list of 1 to {_MOST}, each {_RECORD.describe()}"

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        items = _RECORD.schema()
        return {"type": "array", "items": items, "minItems": 1, "maxItems": _MOST, "uniqueItems": True}


def releases(entry: Mapping[str, object]) -> tuple[str, ...]:
    """Where apt looks for what the source's key signed."""
    uris, suites = entry["uris"], entry["suites"]
    assert isinstance(uris, list) and isinstance(suites, list)  # noqa: S101
    return tuple(release_address(str(uri), str(suite)) for uri in uris for suite in suites)


def _mistake(entry: Mapping[str, object]) -> str:
    suites = entry["suites"]
    assert isinstance(suites, list)  # noqa: S101
    folders = [bool(re.search("/$", suite)) for suite in suites]
    if len(set(releases(entry))) < len(releases(entry)):
        return "it has the same address and suite twice"
    if any(folders) and not all(folders):
        return "some of its suites are folders and others are not"
    if all(folders):
        return "a folder has no components" if "components" in entry else ""
    return "" if "components" in entry else "it names no component, such as main"
