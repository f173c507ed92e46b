"""screen-lock.after: the screen locks after so much idleness."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.dconf import Dconf
from agent.policy.resources.dconf_profile import DconfProfile
from agent.policy.syntax.values import Duration, Type, spell


class ScreenLockAfter(Setting):
    """Idle for this long: the screen goes dark and locks at once. A student cannot lengthen or switch
    it off.
    """

    key: ClassVar[str] = "screen-lock.after"
    about: ClassVar[str] = "How long a laptop may be idle before its screen locks (GNOME)."
    value: ClassVar[Type] = Duration(least=60, most=4 * 3600)
    merge: ClassVar[Merge] = Merge.STRICTEST
    why: ClassVar[Mapping[str, str]] = {
        "en": "The screen locks by itself, so that nobody reads or sends anything in your name.",
        "ar": "تُقفل الشاشة تلقائيًا حتى لا يقرأ أحد شيئًا أو يرسله باسمك.",
    }
    example: ClassVar[str] = "screen-lock.after: 10m"

    def compile(self, value: object) -> tuple[Resource, ...]:
        values = {
            "/org/gnome/desktop/session/idle-delay": f"uint32 {value}",
            "/org/gnome/desktop/screensaver/lock-enabled": "true",
            "/org/gnome/desktop/screensaver/lock-delay": "uint32 0",
            "/org/gnome/desktop/lockdown/disable-lock-screen": "false",
        }
        return DconfProfile(), Dconf(group="screen-lock", values=values)

    def tighter(self, one: object, other: object) -> bool:
        return isinstance(one, int) and isinstance(other, int) and one < other

    def restricts(self, value: object) -> bool:
        return True  # without it a student may switch it off

    def show(self, value: object) -> str:
        return spell(value) if isinstance(value, int) else str(value)
