"""browser.youtube: how far YouTube is restricted in Chromium."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.graded import Graded
from agent.policy.bases.resource import Resource
from agent.policy.resources.chromium import Chromium


class BrowserYoutube(Graded):
    """Chromium's ForceYouTubeRestrict: 0, 1 and 2, as YouTube itself sorts its videos."""

    key: ClassVar[str] = "browser.youtube"
    about: ClassVar[str] = (
        "How far YouTube is restricted in Chromium: not at all, or by YouTube's own moderate or strict mode."
    )
    words: ClassVar[tuple[str, ...]] = ("free", "moderate", "strict")
    why: ClassVar[Mapping[str, str]] = {
        "en": "How much of YouTube opens is the school's decision. If a video for a lesson is missing, ask.",
        "ar": "تقرّر المدرسة ما يُعرض من يوتيوب. إن غاب مقطع تحتاج إليه لدرس فاسأل.",
    }
    example: ClassVar[str] = "browser.youtube: moderate"

    def compile(self, value: object) -> tuple[Resource, ...]:
        policies = {"ForceYouTubeRestrict": self.grade(value)}
        return (Chromium(setting="youtube", policies=policies),)
