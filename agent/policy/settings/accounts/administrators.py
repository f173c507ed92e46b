"""accounts.administrators: who may become root on the laptop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.administration import ADMINISTRATORS, NAME
from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.administrators import RISK, Administrators
from agent.policy.resources.group import Group
from agent.policy.syntax.values import ListOf, Type


class AccountsAdministrators(Setting):
    """sudo's own rules, and the group that the desktop asks for where it wants an administrator."""

    key: ClassVar[str] = "accounts.administrators"
    about: ClassVar[str] = (
        "Who may use sudo and is an administrator to the desktop (the group `sudo`), and nobody else, "
        "whatever sudo's other files say; root itself is not touched. Names without an account on a laptop "
        "are passed over there; where none of them has one, nothing changes, and that is reported."
    )
    value: ClassVar[Type] = ListOf(NAME, most=50)
    merge: ClassVar[Merge] = Merge.REPLACE
    powers: ClassVar[str] = RISK
    why: ClassVar[Mapping[str, str]] = {
        "en": "Only those whom the school names can change the laptop itself, so that it stays as it "
        "should be for lessons.",
        "ar": "لا يغيّر الحاسوب نفسه إلا من تسمّيهم المدرسة، ليبقى صالحًا للدروس.",
    }
    example: ClassVar[str] = "accounts.administrators: [ict]"

    def compile(self, value: object) -> tuple[Resource, ...]:
        assert isinstance(value, list)  # noqa: S101
        names = [str(one) for one in value]
        return Administrators(names), Group(ADMINISTRATORS, members=names, only=True)

    def tighter(self, one: object, other: object) -> bool:
        return isinstance(one, list) and isinstance(other, list) and set(one) < set(other)
