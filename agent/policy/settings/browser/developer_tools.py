"""browser.developer-tools: whether a browser's developer tools open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.graded import Graded
from agent.policy.bases.resource import Resource
from agent.policy.resources.chromium import Chromium
from agent.policy.resources.firefox import Firefox


class BrowserDeveloperTools(Graded):
    """Chromium's DeveloperToolsAvailability (1: everywhere, 2: nowhere), Firefox's DisableDeveloperTools."""

    key: ClassVar[str] = "browser.developer-tools"
    about: ClassVar[str] = (
        "Whether the developer tools of Chromium and Firefox can be opened. Classes that build pages need "
        "them."
    )
    why: ClassVar[Mapping[str, str]] = {
        "en": "Developer tools can change pages, so the school decides who has them. If you learn to "
        "build pages, ask.",
        "ar": "أدوات المطوّر تغيّر الصفحات، لذا تقرّر المدرسة من يستخدمها. إن كنت تتعلم بناء الصفحات فاسأل.",
    }
    example: ClassVar[str] = "browser.developer-tools: blocked"

    def compile(self, value: object) -> tuple[Resource, ...]:
        policies = {"DeveloperToolsAvailability": 1 + self.grade(value)}
        chromium = Chromium(setting="developer-tools", policies=policies)
        return chromium, Firefox({"DisableDeveloperTools": value == self.words[-1]})
