"""Types of values in a policy: each reads one node, says what it wants, and never clamps or guesses."""

from __future__ import annotations

import re
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlsplit

from agent.policy.syntax.nodes import Mapping, Node, Scalar, Sequence, describe
from agent.policy.syntax.problems import Problems, nearest

#: What `read` gives for a node that was reported; it never reaches a policy.
BAD: Final = object()


class Type(Protocol):
    """One type of value. Values are plain JSON values (text, number, truth, list, dict), never floats."""

    def read(self, node: Node, problems: Problems) -> object:
        """The value, or `BAD` after noting why in ``problems``."""
        ...

    def describe(self) -> str:
        """What to write, to follow "expected": ``a duration such as 10m, from 1m to 8h``."""
        ...

    def schema(self) -> dict[str, object]:
        """A JSON Schema, for editors: it lets through everything that `read` takes, and as little more as a
        schema can say."""
        ...


def wrong(wanted: Type, node: Node, problems: Problems, *, why: str = "", remedy: str = "") -> object:
    """Note that ``node`` is not as ``wanted`` describes; gives `BAD`. Silent where the loader complained."""
    if not (isinstance(node, Scalar) and node.bad):
        found = f"cannot use {describe(node)}{': ' + why if why else ''}"
        problems.add("bad-policy", f"{found}; expected {wanted.describe()}", place=node.place, remedy=remedy)
    return BAD


@dataclass(frozen=True, slots=True)
class Text:
    """A text of bounded length, on one line unless ``lines``."""

    most: int = 200
    least: int = 1
    lines: bool = False
    pattern: str = ""
    what: str = ""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            remedy = "quote it" if isinstance(node, Scalar) and node.value is not None else ""
            return wrong(self, node, problems, remedy=remedy)
        text = node.value
        if not self.least <= len(text) <= self.most:
            return wrong(self, node, problems, why=f"it has {len(text)} characters")
        if not self.lines and not text.isprintable():
            return wrong(self, node, problems, why="it holds a line break or control character")
        if self.pattern and not re.fullmatch(self.pattern, text):
            return wrong(self, node, problems)
        return text

    def describe(self) -> str:
        """See `Type`."""
        return self.what or f"a text of {self.least} to {self.most} characters"

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        made: dict[str, object] = {"type": "string", "minLength": self.least, "maxLength": self.most}
        if self.pattern:
            made["pattern"] = f"^(?:{_widened(self.pattern)})$"
        elif not self.lines:
            made["pattern"] = r"^[^\x00-\x1f\x7f]*$"
        return made


def _widened(pattern: str) -> str:
    """``pattern`` for editors, whose ``\\w`` knows ASCII only: there it means all that is not ASCII, too."""
    word = r"\w\u0080-\uffff"

    def wide(found: re.Match[str]) -> str:
        return found[0].replace(r"\w", word) if found[0].startswith("[") else f"[{word}]"

    return re.sub(r"\[[^\]]*\]|\\w", wide, pattern)


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        words = {"yes": "true", "on": "true", "no": "false", "off": "false"}
        text = node.value if isinstance(node, Scalar) else None
        meant = words.get(text.lower()) if isinstance(text, str) else None
        return wrong(self, node, problems, remedy=f"write {meant}" if meant else "")

    def describe(self) -> str:
        """See `Type`."""
        return "true or false"

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        if isinstance(node, Scalar) and node.value in self.words and isinstance(node.value, str):
            return node.value
        text = node.value if isinstance(node, Scalar) and isinstance(node.value, str) else ""
        return wrong(self, node, problems, remedy=nearest(text, self.words) if text else "")

    def describe(self) -> str:
        """See `Type`."""
        return "one of " + ", ".join(self.words)

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return {"enum": list(self.words)}


_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SPELLED: Final = {"sec": "s", "second": "s", "min": "m", "minute": "m", "hour": "h", "hr": "h", "day": "d"}


def spell(seconds: int) -> str:
    """A duration as a policy writes it, in the largest unit that fits exactly: 600 → ``10m``."""
    unit = next((name for name in "dhm" if seconds and seconds % _UNITS[name] == 0), "s")
    return f"{seconds // _UNITS[unit]}{unit}"


@dataclass(frozen=True, slots=True)
class Duration:
    """A whole number and its unit; the value is in seconds."""

    least: int
    most: int

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        if isinstance(node, Scalar) and type(node.value) is int:
            return wrong(self, node, problems, why="it has no unit", remedy=self._meant(node.value))
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return wrong(self, node, problems)
        parts = re.fullmatch(r"([0-9]{1,9})\s*([A-Za-z]*)", node.value.strip())
        if not parts:
            return wrong(self, node, problems)
        number, unit = parts.groups()
        if unit not in _UNITS or node.value != number + unit:
            short = _SPELLED.get(unit.lower().rstrip("s"), unit if unit in _UNITS else "m")
            known = "s, m, h and d are the units" if unit else "it has no unit"
            return wrong(self, node, problems, why=known, remedy=f"write {number}{short}")
        seconds = int(number) * _UNITS[unit]
        if not self.least <= seconds <= self.most:
            return wrong(self, node, problems, why="it is out of bounds")
        return seconds

    def _meant(self, number: int) -> str:
        """A remedy that is itself within the bounds: minutes, where they are, else seconds."""
        if self.least <= number * _UNITS["m"] <= self.most:
            return f"write {number}m for minutes"
        return f"write {spell(number)} for {number} seconds" if self.least <= number <= self.most else ""

    def describe(self) -> str:
        """See `Type`."""
        return f"a duration such as 10m, from {spell(self.least)} to {spell(self.most)}"

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        units = "".join(unit for unit, seconds in _UNITS.items() if seconds <= self.most)
        return {"type": "string", "pattern": f"^[0-9]{{1,9}}[{units}]$"}


