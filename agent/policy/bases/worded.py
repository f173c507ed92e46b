"""Settings whose value is one of a few words."""

from __future__ import annotations

from typing import ClassVar

from agent.policy.bases.setting import Setting
from agent.policy.syntax.values import Choice, Type


class Worded(Setting):
    """``words``: in the order in which they are told."""

    words: ClassVar[tuple[str, ...]] = ()
    value: ClassVar[Type] = Choice(())

    def __init_subclass__(cls) -> None:
        cls.value = Choice(cls.words)
