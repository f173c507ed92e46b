"""time.zone: where in the world the laptop's clock is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.host.timekeeping import ZONE
from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.timezone import Timezone
from agent.policy.syntax.values import Text, Type


class TimeZone(Setting):
    """Timetables are in local time, so this decides when a lesson is, too."""

    key: ClassVar[str] = "time.zone"
    about: ClassVar[str] = (
        "The time zone of the laptop, as the time zone database calls it. Timetables are in local time. "
        "Programs that are running may go on in the former zone until they are started again."
    )
    value: ClassVar[Type] = Text(most=100, pattern=ZONE, what="the name of a time zone, such as Africa/Cairo")
    merge: ClassVar[Merge] = Merge.REPLACE
    why: ClassVar[Mapping[str, str]] = {
        "en": "The laptop's clock shows the time of your school.",
        "ar": "تعرض ساعة الحاسوب التوقيت المحلي لمدرستك.",
    }
    example: ClassVar[str] = "time.zone: Africa/Cairo"

    def compile(self, value: object) -> tuple[Resource, ...]:
        return (Timezone(str(value)),)