@dataclass(frozen=True, slots=True)
class Url:
    """An http or https address, kept as written."""

    most: int = 2000

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return wrong(self, node, problems)
        text = node.value
        if len(text) > self.most or not text.isprintable() or " " in text:
            return wrong(self, node, problems, why="it holds a space or control character, or is too long")
        try:
            parts = urlsplit(text)
            port_ok = parts.port is None or parts.port > 0
        except ValueError:
            return wrong(self, node, problems, why="it is not a well-formed address")
        if parts.scheme not in ("http", "https"):
            remedy = f"write https://{text}" if "." in text and ":" not in text else ""
            return wrong(
                self, node, problems, why="it does not begin with https:// or http://", remedy=remedy
            )
        if not parts.hostname or not port_ok or "@" in parts.netloc or "\\" in text:
            return wrong(self, node, problems, why="it names no host, or a user, or a bad port")
        if "|" in text:  # Firefox would read several home pages, the others of any scheme
            return wrong(self, node, problems, why="browsers take | for the end of it", remedy="write %7C")
        return text

    def describe(self) -> str:
        """See `Type`."""
        return "an address that begins with https:// or http://"

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        pattern = r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#@\\|]+([/?#][^\s\\|]*)?$"
        return {"type": "string", "maxLength": self.most, "pattern": pattern}


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of values of one type, each once."""

    inner: Type
    most: int = 500

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        if not isinstance(node, Sequence):
            remedy = "write it as a list, as in [ … ]" if isinstance(node, Scalar) else ""
            return wrong(self, node, problems, remedy=remedy)
        if not 1 <= len(node.items) <= self.most:
            return wrong(self, node, problems, why=f"it has {len(node.items)} entries")
        values: list[object] = []
        for item in node.items:
            value = self.inner.read(item, problems)
            if value is BAD:
                continue
            if value in values:
                wrong(self, item, problems, why="it stands in the list already", remedy="delete one")
            values.append(value)
        return values

    def describe(self) -> str:
        """See `Type`."""
        return f"a list of 1 to {self.most}, each {self.inner.describe()}"

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        items = self.inner.schema()
        return {"type": "array", "items": items, "minItems": 1, "maxItems": self.most, "uniqueItems": True}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a record: its type, and whether it may be left out."""

    type: Type
    required: bool = False
    about: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with known keys; the value is a dict of those that were written."""

    keys: AnyMapping[str, Key]
    what: str = "a mapping"

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        if not isinstance(node, Mapping):
            return wrong(self, node, problems)
        values: dict[str, object] = {}
        whole = all(not key.bad for key, _ in node.entries)
        for name, place, child in node.pairs():
            known = self.keys.get(name)
            if known is None:
                unknown_key(name, place, self.keys, problems)
                whole = False
                continue
            value = known.type.read(child, problems)
            whole = whole and value is not BAD
            values[name] = value
        for name, key in self.keys.items():
            if key.required and name not in values:
                missing_key(name, node, key.type, problems)
                whole = False
        return values if whole else BAD

    def describe(self) -> str:
        """See `Type`."""
        required = [name for name, key in self.keys.items() if key.required]
        optional = [name for name, key in self.keys.items() if not key.required]
        text = f"{self.what} with {', '.join(required or optional)}"
        return f"{text} (and optionally {', '.join(optional)})" if required and optional else text

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return {
            "type": "object",
            "properties": {
                name: {"description": described(key), **key.type.schema()} for name, key in self.keys.items()
            },
            "required": [name for name, key in self.keys.items() if key.required],
            "additionalProperties": False,
        }


def described(key: Key) -> str:
    """What a key is about, and what to write."""
    return f"{key.about}: {key.type.describe()}" if key.about else key.type.describe()


def unknown_key(name: str, place: object, valid: AnyMapping[str, object], problems: Problems) -> None:
    """Note a key that does not exist here, with the nearest that does."""
    problems.add(
        "bad-policy",
        f"cannot use the unknown key {name[:60]!r} here",
        place=place,
        remedy=nearest(name, valid),
    )


def missing_key(name: str, node: Node, wanted: Type, problems: Problems) -> None:
    """Note that a key which must be there is not."""
    problems.add(
        "bad-policy",
        f"cannot do without the key {name!r}",
        place=node.place,
        remedy=f"add {name}: {wanted.describe()}",
    )
