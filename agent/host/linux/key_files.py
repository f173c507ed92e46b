"""Key files as GLib reads them: groups in brackets, and in each a value by key. Others write them, so what is
none counts as empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_GROUP = re.compile(r"\[([^\[\]]+)\]\s*")
_COMMENT = re.compile(r"\s*(#.*)?")


def groups(text: str) -> Mapping[str, Mapping[str, str]]:
    """Group → key → value, as they stand: no escape is read. A group that comes twice is one, and of a key
    the last value counts. Source: the documentation of GKeyFile.
    """
    found: dict[str, dict[str, str]] = {}
    group: dict[str, str] | None = None
    for line in text.split("\n"):
        if _COMMENT.fullmatch(line):
            continue
        if head := _GROUP.fullmatch(line):
            group = found.setdefault(head[1], {})
            continue
        key, mark, value = line.partition("=")
        if group is None or not mark or not key.strip():
            return {}
        group[key.strip()] = value.strip()
    return found
