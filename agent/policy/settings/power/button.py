"""power.button: what the power button does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge
from agent.policy.bases.worded import Worded
from agent.policy.resources.dconf import Dconf
from agent.policy.resources.dconf_profile import DconfProfile
from agent.policy.resources.power_button import ACTIONS, PowerButton

_KEY: Final = "/org/gnome/settings-daemon/plugins/power/power-button-action"
_GNOME: Final[Mapping[str, str]] = {"ask": "interactive", "sleep": "suspend", "nothing": "nothing"}


class PowerButtonPressed(Worded):
    """GNOME's own rule while somebody is logged in, logind's elsewhere."""

    key: ClassVar[str] = "power.button"
    about: ClassVar[str] = (
        "What the power button does: ask whether to switch off (GNOME; where nobody is logged in it switches "
        "off), sleep, or nothing. Held for some seconds the firmware cuts the power, whatever is said here."
    )
    words: ClassVar[tuple[str, ...]] = tuple(ACTIONS)
    merge: ClassVar[Merge] = Merge.REPLACE
    why: ClassVar[Mapping[str, str]] = {
        "en": "What the power button does was decided by the school, so that nobody loses work by a touch.",
        "ar": "قررت المدرسة ما يفعله زر التشغيل، حتى لا يضيع عمل أحد بلمسة.",
    }
    example: ClassVar[str] = "power.button: ask"

    def compile(self, value: object) -> tuple[Resource, ...]:
        word = str(value)
        keys = Dconf(group="power-button", values={_KEY: f"'{_GNOME[word]}'"})
        return DconfProfile(), keys, PowerButton(word)
