"""browser.blocked-sites: sites that browsers refuse to open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.chromium import Chromium
from agent.policy.resources.firefox import Firefox
from agent.policy.syntax.sites import EVERY, OWN, Site, filters, patterns
from agent.policy.syntax.values import ListOf, Type


class BrowserBlockedSites(Setting):
    """Whoever closes the whole web leaves the laptop's own pages open: nobody is to lose sight of what was
    decided about them.
    """

    key: ClassVar[str] = "browser.blocked-sites"
    about: ClassVar[str] = (
        "Sites that Chromium and Firefox refuse to open. `casino.example` and `*.casino.example` mean the "
        "same: the site and every name under it, whatever the protocol or port. With a path, only what "
        "begins with it. `*` closes the whole web but for `browser.allowed-sites` and the laptop's own pages."
    )
    value: ClassVar[Type] = ListOf(Site(every=True), most=1000)
    merge: ClassVar[Merge] = Merge.UNION
    why: ClassVar[Mapping[str, str]] = {
        "en": "Your school closed these sites on its laptops. If you need one for a lesson, ask.",
        "ar": "أغلقت مدرستك هذه المواقع على حواسيبها. إذا احتجت إلى أحدها لدرس فاسأل.",
    }
    example: ClassVar[str] = 'browser.blocked-sites: ["*.casino.example", games.example/arcade]'

    def compile(self, value: object) -> tuple[Resource, ...]:
        assert isinstance(value, list)  # noqa: S101
        chromium: dict[str, object] = {"URLBlocklist": filters(value)}
        firefox: dict[str, object] = {"Block": patterns(value)}
        if EVERY in value:
            chromium["URLAllowlist"] = filters(OWN)
            firefox["Exceptions"] = patterns(OWN)
        return Chromium(setting="blocked-sites", policies=chromium), Firefox({"WebsiteFilter": firefox})

    def tighter(self, one: object, other: object) -> bool:
        if not (isinstance(one, list) and isinstance(other, list)):
            return False
        return set(one) > set(other) or (EVERY in one and EVERY not in other)

    def restricts(self, value: object) -> bool:
        return bool(value)
