"""desktop.user-switching: whether a second person can log in beside the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.lockdown import Lockdown


class DesktopUserSwitching(Lockdown):
    """GNOME's lockdown key; logging out and in again is not touched."""

    key: ClassVar[str] = "desktop.user-switching"
    about: ClassVar[str] = (
        "Whether another user can log in while one is logged in (GNOME). Logging out first always works."
    )
    why: ClassVar[Mapping[str, str]] = {
        "en": "Two people logged in at once make a laptop slow, so the school decides about it. "
        "Logging out first always works.",
        "ar": "دخول شخصين معًا يبطئ الحاسوب، لذا تقرّر المدرسة بشأنه. وتسجيل الخروج أولًا ممكن دائمًا.",
    }
    example: ClassVar[str] = "desktop.user-switching: blocked"
    switch: ClassVar[str] = "disable-user-switching"
