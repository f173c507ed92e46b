"""accounts.home-permissions: whether people can look into each other's homes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.graded import Graded
from agent.policy.bases.resource import Resource
from agent.policy.resources.homes import Homes

_MODES = {"open": "0755", "private": "0700"}


class AccountsHomePermissions(Graded):
    """The folders themselves; what is in them keeps its own permissions."""

    key: ClassVar[str] = "accounts.home-permissions"
    about: ClassVar[str] = (
        "Who may look into the homes on a laptop, those there and those that come. private: only whose home "
        "it is. open: everybody who has an account, as far as single files let them."
    )
    words: ClassVar[tuple[str, ...]] = tuple(_MODES)
    powers: ClassVar[str] = "`open` lets people look into what others keep (`private` takes one)"
    why: ClassVar[Mapping[str, str]] = {
        "en": "Who can look into your folders on a laptop that others use too was decided by the school.",
        "ar": "قررت المدرسة من يمكنه النظر في مجلداتك على حاسوب يستخدمه غيرك أيضًا.",
    }
    example: ClassVar[str] = "accounts.home-permissions: private"

    def compile(self, value: object) -> tuple[Resource, ...]:
        """As `Setting.compile`."""
        return (Homes(_MODES[str(value)]),)
