"""Strict reading of parsed JSON, field by field, with the key path in every error. Unknown fields are kept
out, not refused: an older agent must be able to read what a newer desk signs (a higher major ``v`` is
refused)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import NoReturn

from agent.core.errors import BookbagError
from agent.core.ids import is_id, is_name

_HEX = frozenset("0123456789abcdef")


class Fields:
    """One JSON object that is being read. ``what`` names the document, ``path`` where in it this object
    lies."""

    __slots__ = ("_code", "_value", "path", "what")

    def __init__(self, value: object, what: str, *, path: str = "", code: str = "bad-metadata") -> None:
        self.what = what
        self.path = path
        self._code = code
        if not isinstance(value, dict):
            self._refuse("", "an object", value)
        self._value: dict[str, object] = value

    def _refuse(self, key: str, expected: str, got: object) -> NoReturn:
        place = f"{self.path}.{key}" if self.path and key else (key or self.path)
        found = "nothing" if got is None else f"{type(got).__name__} {str(got)[:40]!r}"
        raise BookbagError(
            self._code,
            f"cannot accept {self.what}: {place or 'it'} must be {expected}, not {found}",
            place=place,
        )

    def version(self, newest: int) -> None:
        """Check ``v``. Raises ``format-too-new`` above ``newest``."""
        v = self.integer("v", 1, 1 << 31)
        if v > newest:
            raise BookbagError(
                "format-too-new", f"cannot read {self.what}: it is of version {v}", remedy="update Bookbag"
            )

    def __iter__(self) -> Iterator[str]:
        """The object's own keys."""
        return iter(self._value)

    def has(self, key: str) -> bool:
        """Whether ``key`` is there and not null."""
        return self._value.get(key) is not None

    def raw(self, key: str) -> object:
        """The value at ``key`` as it was parsed; None if there is none."""
        return self._value.get(key)

    def integer(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number from ``low`` to ``high``."""
        value = self._value.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self._refuse(key, f"a whole number from {low} to {high}", value)
        return value

    def boolean(self, key: str, default: bool) -> bool:
        """true or false."""
        value = self._value.get(key, default)
        if not isinstance(value, bool):
            self._refuse(key, "true or false", value)
        return value

    def text(self, key: str, most: int, default: str | None = None) -> str:
        """Text of at most ``most`` characters."""
        value = self._value.get(key, default)
        if not isinstance(value, str) or len(value) > most:
            self._refuse(key, f"text of at most {most} characters", value)
        return value

    def name(self, key: str) -> str:
        """A name as in `agent.core.ids`."""
        value = self._value.get(key)
        if not isinstance(value, str) or not is_name(value):
            self._refuse(key, "a name of a-z, 0-9 and hyphens", value)
        return value

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        """One of ``choices``."""
        value = self._value.get(key)
        if not isinstance(value, str) or value not in choices:
            self._refuse(key, f"one of {', '.join(choices)}", value)
        return value

    def id(self, key: str) -> str:
        """32 lower-case hex characters."""
        value = self._value.get(key)
        if not isinstance(value, str) or not is_id(value):
            self._refuse(key, "32 lower-case hex characters", value)
        return value

    def hex(self, key: str, size: int) -> bytes:
        """``size`` bytes as lower-case hex."""
        value = self._value.get(key)
        if not isinstance(value, str) or len(value) != 2 * size or not _HEX.issuperset(value):
            self._refuse(key, f"{2 * size} lower-case hex characters", value)
        return bytes.fromhex(value)

    def base64(self, key: str, most: int) -> bytes:
        """At most ``most`` bytes as standard base64."""
        value = self._value.get(key)
        if not isinstance(value, str) or len(value) > (most + 2) // 3 * 4:
            self._refuse(key, f"base64 of at most {most} bytes", value)
        try:
            return base64.b64decode(value, validate=True)
        except (ValueError, binascii.Error):
            self._refuse(key, "base64", value)

    def texts(self, key: str, most: int, length: int = 256) -> tuple[str, ...]:
        """A list of at most ``most`` texts; absent means none."""
        value = self._value.get(key, [])
        if (
            not isinstance(value, list)
            or len(value) > most
            or not all(isinstance(item, str) and len(item) <= length for item in value)
        ):
            self._refuse(key, f"a list of at most {most} texts", value)
        return tuple(value)

    def names(self, key: str, most: int) -> tuple[str, ...]:
        """A list of different names; absent means none."""
        value = self.texts(key, most)
        if not all(is_name(item) for item in value) or len(set(value)) != len(value):
            self._refuse(key, "a list of different names", list(value))
        return value

    def inside(self, key: str) -> Fields:
        """The object at ``key``."""
        value = self._value.get(key)
        if not isinstance(value, dict):
            self._refuse(key, "an object", value)
        return self._inner(value, key)

    def objects(self, key: str, most: int) -> tuple[Fields, ...]:
        """The list of objects at ``key``; absent means none."""
        value = self._value.get(key, [])
        if not isinstance(value, list) or len(value) > most:
            self._refuse(key, f"a list of at most {most} objects", value)
        return tuple(self._inner(item, f"{key}[{n}]") for n, item in enumerate(value))

    def table(self, key: str, most: int) -> dict[str, Fields]:
        """The object of objects at ``key``; absent means empty."""
        value = self._value.get(key, {})
        if not isinstance(value, dict) or len(value) > most:
            self._refuse(key, f"an object of at most {most} entries", value)
        return {name: self._inner(item, f"{key}.{name}") for name, item in value.items()}

    def _inner(self, value: object, key: str) -> Fields:
        return Fields(value, self.what, path=f"{self.path}.{key}" if self.path else key, code=self._code)
