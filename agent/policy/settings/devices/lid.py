"""devices.lid: what a laptop does when it is closed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge
from agent.policy.bases.worded import Worded
from agent.policy.resources.lid import ACTIONS, Lid


class DevicesLid(Worded):
    """logind's own rule, on battery and on mains."""

    key: ClassVar[str] = "devices.lid"
    about: ClassVar[str] = (
        "What a laptop does when it is closed, on battery and on mains: sleep, lock the screen, nothing, or "
        "off. With a second screen it goes on, as ever."
    )
    words: ClassVar[tuple[str, ...]] = tuple(ACTIONS)
    merge: ClassVar[Merge] = Merge.REPLACE
    why: ClassVar[Mapping[str, str]] = {
        "en": "What happens when you close the laptop was decided by the school, for all of its laptops.",
        "ar": "قررت المدرسة ما يحدث عند إغلاق الحاسوب، لكل حواسيبها.",
    }
    example: ClassVar[str] = "devices.lid: sleep"

    def compile(self, value: object) -> tuple[Resource, ...]:
        """As `Setting.compile`."""
        return (Lid(str(value)),)
