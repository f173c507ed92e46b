"""browser.pop-ups: whether sites may open windows by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.graded import Graded
from agent.policy.bases.resource import Resource
from agent.policy.resources.chromium import Chromium
from agent.policy.resources.firefox import Firefox


class BrowserPopUps(Graded):
    """Chromium's DefaultPopupsSetting: 1 allows, 2 blocks; Firefox's PopupBlocking."""

    key: ClassVar[str] = "browser.pop-ups"
    about: ClassVar[str] = "Whether any site may open windows by itself in Chromium and Firefox."
    why: ClassVar[Mapping[str, str]] = {
        "en": "Most windows that open by themselves are advertisements or traps, so the school decides "
        "about them.",
        "ar": "أغلب النوافذ التي تُفتح من تلقاء نفسها إعلانات أو خدع، لذا تقرّر المدرسة بشأنها.",
    }
    example: ClassVar[str] = "browser.pop-ups: blocked"

    def compile(self, value: object) -> tuple[Resource, ...]:
        policies = {"DefaultPopupsSetting": 1 + self.grade(value)}
        firefox = {"PopupBlocking": {"Default": value == self.words[-1], "Locked": True}}
        return Chromium(setting="pop-ups", policies=policies), Firefox(firefox)
