"""agent.report: how often a laptop reports what policy has it report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.agent import Agent
from agent.policy.syntax.values import Duration, Type, spell

#: What a laptop does without a word (`agent.daemon.schedule`).
USUAL: Final = 6 * 3600


class AgentReport(Setting):
    """At least daily: a report that comes later tells of days that the laptop no longer has."""

    key: ClassVar[str] = "agent.report"
    about: ClassVar[str] = (
        "How long a laptop waits, a tenth more or less, from one report to the next of what "
        "`telemetry.records` names; 6h if it is not set. Of several ranks' values the longest holds. What "
        "has gone wrong is told sooner."
    )
    value: ClassVar[Type] = Duration(least=3600, most=24 * 3600)
    merge: ClassVar[Merge] = Merge.STRICTEST
    why: ClassVar[Mapping[str, str]] = {
        "en": "How often this laptop tells the school how it is; every report is shown to you.",
        "ar": "كم مرة يخبر هذا الحاسوب المدرسة بحاله؛ وكل تقرير معروض لك.",
    }
    example: ClassVar[str] = "agent.report: 12h"

    def compile(self, value: object) -> tuple[Resource, ...]:
        assert isinstance(value, int)  # noqa: S101
        return (Agent({"report_s": value}),)

    def tighter(self, one: object, other: object) -> bool:
        return isinstance(one, int) and isinstance(other, int) and one > other

    def restricts(self, value: object) -> bool:
        return isinstance(value, int) and value > USUAL

    def show(self, value: object) -> str:
        return spell(value) if isinstance(value, int) else str(value)
