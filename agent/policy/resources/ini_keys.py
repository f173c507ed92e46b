"""ini-keys: some keys of a file in sections are so; every other line of it is someone else's and stays."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final, Self

from agent.core.model import Power, State
from agent.host.base import Host
from agent.policy.bases.filestate import lines_of, look, part, put, replaceable, text_file
from agent.policy.bases.resource import Resource

GDM: Final = "/etc/gdm3/daemon.conf"
GREETER: Final = "/etc/gdm3/greeter.dconf-defaults"
_YES: Final = "yes"
_QUOTED = r'"([^"\\\x00-\x1f]|\\")*"'
#: File → key → what an ordinary policy may make of it; anything else there is root power.
_HARMLESS: Final[Mapping[str, Mapping[str, str]]] = {
    GDM: {
        "daemon/AutomaticLoginEnable": "false",
        "daemon/AutomaticLogin": "",
        "daemon/TimedLoginEnable": "false",
    },
    GREETER: {
        "org/gnome/login-screen/banner-message-enable": "true|false",
        "org/gnome/login-screen/banner-message-text": _QUOTED,
    },
}


@dataclass(frozen=True, slots=True)
class IniKeys(Resource):
    """``values``: section/key → value; "" is for a key that must not be there.

    Which keys they are belongs to its name: undoing must know what to take out where somebody else changed
    another line since.
    """

    kind: ClassVar[str] = "ini-keys"
    about: ClassVar[str] = "Some keys of a file in sections; the rest of it stays as it is."
    effects: ClassVar[frozenset[str]] = frozenset(("set",))
    mends_effects: ClassVar[bool] = True

    path: str
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.path}#{','.join(sorted(self.values))}"

    @classmethod
    def named(cls, name: str) -> Self:
        path, _, keys = name.partition("#")
        return cls(path, dict.fromkeys(filter(None, keys.split(",")), ""))

    def power(self) -> tuple[Power, str]:
        known = _HARMLESS.get(self.path, {})
        odd = sorted(
            key
            for key, value in self.values.items()
            if key not in known or not re.fullmatch(known[key], value)
        )
        return (Power.ROOT, f"{odd[0]} of {self.path} is not harmless so") if odd else (Power.ORDINARY, "")

    def desired(self) -> State | None:
        return {"set": _YES, "file": None}

    def intended(self, before: State | None) -> State | None:
        return {"set": _YES, "file": _with(part(before, "file"), self.values)}

    def observe(self, host: Host) -> State | None:
        there = look(host, self.path)
        return {"set": self._seen(_text(there)), "file": there}

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        wanted = part(after, "file")
        if wanted is None:
            replaceable(part(before, "file"), self.path)
        put(host, self.path, wanted)

    def release(self, now: State | None, prior: State | None) -> State | None:
        """Someone edited the file since: our keys go back to what they were, if they were."""
        there = part(now, "file")
        if there is None or there["kind"] != "file":
            return now
        was = _text(part(prior, "file"))
        return {"file": _with(there, {key: read(was, key) for key in self.values})}

    def paths(self) -> tuple[str, ...]:
        return (self.path,)

    def _seen(self, text: str) -> str:
        for key, value in sorted(self.values.items()):
            if (there := read(text, key)) != value:
                return f"{key} is {there or 'not set'}"
        return _YES


def read(text: str, key: str) -> str:
    """The value of ``key`` (section/key): of two, the last counts; "" where there is none."""
    return next(
        (line.partition("=")[2].strip() for _, line in reversed(list(_found(lines_of(text), key)))), ""
    )


def write(text: str, key: str, value: str) -> str:
    """``text`` with ``value`` for ``key``, once, where it was or first in its section; "" takes it out."""
    lines = lines_of(text)
    places = [number for number, _ in _found(lines, key)]
    section, _, last = key.rpartition("/")
    for number in reversed(places[1:] if value else places):
        del lines[number]
    if value and places:
        lines[places[0]] = f"{last}={value}"
    elif value:
        heads = [number for number, line in enumerate(lines) if line.strip() == f"[{section}]"]
        if not heads:
            lines.append(f"[{section}]")
            heads = [len(lines) - 1]
        lines.insert(heads[0] + 1, f"{last}={value}")
    return "".join(f"{line}\n" for line in lines)


def _found(lines: list[str], key: str) -> Iterator[tuple[int, str]]:
    """(number, line) of each line that gives ``key`` a value."""
    section, _, last = key.rpartition("/")
    within = ""
    for number, line in enumerate(lines):
        plain = line.strip()
        if plain.startswith("[") and plain.endswith("]"):
            within = plain[1:-1]
        elif (
            within == section and not plain.startswith(("#", ";")) and plain.partition("=")[0].strip() == last
        ):
            yield number, line


def _text(state: State | None) -> str:
    content = state["content"] if state and state["kind"] == "file" else b""
    return content.decode(errors="surrogateescape") if isinstance(content, bytes) else ""


def _with(there: State | None, values: Mapping[str, str]) -> State:
    before = _text(there)
    text = before
    for key, value in sorted(values.items()):
        if read(text, key) != value:
            text = write(text, key, value)
    if there is None or there["kind"] != "file":
        return text_file(text)
    return {**there, "content": text.encode(errors="surrogateescape")}
