"""Programs as policies name them: the path of the file itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from agent.host.programs import PATH, needed
from agent.policy.syntax.nodes import Node
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import BAD, Text, wrong

_PATH: Final = Text(
    most=200,
    pattern=PATH,
    what="a program's whole path such as /usr/games/aisleriot, in /usr/bin, /usr/sbin, /usr/games, "
    "/usr/libexec, /usr/lib or /opt",
)


@dataclass(frozen=True, slots=True)
class ProgramPath:
    """One of those that a laptop can do without, as far as its name tells."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        path = _PATH.read(node, problems)
        if path is BAD or not needed(str(path)):
            return path
        why = "the laptop or Bookbag does not do without it"
        return wrong(_PATH, node, problems, why=why, remedy="leave it out")

    def describe(self) -> str:
        """See `Type`."""
        return _PATH.describe()

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return _PATH.schema()
