"""Names of the secrets that IT gives laptops beside policies."""

from __future__ import annotations

from typing import Final

from agent.host.wireless import NAME
from agent.policy.bases.roster import is_slot
from agent.policy.syntax.nodes import Node
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import BAD, Text

_REFERENCE: Final = Text(
    most=32, pattern=NAME, what="the name of a secret, as in bookbag-fleet secret set NAME"
)


class SecretName:
    """The name of a secret. What is no name may be a secret itself, and is not quoted."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        value = _REFERENCE.read(node, found := Problems())
        if value is BAD and found.errors:
            problems.add(
                "bad-policy",
                f"cannot use this text here; expected {self.describe()}",
                place=node.place,
                remedy="if it is the secret itself, change it where it is used: it is known by now",
            )
        elif isinstance(value, str) and is_slot(value):  # a student's login and name, given to others so
            problems.add(
                "bad-policy",
                f"cannot use the secret {value}: it is kept for accounts of the roster",
                place=node.place,
                remedy="name another: bookbag-fleet secret lists them",
            )
            return BAD
        return value

    def describe(self) -> str:
        """See `Type`."""
        return _REFERENCE.describe()

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return _REFERENCE.schema()
