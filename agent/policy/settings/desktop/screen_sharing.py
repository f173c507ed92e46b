"""desktop.screen-sharing: whether the screen can be shown to, and steered from, another computer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.graded import BLOCKED, Graded
from agent.policy.bases.resource import Resource
from agent.policy.resources.dconf import Dconf
from agent.policy.resources.dconf_profile import DconfProfile


class DesktopScreenSharing(Graded):
    """GNOME's remote desktop. Allowed switches nothing on: that is for whoever is logged in."""

    key: ClassVar[str] = "desktop.screen-sharing"
    about: ClassVar[str] = (
        "Whether the screen can be shared with another computer through GNOME's remote desktop. Allowed "
        "leaves it off until a student turns it on; what a browser shares is not touched."
    )
    why: ClassVar[Mapping[str, str]] = {
        "en": "Who shares a screen lets others see and do everything on it, so the school decides about it.",
        "ar": "من يشارك شاشته يجعل غيره يرى كل ما عليها ويفعله، لذا تقرّر المدرسة بشأنه.",
    }
    example: ClassVar[str] = "desktop.screen-sharing: blocked"

    def compile(self, value: object) -> tuple[Resource, ...]:
        values = {f"/org/gnome/desktop/remote-desktop/{way}/enable": "false" for way in ("rdp", "vnc")}
        return DconfProfile(), Dconf(group="screen-sharing", values=values, locked=value == BLOCKED)
