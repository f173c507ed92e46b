"""agent.content-rate: how fast learning content may come while nobody waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.amounted import Amounted
from agent.policy.syntax.amounts import Amount
from agent.policy.syntax.values import Type


class AgentContentRate(Amounted):
    """What somebody asks for comes as fast as it can, whatever is said here."""

    key: ClassVar[str] = "agent.content-rate"
    called: ClassVar[str] = "content_rate"
    about: ClassVar[str] = (
        "How many bytes of learning content a laptop fetches per second while nobody waits for it; 0: only "
        "what somebody asks for. Without it `content-rate` in the laptop's own agent.yaml holds."
    )
    value: ClassVar[Type] = Amount(most=1 << 30)
    why: ClassVar[Mapping[str, str]] = {
        "en": "How fast lessons come by themselves is the school's decision, so that the line stays free for "
        "everybody. What you open comes at once.",
        "ar": "تقرّر المدرسة سرعة وصول الدروس من تلقاء نفسها ليبقى الخط متاحًا للجميع. وما تفتحه يصل في الحال.",
    }
    example: ClassVar[str] = "agent.content-rate: 64K"
