"""browser.password-saving: whether Chromium offers to keep passwords."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.graded import Graded
from agent.policy.resource import Resource
from agent.policy.resources.chromium import Chromium


class BrowserPasswordSaving(Graded):
    """Chromium's PasswordManagerEnabled."""

    key: ClassVar[str] = "browser.password-saving"
    about: ClassVar[str] = (
        "Whether Chromium offers to keep passwords; those that it keeps already stay, unseen."
    )
    why: ClassVar[Mapping[str, str]] = {
        "en": "Whoever uses this laptop after you could use the passwords that its browser keeps, so "
        "the school decides whether it offers to.",
        "ar": "قد يستخدم من يأتي بعدك كلمات المرور المحفوظة في المتصفح، لذا تقرّر المدرسة هل يعرض حفظها.",
    }
    example: ClassVar[str] = "browser.password-saving: blocked"

    def compile(self, value: object) -> tuple[Resource, ...]:
        policies = {"PasswordManagerEnabled": value != self.words[-1]}
        return (Chromium(setting="password-saving", policies=policies),)
