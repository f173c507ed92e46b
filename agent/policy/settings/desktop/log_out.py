"""desktop.log-out: whether whoever is logged in can log out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.lockdown import Lockdown


class DesktopLogOut(Lockdown):
    """GNOME's lockdown key; switching off and the agent's own lock are not touched by it."""

    key: ClassVar[str] = "desktop.log-out"
    about: ClassVar[str] = (
        "Whether GNOME offers to log out. Blocked suits a laptop that always shows one thing, as in a "
        "library."
    )
    why: ClassVar[Mapping[str, str]] = {
        "en": "Whether one can log out here is the school's decision, because some laptops serve "
        "everybody under one name.",
        "ar": "تقرّر المدرسة هل يمكن تسجيل الخروج هنا، لأن بعض الحواسيب يخدم الجميع باسم واحد.",
    }
    example: ClassVar[str] = "desktop.log-out: blocked"
    switch: ClassVar[str] = "disable-log-out"
