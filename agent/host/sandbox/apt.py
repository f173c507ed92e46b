"""How the apt of the laptop in a folder is set: as much of its syntax as Bookbag writes and Debian ships.

Updates are installed at once, there being none; when that was is noted in DIR/.sandbox/apt.json.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.core.errors import BookbagError
from agent.host.apt import SOURCES, release_address
from agent.host.base import Clock, Files
from agent.host.sandbox.notes import Notes

FOLDER = "/etc/apt/apt.conf.d"
_NAME = r"[A-Za-z][A-Za-z0-9:_-]*"
_TOKEN = re.compile(
    rf'#clear\s+({_NAME})\s*;|({_NAME})\s+"([^"]*)"\s*;|({_NAME})\s*\{{((?:"[^"]*"|[^}}"])*)\}}\s*;'
)
_VALUE = re.compile(r'"([^"]*)"\s*;')
#: A source on one line: its key, its address, its suite.
_ONE_LINE = re.compile(
    r"^deb(?:[ \t]+\[(?:[^\]\n]*[ \t])?(?:signed-by=([^\s\]]*))?[^\]\n]*\])?[ \t]+(\S+)[ \t]+(\S+)",
    re.MULTILINE,
)
_COMMENT = re.compile(r"^\s*(//.*|#(?!clear).*)$", re.MULTILINE)


class SandboxApt:
    """The files of /etc/apt/apt.conf.d, and those of its sources, in order of their names."""

    def __init__(self, files: Files, notes: Notes, clock: Clock) -> None:
        self._files = files
        self._notes = notes
        self._clock = clock

    def setting(self, name: str) -> tuple[str, ...]:
        found: tuple[str, ...] = ()
        for file in self._files.names(FOLDER) or ():
            node = self._files.read(f"{FOLDER}/{file}")
            text = node.content.decode(errors="replace") if node is not None and node.kind == "file" else ""
            for cleared, one, value, many, values in _TOKEN.findall(_COMMENT.sub("", text)):
                said = (cleared or one or many).removesuffix("::")
                if said.lower() != name.lower():
                    continue
                if cleared:
                    found = ()
                elif many or one.endswith("::"):
                    found += tuple(_VALUE.findall(values)) if many else (value,)
                else:
                    found = (value,)
        return found

    def updated(self) -> int | None:
        noted = self._notes.read().get("updated")
        return noted if isinstance(noted, int) else None

    def update(self) -> None:
        self._notes.put("updated", self._clock.wall())

    def looks_for(self) -> frozenset[str]:
        keys: dict[str, str] = {}
        for path, uri, suite, key in self._sources():
            address = release_address(uri, suite)
            if keys.setdefault(address, key) != key:
                raise BookbagError(
                    "not-effective",
                    f"cannot ask apt: {path} has another key for {uri} {suite} than a file before",
                )
        return frozenset(keys)

    def _sources(self) -> Iterator[tuple[str, str, str, str]]:
        """(path, address, suite, key), of files of paragraphs and of lines."""
        names = (f"{SOURCES}/{name}" for name in self._files.names(SOURCES) or ())
        for path in ("/etc/apt/sources.list", *names):
            node = self._files.read(path)
            text = node.content.decode(errors="replace") if node is not None and node.kind == "file" else ""
            if path.endswith(".sources"):
                yield from ((path, *found) for found in _paragraphs(path, text))
            elif path.endswith(".list"):
                for key, uri, suite in _ONE_LINE.findall(text):
                    yield path, uri, suite, key


def _paragraphs(path: str, text: str) -> Iterator[tuple[str, str, str]]:
    """(address, suite, key)."""
    without = re.sub("^#.*\n", "", text, flags=re.MULTILINE)
    for paragraph in filter(str.strip, re.split(r"\n\s*\n", without)):
        fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.*(?:\n[ \t].*)*)", paragraph, re.MULTILINE))
        if any(not fields.get(name, "").strip() for name in ("Types", "URIs", "Suites")):
            raise BookbagError("not-effective", f"cannot ask apt: {path} is no file of sources")
        for uri in fields["URIs"].split():
            for suite in fields["Suites"].split():
                yield uri, suite, fields.get("Signed-By", "").strip()
