"""accounts.roster: whether a laptop has the accounts that IT gives its students."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge
from agent.policy.bases.worded import Worded
from agent.policy.resources.roster import RISK, Roster

NONE, GIVEN = "none", "given"


class AccountsRoster(Worded):
    """The policy says that accounts come, and nobody's name: every laptop of the site reads it."""

    key: ClassVar[str] = "accounts.roster"
    about: ClassVar[str] = (
        "Whether a laptop has the accounts of the school's roster. given: those that `bookbag-fleet roster` "
        "gives this laptop, sealed, for a policy names no student; until they have come, it waits and says "
        "so. Each has a first password, which only the printed sheet shows and which must be changed at the "
        "first log-in; Bookbag never sets it again, unless IT gives another because it was forgotten. An "
        "account that was there before keeps its password and is never taken away; one that may administer "
        "the laptop is never made so. Withdrawn, or no longer given, an account that nobody used goes; else "
        "it is locked and stays with all that is in its home."
    )
    words: ClassVar[tuple[str, ...]] = (NONE, GIVEN)
    merge: ClassVar[Merge] = Merge.REPLACE
    powers: ClassVar[str] = f"{RISK} (`none` takes one)"
    why: ClassVar[Mapping[str, str]] = {
        "en": "The school made your account, so that the laptop is yours to open with a password that only "
        "you know.",
        "ar": "أنشأت المدرسة حسابك لتفتح الحاسوب بكلمة مرور لا يعرفها أحد سواك.",
    }
    example: ClassVar[str] = "accounts.roster: given"

    def compile(self, value: object) -> tuple[Resource, ...]:
        """As `Setting.compile`."""
        return (Roster(),) if value == GIVEN else ()
