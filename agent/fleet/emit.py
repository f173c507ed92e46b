"""Writes the YAML of IT's folder: always the same bytes for the same values, so that `git diff` shows what
changed.

A small subset that every YAML reader agrees on: block mappings and lists, strings bare only where they are
plain words,
otherwise quoted as JSON does. Values: None, bool, int, str, lists and str-keyed mappings of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

_WORD = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")
#: Keys and ids in hex are always quoted: half of them begin with a digit and would be, and 1e10 must never
#: be a number.
_KEY = re.compile(r"[0-9a-f]{16,}\Z")
#: Characters that break lines in some YAML versions only, or cannot be seen.
_HIDDEN = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")
#: Words that some YAML readers take for something else than text.
_RESERVED = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def emit(value: Mapping[str, object], *, comment: str = "") -> bytes:
    """``value`` as YAML, after ``comment`` (one or more lines). Key order is kept. Raises TypeError for
    other values."""
    lines = [f"# {line}" for line in comment.splitlines()]
    lines += _mapping(value, 0) or ["{}"]
    return ("\n".join(lines) + "\n").encode("utf-8")


def _mapping(value: Mapping[str, object], depth: int) -> list[str]:
    lines = []
    for key, item in value.items():
        lines += _entry("  " * depth + f"{_scalar(key)}:", item, depth)
    return lines


def _entry(head: str, item: object, depth: int) -> list[str]:
    if isinstance(item, Mapping):
        return [head, *_mapping(item, depth + 1)] if item else [f"{head} {{}}"]
    if isinstance(item, Sequence) and not isinstance(item, str):
        return [head, *_list(item, depth)] if item else [f"{head} []"]
    return [f"{head} {_scalar(item)}"]


def _list(items: Sequence[object], depth: int) -> list[str]:
    lines: list[str] = []
    pad = "  " * (depth + 1)
    for item in items:
        if isinstance(item, Mapping) and item:
            block = _mapping(item, depth + 2)
            lines += [f"{pad}- {block[0].lstrip()}", *block[1:]]
        elif isinstance(item, Sequence) and not isinstance(item, str) and item:
            lines += [f"{pad}-", *_list(item, depth + 1)]
        else:
            lines.append(f"{pad}- {_scalar(item)}")
    return lines


def _scalar(item: object) -> str:
    if item is None:
        return "null"
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, int):
        return str(item)
    if isinstance(item, Mapping):
        return "{}"
    if isinstance(item, Sequence) and not isinstance(item, str):
        return "[]"
    if not isinstance(item, str):
        raise TypeError(f"cannot write {type(item).__name__} as YAML")
    if _WORD.match(item) and item not in _RESERVED and not _KEY.match(item):
        return item
    return _HIDDEN.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(item, ensure_ascii=False))
