"""browser.password-saving: whether browsers offer to keep passwords."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.graded import Graded
from agent.policy.bases.resource import Resource
from agent.policy.resources.chromium import Chromium
from agent.policy.resources.firefox import Firefox


class BrowserPasswordSaving(Graded):
    """PasswordManagerEnabled, as both browsers call it; Firefox then closes what it keeps as well."""

    key: ClassVar[str] = "browser.password-saving"
    about: ClassVar[str] = (
        "Whether Chromium and Firefox offer to keep passwords; those that they keep already stay, unseen."
    )
    why: ClassVar[Mapping[str, str]] = {
        "en": "Whoever uses this laptop after you could use the passwords that its browser keeps, so "
        "the school decides whether it offers to.",
        "ar": "قد يستخدم من يأتي بعدك كلمات المرور المحفوظة في المتصفح، لذا تقرّر المدرسة هل يعرض حفظها.",
    }
    example: ClassVar[str] = "browser.password-saving: blocked"

    def compile(self, value: object) -> tuple[Resource, ...]:
        policies = {"PasswordManagerEnabled": value != self.words[-1]}
        firefox = {**policies, "OfferToSaveLogins": value != self.words[-1]}
        return Chromium(setting="password-saving", policies=policies), Firefox(firefox)
