"""browser.extensions: whether students may add extensions to browsers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.graded import BLOCKED, Graded
from agent.policy.bases.resource import Resource
from agent.policy.resources.chromium import Chromium
from agent.policy.resources.firefox import Firefox


class BrowserExtensions(Graded):
    """Chromium's ExtensionInstallBlocklist and the default of Firefox's ExtensionSettings. To bring one is no
    part of it: an extension is a program that reads all that a student does, with the school's authority.
    """

    key: ClassVar[str] = "browser.extensions"
    about: ClassVar[str] = (
        "Whether students may add extensions and themes to Chromium and Firefox. Blocked, those that they "
        "added before end too: Chromium switches them off, Firefox removes them."
    )
    why: ClassVar[Mapping[str, str]] = {
        "en": "An extension can read and change every page you open, so the school decides whether they "
        "may be added. If you need one for a lesson, ask.",
        "ar": "تستطيع الإضافات قراءة كل صفحة تفتحها وتغييرها، لذا تقرّر المدرسة هل يمكن تثبيتها. "
        "إذا احتجت إلى إحداها لدرس فاسأل.",
    }
    example: ClassVar[str] = "browser.extensions: blocked"

    def compile(self, value: object) -> tuple[Resource, ...]:
        chromium = {"ExtensionInstallBlocklist": ["*"] if value == BLOCKED else []}
        firefox = {"ExtensionSettings": {"*": {"installation_mode": value}}}
        return Chromium(setting="extensions", policies=chromium), Firefox(firefox)
