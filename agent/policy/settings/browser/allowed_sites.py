"""browser.allowed-sites: sites that browsers open although others like them are closed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.chromium import Chromium
from agent.policy.resources.firefox import Firefox
from agent.policy.syntax.sites import Site, filters, opens, patterns
from agent.policy.syntax.values import ListOf, Type


class BrowserAllowedSites(Setting):
    """Joined like the sites that are closed, for two teachers may each open one for their lesson; whoever
    wants no more of it makes the list final. It is a part of the files that `browser.blocked-sites` makes.
    """

    key: ClassVar[str] = "browser.allowed-sites"
    about: ClassVar[str] = (
        "Sites that Chromium and Firefox open, with every name under them, although `browser.blocked-sites` "
        'closes them; but for what a farther rank made final there. With `browser.blocked-sites: ["*"]`, as '
        "for an exam, nothing else opens. Where the closed name is the more exact one, Chromium keeps it "
        "closed and Firefox opens it. `final` keeps lower ranks from opening more."
    )
    value: ClassVar[Type] = ListOf(Site(), most=1000)
    merge: ClassVar[Merge] = Merge.UNION
    why: ClassVar[Mapping[str, str]] = {
        "en": "Your school keeps these sites open, also where it closes others.",
        "ar": "تُبقي مدرستك هذه المواقع مفتوحة، حتى حيث تُغلق غيرها.",
    }
    excepts: ClassVar[str] = "browser.blocked-sites"
    example: ClassVar[str] = "browser.allowed-sites: [exam.north.example, library.north.example]"

    def compile(self, value: object) -> tuple[Resource, ...]:
        assert isinstance(value, list)  # noqa: S101
        chromium = Chromium(setting="blocked-sites", policies={"URLAllowlist": filters(value)})
        return chromium, Firefox({"WebsiteFilter": {"Exceptions": patterns(value)}})

    def tighter(self, one: object, other: object) -> bool:
        return isinstance(one, list) and isinstance(other, list) and set(one) < set(other)

    def loosens(self, entry: object, of: object) -> bool:
        return isinstance(of, list) and any(opens(str(entry), str(closed)) for closed in of)
