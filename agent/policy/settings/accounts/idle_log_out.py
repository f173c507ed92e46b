"""accounts.idle-log-out: a session that nobody uses ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.dconf import Dconf
from agent.policy.resources.dconf_profile import DconfProfile
from agent.policy.syntax.values import Duration, Type, spell

_POWER = "/org/gnome/settings-daemon/plugins/power/sleep-inactive"


class AccountsIdleLogOut(Setting):
    """What GNOME does with an idle laptop, plugged in or not: it ends the session instead of sleeping."""

    key: ClassVar[str] = "accounts.idle-log-out"
    about: ClassVar[str] = (
        "How long a laptop may be idle before whoever is logged in is logged out (GNOME), for laptops that "
        "many use. What was not saved is lost; GNOME warns a minute before. The laptop then "
        "does not go to sleep by itself."
    )
    value: ClassVar[Type] = Duration(least=120, most=8 * 3600)
    merge: ClassVar[Merge] = Merge.STRICTEST
    why: ClassVar[Mapping[str, str]] = {
        "en": "Whoever leaves this laptop is logged out after a while, so that nobody goes on in their name.",
        "ar": "يُسجَّل خروج من يترك هذا الحاسوب بعد مدة، حتى لا يتابع أحد باسمه.",
    }
    example: ClassVar[str] = "accounts.idle-log-out: 30m"

    def compile(self, value: object) -> tuple[Resource, ...]:
        values: dict[str, str] = {}
        for source in ("ac", "battery"):
            values |= {f"{_POWER}-{source}-type": "'logout'", f"{_POWER}-{source}-timeout": str(value)}
        return DconfProfile(), Dconf(group="idle-log-out", values=values)

    def tighter(self, one: object, other: object) -> bool:
        return isinstance(one, int) and isinstance(other, int) and one < other

    def restricts(self, value: object) -> bool:
        return True

    def show(self, value: object) -> str:
        return spell(value) if isinstance(value, int) else str(value)
