"""time.servers: who tells the laptop what time it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.timesyncd import SERVER, Timesyncd
from agent.policy.syntax.values import ListOf, Text, Type


class TimeServers(Setting):
    """systemd-timesyncd, as Debian installs it, asks them in this order."""

    key: ClassVar[str] = "time.servers"
    about: ClassVar[str] = (
        "The time servers that systemd-timesyncd asks, in this order, and no others of the distribution; "
        "with one in the school's own network clocks are right without the internet. Where another program "
        "keeps the time (chrony), it is not supported."
    )
    value: ClassVar[Type] = ListOf(
        Text(most=202, pattern=SERVER, what="the name or address of a time server"), most=8
    )
    merge: ClassVar[Merge] = Merge.REPLACE
    powers: ClassVar[str] = Timesyncd.risk
    why: ClassVar[Mapping[str, str]] = {
        "en": "The laptop asks the clocks that the school chose, so that lessons begin for all at once.",
        "ar": "يضبط الحاسوب ساعته من الخوادم التي اختارتها المدرسة، لتبدأ الدروس عند الجميع معًا.",
    }
    example: ClassVar[str] = "time.servers: [time.north.example, 2.debian.pool.ntp.org]"

    def compile(self, value: object) -> tuple[Resource, ...]:
        assert isinstance(value, list)  # noqa: S101
        return (Timesyncd([str(one) for one in value]),)
