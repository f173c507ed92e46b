"""security.root-password: whether root's password gets anybody in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.graded import Graded
from agent.policy.bases.resource import Resource
from agent.policy.resources.root_password import RootPassword

ANY, LOCKED = "any", "locked"


class SecurityRootPassword(Graded):
    """A mark before the hash in shadow, as `passwd --lock` makes it."""

    key: ClassVar[str] = "security.root-password"
    about: ClassVar[str] = (
        "Whether somebody gets in with root's password, also in a rescue shell; locked, administrators use "
        "sudo. A password that is set meanwhile is locked, too, and given back when this is withdrawn. Keys "
        "of ssh are not passwords. Where nobody else may administer the laptop, it is left open, and told."
    )
    words: ClassVar[tuple[str, ...]] = (ANY, LOCKED)
    powers: ClassVar[str] = "it keeps out who gets in by that password"
    why: ClassVar[Mapping[str, str]] = {
        "en": "Nobody gets all power over this laptop by one password that many may know.",
        "ar": "لا ينال أحد كل السلطة على هذا الحاسوب بكلمة مرور واحدة قد يعرفها كثيرون.",
    }
    example: ClassVar[str] = "security.root-password: locked"

    def compile(self, value: object) -> tuple[Resource, ...]:
        return (RootPassword(value == LOCKED),)
