"""agent.hours: when a laptop does by itself what takes long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.agent import Agent
from agent.policy.syntax.hours import Hours, bounds
from agent.policy.syntax.values import Type


class AgentHours(Setting):
    """Nobody who waits for something is made to wait longer by it."""

    key: ClassVar[str] = "agent.hours"
    about: ClassVar[str] = (
        "The hours of the day, in local time, in which a laptop begins by itself to fetch learning content "
        "and to look through what it has for damage. What somebody asked for, or brought on a stick, comes "
        "at any hour, and policy and orders do too. When packages are installed is `updates.automatic`."
    )
    value: ClassVar[Type] = Hours(least=60)
    merge: ClassVar[Merge] = Merge.REPLACE
    why: ClassVar[Mapping[str, str]] = {
        "en": "Lessons that nobody waits for come when the line and the laptop are not needed for others.",
        "ar": "تصل الدروس التي لا ينتظرها أحد حين لا يحتاج غيرها إلى الخط والحاسوب.",
    }
    example: ClassVar[str] = 'agent.hours: "16:00-07:00"'

    def compile(self, value: object) -> tuple[Resource, ...]:
        begin, length = bounds(str(value))
        return (Agent({"work_begin": begin, "work_minutes": length}),)
