"""browser.homepage: the page that browsers open at start, and behind its home button."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.chromium import Chromium
from agent.policy.resources.firefox import Firefox
from agent.policy.syntax.values import Type, Url

_OPEN_THESE_PAGES = 4  # Chromium's RestoreOnStartup value for "open a list of URLs"


class BrowserHomepage(Setting):
    """The school's page greets everyone; tabs of the last session are not reopened in its stead."""

    key: ClassVar[str] = "browser.homepage"
    about: ClassVar[str] = (
        "The page that Chromium and Firefox open when they start and when the home button is pressed."
    )
    value: ClassVar[Type] = Url()
    merge: ClassVar[Merge] = Merge.REPLACE
    why: ClassVar[Mapping[str, str]] = {
        "en": "The browser opens the school's page, so that lessons and notices are one click away.",
        "ar": "يفتح المتصفح صفحة المدرسة لتكون الدروس والإعلانات على بُعد نقرة واحدة.",
    }
    example: ClassVar[str] = "browser.homepage: https://portal.north.example/"

    def compile(self, value: object) -> tuple[Resource, ...]:
        policies = {
            "HomepageIsNewTabPage": False,
            "HomepageLocation": value,
            "RestoreOnStartup": _OPEN_THESE_PAGES,
            "RestoreOnStartupURLs": [value],
            "ShowHomeButton": True,
        }
        firefox = {
            "Homepage": {"URL": value, "StartPage": "homepage-locked", "Locked": True},
            "ShowHomeButton": True,
        }
        return Chromium(setting="homepage", policies=policies), Firefox(firefox)
