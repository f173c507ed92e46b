"""agent.content-room: how much of the disk learning content may take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.agent import Agent
from agent.policy.syntax.amounts import Room, spelled
from agent.policy.syntax.values import Type


class AgentContentRoom(Setting):
    """The store's own quota: what is pinned, due or was opened last stays longest."""

    key: ClassVar[str] = "agent.content-room"
    about: ClassVar[str] = (
        "How many bytes of the disk learning content may take, or which share of what it would leave free; "
        "0: none. Where it takes more already, what is least needed goes. Without it `content-room` in the "
        "laptop's own agent.yaml holds."
    )
    value: ClassVar[Type] = Room(most=1 << 40)
    merge: ClassVar[Merge] = Merge.REPLACE
    why: ClassVar[Mapping[str, str]] = {
        "en": "How much of the disk lessons may take is the school's decision, so that room is left for what "
        "you make.",
        "ar": "تقرّر المدرسة المساحة التي تشغلها الدروس من القرص ليبقى متسع لما تصنعه أنت.",
    }
    example: ClassVar[str] = "agent.content-room: 30%"

    def compile(self, value: object) -> tuple[Resource, ...]:
        room, share = (value, 0) if isinstance(value, int) else (0, int(str(value).rstrip("%")))
        return (Agent({"content_room": room, "content_share": share}),)

    def show(self, value: object) -> str:
        return spelled(value) if isinstance(value, int) else str(value)
