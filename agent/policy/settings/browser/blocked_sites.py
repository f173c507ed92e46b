"""browser.blocked-sites: sites that browsers refuse to open."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from agent.policy.nodes import Node
from agent.policy.problems import Problems
from agent.policy.resource import Resource
from agent.policy.resources.chromium import Chromium
from agent.policy.resources.firefox import Firefox
from agent.policy.setting import Merge, Setting
from agent.policy.values import ListOf, Text, Type, wrong

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"({_LABEL}\.)+{_LABEL}")
_SITE = Text(most=500)
_PATH = re.compile(r"/[!-~]*")


class Site:
    """A host name, with or without ``*.``, perhaps a path. Kept in one normal form: lower case,
    punycode, no ``*.``.
    """

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        text = _SITE.read(node, problems)
        if not isinstance(text, str):
            return text
        if "://" in text:
            bare = text.split("://", 1)[1]
            return wrong(self, node, problems, why="it names a scheme", remedy=f"write {bare.rstrip('/')!r}")
        host, slash, path = text.partition("/")
        host = host.removeprefix("*.")
        if "*" in text[1:] or text == "*":
            return wrong(self, node, problems, why="a * stands only at the beginning, as *.", remedy="")
        try:
            ascii_host = host.encode("idna").decode().lower() if not host.isascii() else host.lower()
        except UnicodeError:
            return wrong(self, node, problems, why="it is no host name")
        if not _HOST.fullmatch(ascii_host):
            return wrong(self, node, problems, why="it is no host name with a dot in it")
        if slash and not _PATH.fullmatch(slash + path):
            return wrong(self, node, problems, why="its path holds a space or a character beyond ASCII")
        return ascii_host + (slash + path if path else "")

    def describe(self) -> str:
        """See `Type`."""
        return "a site such as *.casino.example or games.example/arcade"

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        pattern = r"^(\*\.)?[^\s/*:]+\.[^\s/*:]+(/[^\s*]*)?$"
        return {**_SITE.schema(), "pattern": pattern}


def _pattern(site: str) -> str:
    """The match pattern for a site, or for what begins with its path."""
    host, slash, path = site.partition("/")
    return f"*://*.{host}{slash or '/'}{path}*"


class BrowserBlockedSites(Setting):
    """A name closes that site and everything under it, which is how Chromium reads a name without a
    leading dot, and Firefox one after ``*.``.
    """

    key: ClassVar[str] = "browser.blocked-sites"
    about: ClassVar[str] = (
        "Sites that Chromium and Firefox refuse to open. `casino.example` and `*.casino.example` mean the "
        "same: the site and every name under it, whatever the protocol or port. With a path, only what "
        "begins with it."
    )
    value: ClassVar[Type] = ListOf(Site(), most=1000)
    merge: ClassVar[Merge] = Merge.UNION
    why: ClassVar[Mapping[str, str]] = {
        "en": "Your school closed these sites on its laptops. If you need one for a lesson, ask.",
        "ar": "أغلقت مدرستك هذه المواقع على حواسيبها. إذا احتجت إلى أحدها لدرس فاسأل.",
    }
    example: ClassVar[str] = 'browser.blocked-sites: ["*.casino.example", games.example/arcade]'

    def compile(self, value: object) -> tuple[Resource, ...]:
        assert isinstance(value, list)  # noqa: S101
        chromium = Chromium(setting="blocked-sites", policies={"URLBlocklist": sorted(value)})
        return chromium, Firefox({"WebsiteFilter": {"Block": [_pattern(site) for site in sorted(value)]}})

    def tighter(self, one: object, other: object) -> bool:
        return isinstance(one, list) and isinstance(other, list) and set(one) > set(other)
