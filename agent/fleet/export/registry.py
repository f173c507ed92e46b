"""Policies as Windows has them: values of a registry key, lists as keys of their own with values called 1, 2,
3 and so on (https://www.chromium.org/administrators/windows-quick-start/)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agent.core.errors import BookbagError
from agent.fleet.export.browsers import FIREFOX, Browser

#: What Firefox takes as a text of JSON (https://mozilla.github.io/policy-templates/), as Chrome and Edge do
#: of whatever has parts.
FIREFOX_JSON: Final = frozenset(("ExtensionSettings", "ManagedBookmarks"))


@dataclass(frozen=True, slots=True)
class Entry:
    """One value. ``key`` is below ``SOFTWARE\\Policies``; a number is a dword, a text an sz."""

    key: str
    name: str
    value: int | str


def entries(browser: Browser, policy: str, value: object) -> Iterator[Entry]:
    """The values that one policy is kept in; none of an empty list. Raises ``not-supported`` for what the
    registry cannot hold."""
    if (browser != FIREFOX or policy in FIREFOX_JSON) and _has_parts(value):
        value = as_json(value)
    yield from _entries(browser.key, policy, value)


def _has_parts(value: object) -> bool:
    listed = value if isinstance(value, list) else ()
    return isinstance(value, Mapping) or any(isinstance(one, Mapping) for one in listed)


def as_json(value: object) -> str:
    """A value that has parts, as a text on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _entries(key: str, name: str, value: object) -> Iterator[Entry]:
    if isinstance(value, Mapping):
        for child, inner in value.items():
            yield from _entries(f"{key}\\{_plain(name)}", child, inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for number, inner in enumerate(value, start=1):
            yield from _entries(f"{key}\\{_plain(name)}", str(number), inner)
    elif isinstance(value, int):
        yield Entry(key, name, _dword(value))
    else:
        yield Entry(key, name, _text(str(value)))


def _plain(name: str) -> str:
    """A name that becomes part of a key: only those that the browsers' makers gave are such."""
    if not name.isascii() or not name.isalnum():
        raise BookbagError("not-supported", f"the registry has no key {name[:60]!r}")
    return name


def _dword(value: int) -> int:
    if not 0 <= value < 1 << 32:
        raise BookbagError("not-supported", f"the registry has no number {value}")
    return int(value)


def _text(value: str) -> str:
    if "\0" in value or any(0xD800 <= ord(one) < 0xE000 for one in value):
        raise BookbagError("not-supported", "the registry takes no NUL and no half of a character")
    return value
