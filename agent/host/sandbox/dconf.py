"""dconf simulated: the same profile, databases, key files and locks as the real one, decided by the same
rules.

`compile` turns a database's key files and locks into one file, here JSON; until then they have no effect,
as with the real `dconf update`. A user's own settings are key files in ``~/.config/dconf/user.txt`` (the
real database is binary).

The rules (observed in GNOME/dconf): the first source that has a key wins, but a lock in any source behind
the first hides every source before the last one that locks it. Key files are read in order of their names,
later ones win; hidden files are skipped; a profile that is missing means the user's own settings only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from agent.core.errors import BookbagError
from agent.host.base import Facts, Files, Node
from agent.host.dconf_names import check_database, check_key

MAX_FILE = 1 << 20
DATABASES = "/etc/dconf/db"


@dataclass(frozen=True, slots=True)
class Source:
    """One database of a profile: its values and its locks."""

    writable: bool
    values: dict[str, str] = field(default_factory=dict)
    locks: frozenset[str] = frozenset()


class SandboxDconf:
    """dconf of the laptop in a folder."""

    def __init__(self, files: Files, facts: Facts) -> None:
        self._files = files
        self._facts = facts

    def compile(self, database: str) -> None:
        check_database(database)
        directory = f"{DATABASES}/{database}.d"
        names = self._files.names(directory)
        if names is None:
            self._files.remove(f"{DATABASES}/{database}")
            return
        values: dict[str, str] = {}
        for name in names:
            if not name.startswith("."):
                values.update(parse_keys(self._text(f"{directory}/{name}"), f"{directory}/{name}"))
        locks: list[str] = []
        for name in self._files.names(f"{directory}/locks") or ():
            if not name.startswith("."):
                lines = self._text(f"{directory}/locks/{name}").split("\n")
                locks += [line for line in lines if line.startswith("/")]
        compiled = {"simulated": "dconf", "values": values, "locks": sorted(set(locks))}
        data = json.dumps(compiled, sort_keys=True, indent=1).encode()
        self._files.write(f"{DATABASES}/{database}", Node("file", 0o644, content=data))

    def effective(self, user: str, key: str) -> str | None:
        return _first(self._sources(user, key), key)

    def default(self, user: str, key: str) -> str | None:
        return _first([one for one in self._sources(user, key) if not one.writable], key)

    def writable(self, user: str, *keys: str) -> bool:
        return any(self._is_writable(user, key) for key in keys)

    def _is_writable(self, user: str, key: str) -> bool:
        sources = self._sources(user, key)
        return bool(sources) and sources[0].writable and all(key not in rest.locks for rest in sources[1:])

    def _sources(self, user: str, key: str) -> list[Source]:
        check_key(key)
        if user not in self._facts.users():
            raise BookbagError("not-found", f"cannot ask as {user!r}: no such user on this laptop")
        profile = self._text("/etc/dconf/profile/user", absent="user-db:user\n")
        return list(self._profile(profile, user))

    def _profile(self, text: str, user: str) -> Iterator[Source]:
        for line in text.split("\n"):
            kind, _, name = line.partition("#")[0].strip().partition(":")
            if kind == "user-db":
                path = f"/home/{user}/.config/dconf/{name}.txt"
                yield Source(True, parse_keys(self._text(path), path))
            elif kind == "system-db":
                yield self._system(name)

    def _system(self, name: str) -> Source:
        text = self._text(f"{DATABASES}/{name}")
        try:
            found = json.loads(text) if text else {}
            return Source(False, dict(found.get("values", {})), frozenset(found.get("locks", ())))
        except (ValueError, TypeError, AttributeError, RecursionError):
            return Source(False)  # dconf takes a damaged database for an empty one

    def _text(self, path: str, *, absent: str = "") -> str:
        node = self._files.read(path, limit=MAX_FILE)
        if node is None or node.kind != "file":
            return absent  # of a directory or link among the key files: dconf skips what is no file
        return node.content.decode("utf-8", errors="replace")


def _first(sources: list[Source], key: str) -> str | None:
    """The value that counts: of the first source that has one, or of the last one that locks the key."""
    locked = [at for at, source in enumerate(sources) if key in source.locks]
    for source in sources[max(locked, default=0) :]:
        if key in source.values:
            return source.values[key]
    return None


def parse_keys(text: str, place: str) -> dict[str, str]:
    """Key → GVariant text of one key file. Raises ``not-effective`` with the line that dconf would refuse."""
    values: dict[str, str] = {}
    group: str | None = None
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("[") and line.endswith("]"):
            group = line[1:-1].strip("/")
            continue
        name, equals, value = line.partition("=")
        if not equals or group is None:
            raise BookbagError(
                "not-effective", "cannot compile: neither [group] nor key=value", place=f"{place}:{number}"
            )
        values["/" + "/".join(filter(None, (group, name.strip())))] = value.strip()
    return values
