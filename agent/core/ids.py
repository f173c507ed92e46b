"""Identifiers: 128-bit lower-case hex for things made by machines, short names for persons, roles and
sites."""

from __future__ import annotations

import os

from agent.core.errors import BookbagError

_HEX = frozenset("0123456789abcdef")
_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
NAME_LENGTH = 32


def new_id() -> str:
    """A fresh random id: 32 lower-case hex characters (128 bits)."""
    return os.urandom(16).hex()


def is_id(text: object) -> bool:
    """Whether ``text`` is 32 lower-case hex characters."""
    return isinstance(text, str) and len(text) == 32 and _HEX.issuperset(text)


def is_name(text: object) -> bool:
    """Whether ``text`` may name a person, role, site or policy: ``[a-z0-9-]``, 1 to 32 characters, no hyphen
    at an end."""
    return (
        isinstance(text, str)
        and 1 <= len(text) <= NAME_LENGTH
        and _NAME.issuperset(text)
        and not (text.startswith("-") or text.endswith("-"))
    )


def check_name(text: str, what: str) -> str:
    """``text``, if it is a name; else BookbagError ``bad-argument`` saying what it should have been."""
    if not is_name(text):
        raise BookbagError(
            "bad-argument",
            f"cannot use {text!r} as {what}",
            remedy="use 1 to 32 of a-z, 0-9 and hyphens, with no hyphen at either end",
        )
    return text
