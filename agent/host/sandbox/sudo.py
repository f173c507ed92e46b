"""sudo of the laptop in a folder: rules of persons, groups, aliases and ALL; the last that fits decides."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.host.base import Files

FOLDER = "/etc/sudoers.d"
#: What Debian's own file says.
DEBIAN = "root ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n"
_RULE = re.compile(r"(?P<who>[^=]+?)\s+ALL\s*=\s*(\(ALL(:ALL)?\)\s*)?(NOPASSWD:\s*)?(?P<what>!?ALL)$")
_ALIAS = re.compile(r"User_Alias\s+(?P<name>[A-Z][A-Z0-9_]*)\s*=\s*(?P<who>.+)$")


class SandboxSudo:
    """The sudoers of ``files``."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def fault(self, text: str) -> str:
        for number, line in enumerate(text.splitlines(), 1):
            if line and not line.startswith("#") and not _RULE.match(line) and not _ALIAS.match(line):
                return f"{number}: syntax error"
        return ""

    def allows(self, user: str) -> bool:
        aliases: dict[str, list[str]] = {}
        allowed = False
        for line in self._lines():
            if alias := _ALIAS.match(line):
                aliases[alias["name"]] = _list(alias["who"])
            elif (rule := _RULE.match(line)) and self._names(user, _list(rule["who"]), aliases):
                allowed = rule["what"] == "ALL"
        return allowed

    def _lines(self) -> Iterator[str]:
        yield from DEBIAN.splitlines()
        for name in self._files.names(FOLDER) or ():
            node = self._files.read(f"{FOLDER}/{name}")
            if node is not None and node.kind == "file" and "." not in name and not name.endswith("~"):
                yield from node.content.decode("utf-8", "replace").splitlines()

    def _names(self, user: str, who: list[str], aliases: dict[str, list[str]]) -> bool:
        found = False
        for one in who:
            plain = one.lstrip("!")
            if plain in ("ALL", user) or user in aliases.get(plain, ()) or self._in_group(user, plain):
                found = plain == one
        return found

    def _in_group(self, user: str, word: str) -> bool:
        from agent.host.account_files import AccountFiles

        accounts = AccountFiles(self._files)
        group = word.removeprefix("%")
        return word.startswith("%") and (
            user in (accounts.members(group) or ()) or accounts.group_of(user) == group
        )


def _list(text: str) -> list[str]:
    return [one.strip() for one in text.split(",")]
