"""browser.safe-search: whether Google's search leaves explicit results out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.graded import Graded
from agent.policy.bases.resource import Resource
from agent.policy.resources.chromium import Chromium


class BrowserSafeSearch(Graded):
    """Chromium's ForceGoogleSafeSearch. Other engines are not touched by it."""

    key: ClassVar[str] = "browser.safe-search"
    about: ClassVar[str] = (
        "Whether searches with Google in Chromium leave explicit results out. It does nothing to "
        "other engines."
    )
    words: ClassVar[tuple[str, ...]] = ("free", "forced")
    why: ClassVar[Mapping[str, str]] = {
        "en": "Whether searches leave explicit results out is the school's decision, so that a search "
        "for a lesson shows what you need.",
        "ar": "تقرّر المدرسة هل تُستبعد النتائج الفاضحة من البحث، لترى ما تحتاج إليه لدروسك.",
    }
    example: ClassVar[str] = "browser.safe-search: forced"

    def compile(self, value: object) -> tuple[Resource, ...]:
        policies = {"ForceGoogleSafeSearch": value == self.words[-1]}
        return (Chromium(setting="safe-search", policies=policies),)
