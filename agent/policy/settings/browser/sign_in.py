"""browser.sign-in: whether an account can be signed in to the browser itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.graded import Graded
from agent.policy.bases.resource import Resource
from agent.policy.resources.chromium import Chromium
from agent.policy.resources.firefox import Firefox


class BrowserSignIn(Graded):
    """Chromium's BrowserSignin and Firefox's accounts; where blocked, nothing is synchronised either."""

    key: ClassVar[str] = "browser.sign-in"
    about: ClassVar[str] = (
        "Whether Chromium and Firefox themselves can be signed in to and synchronised. Signing in to sites "
        "is not touched."
    )
    why: ClassVar[Mapping[str, str]] = {
        "en": "Signing in to the browser itself takes bookmarks and passwords elsewhere, so the school "
        "decides about it. Signing in to sites is not touched.",
        "ar": "تسجيل الدخول إلى المتصفح نفسه ينقل الإشارات وكلمات المرور إلى مكان آخر، لذا تقرّر "
        "المدرسة بشأنه. ولا يشمل ذلك المواقع.",
    }
    example: ClassVar[str] = "browser.sign-in: blocked"

    def compile(self, value: object) -> tuple[Resource, ...]:
        blocked = value == self.words[-1]
        policies = {"BrowserSignin": int(not blocked), "SyncDisabled": blocked}
        return Chromium(setting="sign-in", policies=policies), Firefox({"DisableFirefoxAccounts": blocked})
