"""accounts.hours: when people may log in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.login_hours import DAYS, RISK, LoginHours, days, minutes
from agent.policy.syntax.nodes import Node, Scalar
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import ListOf, Type, wrong

_DAY = f"({'|'.join(DAYS)})"
_PART = f"{_DAY}(-{_DAY})?"
_HOUR = "([01][0-9]|2[0-3]):[0-5][0-9]"
_PATTERN = f"{_PART}(,{_PART})* {_HOUR}-({_HOUR}|24:00)"


class _Hours:
    """Days and a time of theirs."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return wrong(self, node, problems)
        if not re.fullmatch(_PATTERN, node.value):
            return wrong(self, node, problems)
        if not minutes(node.value):
            why = "it ends before it begins"
            return wrong(self, node, problems, why=why, remedy="write two, of which one ends at 24:00")
        return node.value

    def describe(self) -> str:
        """See `Type`."""
        return 'days and hours such as "mon-thu 07:30-16:00" or "sat,sun 09:00-12:00"'

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return {"type": "string", "pattern": f"^{_PATTERN}$"}


class AccountsHours(Setting):
    """By the laptop's own clock and time zone."""

    key: ClassVar[str] = "accounts.hours"
    about: ClassVar[str] = (
        "When people may log in or unlock the screen, by the laptop's clock; at other hours PAM refuses them "
        "every way in. Whoever is in stays in. Administrators (the group `sudo`) and the system's own users "
        "always get in. It never opens what a lock of the laptop has closed."
    )
    value: ClassVar[Type] = ListOf(_Hours(), most=20)
    merge: ClassVar[Merge] = Merge.REPLACE
    powers: ClassVar[str] = RISK
    why: ClassVar[Mapping[str, str]] = {
        "en": "The school decided at which hours one can log in to this laptop.",
        "ar": "قررت المدرسة الساعات التي يمكن فيها تسجيل الدخول إلى هذا الحاسوب.",
    }
    example: ClassVar[str] = 'accounts.hours: ["mon-thu 07:30-16:00", "fri 07:30-12:00"]'

    def compile(self, value: object) -> tuple[Resource, ...]:
        assert isinstance(value, list)  # noqa: S101
        return (LoginHours([str(one) for one in value]),)

    def tighter(self, one: object, other: object) -> bool:
        return isinstance(one, list) and isinstance(other, list) and _open(one) < _open(other)

    def restricts(self, value: object) -> bool:
        return True


def _open(hours: list[object]) -> frozenset[int]:
    """The minutes of a week in which somebody may log in."""
    return frozenset(
        day * 1440 + minute
        for text in map(str, hours)
        for day in days(text.partition(" ")[0])
        for minute in minutes(text)
    )
