"""agent.content-per-day: how much learning content may come by itself in a day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.amounted import Amounted
from agent.policy.syntax.amounts import Amount
from agent.policy.syntax.values import Type


class AgentContentPerDay(Amounted):
    """What somebody asked for, or brought on a stick, does not count."""

    key: ClassVar[str] = "agent.content-per-day"
    called: ClassVar[str] = "content_per_day"
    about: ClassVar[str] = (
        "How many bytes of learning content a laptop fetches in a day by itself, without what somebody asked "
        "for; 0: no bound. Without it `content-per-day` in the laptop's own agent.yaml holds."
    )
    value: ClassVar[Type] = Amount(most=1 << 40)
    why: ClassVar[Mapping[str, str]] = {
        "en": "How much comes in a day by itself is the school's decision, so that the line stays free for "
        "everybody. What you open comes at once.",
        "ar": "تقرّر المدرسة ما يصل في اليوم من تلقاء نفسه ليبقى الخط متاحًا للجميع. وما تفتحه يصل في الحال.",
    }
    example: ClassVar[str] = "agent.content-per-day: 256M"
