"""Which accounts of this laptop Bookbag made for the roster, and which of IT's passwords each was given last:
a file of root's, for no state may name a student, and an account that was there before is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.host.base import Files, Node

PATH = f"{Layout().secrets}/accounts.json"
_MOST = 256 << 10


@dataclass(frozen=True, slots=True)
class Made:
    """One account. ``tag``: of the password that it was given last, or is just being given; ``out``: it was
    closed when it was no longer given."""

    tag: str = ""
    out: bool = False


class MadeAccounts:
    """Those noted in ``files``. Damaged, the file counts as empty: then an account that has a password is
    nobody's but its user's, and stays."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._made = dict(_read(files))

    def find(self, login: str) -> Made | None:
        """None: it was not made for the roster."""
        return self._made.get(login)

    def open(self) -> tuple[str, ...]:
        """Those that are not `Made.out`."""
        return tuple(login for login, one in self._made.items() if not one.out)

    def closed(self) -> tuple[str, ...]:
        """Those that are."""
        return tuple(login for login, one in self._made.items() if one.out)

    def put(self, login: str, made: Made | None) -> None:
        """Note it; None: it is gone."""
        if self._made.get(login) == made:
            return
        self._made.pop(login, None)
        if made is not None:
            self._made[login] = made
        if not self._made:
            self._files.remove(PATH)
            return
        rows = {name: {"tag": one.tag, "out": one.out} for name, one in self._made.items()}
        content = json.dumps({"v": 1, "accounts": rows}, sort_keys=True).encode()
        self._files.make_parents(PATH)
        self._files.write(PATH, Node("file", 0o600, content=content))


def _read(files: Files) -> Mapping[str, Made]:
    node = files.read(PATH, limit=_MOST)
    try:
        found = jsontext.parse(node.content, what="accounts", max_bytes=_MOST) if node is not None else {}
    except BookbagError:
        return {}
    rows = found.get("accounts") if isinstance(found, dict) else None
    if not isinstance(rows, dict):
        return {}
    return {
        login: Made(str(row.get("tag", "")), row.get("out") is True)
        for login, row in rows.items()
        if isinstance(row, dict)
    }
