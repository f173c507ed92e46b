"""Types of values that the head of a document has and no setting: names, days, reasons, groups."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.core.ids import NAME_LENGTH, is_name
from agent.policy.syntax.nodes import Mapping, Node, Scalar, Sequence
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import BAD, Text, wrong

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?")
_DATE = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_MOST_GROUPS = 500


class Name:
    """A policy's id."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        if isinstance(node, Scalar) and is_name(node.value):
            return node.value
        return wrong(self, node, problems)

    def describe(self) -> str:
        """See `Type`."""
        return "a name of 1 to 32 of a-z, 0-9 and hyphens"

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return {"type": "string", "maxLength": NAME_LENGTH, "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"}


class Day:
    """A day, quoted."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        if isinstance(node, Scalar) and isinstance(node.value, str) and _DATE.fullmatch(node.value):
            return node.value
        return wrong(self, node, problems)

    def describe(self) -> str:
        """See `Type`."""
        return 'a quoted day such as "2027-08-01"'

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return {"type": "string", "pattern": f"^{_DATE.pattern}$"}


@dataclass(frozen=True, slots=True)
class Why:
    """Language → sentence."""

    most: int = 500  #: characters of each

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        if not isinstance(node, Mapping) or not node.entries:
            return wrong(self, node, problems)
        sentences: dict[str, object] = {}
        for language, place, child in node.pairs():
            if not _LANGUAGE.fullmatch(language):
                problems.add(
                    "bad-policy",
                    f"cannot use {language[:40]!r} as a language",
                    place=place,
                    remedy="use a code such as en, ar or pt-BR",
                )
                continue
            sentences[language] = Text(self.most).read(child, problems)
        return BAD if BAD in sentences.values() else sentences

    def describe(self) -> str:
        """See `Type`."""
        return 'a mapping of languages to sentences, such as {en: "…", ar: "…"}'

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": f"^{_LANGUAGE.pattern}$"},
            "additionalProperties": Text(self.most).schema(),
        }


class Group:
    """A school, year, class or device: a name, or a number that is one."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        value = node.value if isinstance(node, Scalar) and not isinstance(node.value, bool) else None
        text = "" if value is None else str(value)
        return text if 1 <= len(text) <= 64 and text.isprintable() else wrong(self, node, problems)

    def describe(self) -> str:
        """See `Type`."""
        return "a name or number"

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return {"type": ["string", "integer"], "minLength": 1, "maxLength": 64}


class Groups:
    """A list of groups, or one."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        items = node.items if isinstance(node, Sequence) else (node,)
        if not 1 <= len(items) <= _MOST_GROUPS:
            return wrong(self, node, problems)
        names: list[object] = []
        for item in items:
            alone = Problems()
            names.append(Group().read(item, alone))
            if alone.errors:
                wrong(self, item, problems)
        return BAD if BAD in names else tuple(names)

    def describe(self) -> str:
        """See `Type`."""
        return f"{Group().describe()}, or a list of them, such as [9, 10, 11]"

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        one = Group().schema()
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1, "maxItems": _MOST_GROUPS}]}


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Read where its type is known."""

    what: str

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        return node

    def describe(self) -> str:
        """See `Type`."""
        return self.what

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return {}
