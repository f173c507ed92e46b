"""Settings that are a few words from the loosest to the tightest, such as `allowed` and `blocked`: of several
ranks' words the tightest holds.
"""

from __future__ import annotations

from typing import ClassVar

from agent.policy.bases.setting import Merge
from agent.policy.bases.worded import Worded

#: What most of them are.
ALLOWED, BLOCKED = "allowed", "blocked"


class Graded(Worded):
    """``words``: from the loosest to the tightest."""

    words: ClassVar[tuple[str, ...]] = (ALLOWED, BLOCKED)
    merge: ClassVar[Merge] = Merge.STRICTEST

    def tighter(self, one: object, other: object) -> bool:
        """As `Setting.tighter`."""
        return one in self.words and other in self.words and self.grade(one) > self.grade(other)

    def restricts(self, value: object) -> bool:
        """As `Setting.restricts`."""
        return self.grade(value) > 0

    def grade(self, value: object) -> int:
        """How tight ``value`` is, from 0."""
        return self.words.index(str(value))
