"""browser.private-windows: whether browsers open private (incognito) windows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.graded import Graded
from agent.policy.bases.resource import Resource
from agent.policy.resources.chromium import Chromium
from agent.policy.resources.firefox import Firefox


class BrowserPrivateWindows(Graded):
    """Chromium's IncognitoModeAvailability, with windows of guests, which leave no trace either; of
    Firefox the older of its two names for it, which all its versions know.
    """

    key: ClassVar[str] = "browser.private-windows"
    about: ClassVar[str] = (
        "Whether private windows, which keep no history, can be opened in Chromium and Firefox; Chromium's "
        "guest windows go along."
    )
    why: ClassVar[Mapping[str, str]] = {
        "en": "Whether private windows open is the school's decision, so that its rules for the web "
        "hold in every window.",
        "ar": "تقرّر المدرسة هل تُفتح النوافذ الخاصة، كي تسري قواعدها للويب في كل نافذة.",
    }
    example: ClassVar[str] = "browser.private-windows: blocked"

    def compile(self, value: object) -> tuple[Resource, ...]:
        blocked = value == self.words[-1]
        policies = {"IncognitoModeAvailability": int(blocked), "BrowserGuestModeEnabled": not blocked}
        chromium = Chromium(setting="private-windows", policies=policies)
        return chromium, Firefox({"DisablePrivateBrowsing": blocked})
