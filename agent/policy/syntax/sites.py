"""Sites as policies name them, and as browsers match them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from agent.policy.syntax.nodes import Node
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import Text, wrong

#: The whole web, where a setting takes that for a site.
EVERY = "*"
#: Who serves the laptop's own pages.
OWN = ("127.0.0.1", "localhost")
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"({_LABEL}\.)+{_LABEL}")
_SITE = Text(most=500)
_PATH = re.compile(r"/[!-~]*")


@dataclass(frozen=True, slots=True)
class Site:
    """A host name, with or without ``*.``, perhaps a path. Kept in one normal form: lower case,
    punycode, no ``*.``. With ``every``, also `EVERY`.
    """

    every: bool = False

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        text = _SITE.read(node, problems)
        if not isinstance(text, str) or (self.every and text == EVERY):
            return text
        if "://" in text:
            bare = text.split("://", 1)[1]
            return wrong(self, node, problems, why="it names a scheme", remedy=f"write {bare.rstrip('/')!r}")
        host, slash, path = text.partition("/")
        host = host.removeprefix("*.")
        if "*" in text[1:] or text == EVERY:
            return wrong(self, node, problems, why="a * stands only at the beginning, as *.", remedy="")
        try:
            ascii_host = host.encode("idna").decode().lower() if not host.isascii() else host.lower()
        except UnicodeError:
            return wrong(self, node, problems, why="it is no host name")
        if not _HOST.fullmatch(ascii_host):
            return wrong(self, node, problems, why="it is no host name with a dot in it")
        if slash and not _PATH.fullmatch(slash + path):
            return wrong(self, node, problems, why="its path holds a space or a character beyond ASCII")
        if "#" in path:
            bare = text.partition("#")[0]
            return wrong(
                self, node, problems, why="browsers do not look behind a #", remedy=f"write {bare!r}"
            )
        return ascii_host + (slash + path if path else "")

    def describe(self) -> str:
        """See `Type`."""
        whole = ", or * for the whole web" if self.every else ""
        return f"a site such as *.casino.example or games.example/arcade{whole}"

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        pattern = r"(\*\.)?[^\s/*:]+\.[^\s/*:]+(/[^\s*#]*)?"
        return {**_SITE.schema(), "pattern": rf"^(\*|{pattern})$" if self.every else f"^{pattern}$"}


def opens(site: str, closed: str) -> bool:
    """Whether a browser that opens ``site`` would open anything of ``closed``."""
    host, _, path = site.partition("/")
    other, _, below = closed.partition("/")
    if closed == EVERY:
        return True
    if host == other:
        return path.startswith(below) or below.startswith(path)
    return host.endswith(f".{other}") or other.endswith(f".{host}")


def filters(sites: Iterable[str]) -> list[str]:
    """As Chromium writes them: a name without a leading dot means all under it too. Of the whole web only
    what is fetched: the browser's own pages and files of the laptop stay.
    """
    return [
        one for site in sorted(sites) for one in (("http://*", "https://*") if site == EVERY else (site,))
    ]


def patterns(sites: Iterable[str]) -> list[str]:
    """As Firefox writes them: for a site, or for what begins with its path."""
    return [_pattern(site) for site in sorted(sites)]


def _pattern(site: str) -> str:
    if site == EVERY:
        return "*://*/*"
    host, slash, path = site.partition("/")
    return f"*://*.{host}{slash or '/'}{path}*"
