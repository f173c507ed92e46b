"""desktop.log-out: whether whoever is logged in can log out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.graded import Graded
from agent.policy.resource import Resource
from agent.policy.resources.dconf import Dconf
from agent.policy.resources.dconf_profile import DconfProfile


class DesktopLogOut(Graded):
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

    def compile(self, value: object) -> tuple[Resource, ...]:
        values = {"/org/gnome/desktop/lockdown/disable-log-out": str(value == self.words[-1]).lower()}
        return DconfProfile(), Dconf(group="log-out", values=values)
