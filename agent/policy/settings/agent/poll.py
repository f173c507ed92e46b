"""agent.poll: how often a laptop looks for news."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.agent import Agent
from agent.policy.syntax.values import Duration, Type, spell


class AgentPoll(Setting):
    """Never off: what a laptop would never hear could not be taken back."""

    key: ClassVar[str] = "agent.poll"
    about: ClassVar[str] = (
        "How long a laptop waits between looking for news, also for an order to lock it. Without it `poll` "
        "in the laptop's own agent.yaml holds."
    )
    value: ClassVar[Type] = Duration(least=60, most=24 * 3600)
    merge: ClassVar[Merge] = Merge.REPLACE
    why: ClassVar[Mapping[str, str]] = {
        "en": "How often this laptop asks the school's server for news, which costs a little of the line "
        "and of the battery.",
        "ar": "كم مرة يسأل هذا الحاسوب خادم المدرسة عن الجديد، وهذا يستهلك قليلًا من الخط والبطارية.",
    }
    example: ClassVar[str] = "agent.poll: 30m"

    def compile(self, value: object) -> tuple[Resource, ...]:
        assert isinstance(value, int)  # noqa: S101
        return (Agent({"poll_s": value}),)

    def show(self, value: object) -> str:
        return spell(value) if isinstance(value, int) else str(value)
