"""desktop.user-switching: whether a second person can log in beside the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.graded import Graded
from agent.policy.resource import Resource
from agent.policy.resources.dconf import Dconf
from agent.policy.resources.dconf_profile import DconfProfile


class DesktopUserSwitching(Graded):
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

    def compile(self, value: object) -> tuple[Resource, ...]:
        values = {
            "/org/gnome/desktop/lockdown/disable-user-switching": str(value == self.words[-1]).lower(),
        }
        return DconfProfile(), Dconf(group="user-switching", values=values)
