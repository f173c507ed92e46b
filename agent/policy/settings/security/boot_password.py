"""security.boot-password: whether the boot loader asks for a password."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.host.assurances import LOADER
from agent.policy.bases.required import TOLD, Required


class SecurityBootPassword(Required):
    """A superuser with a hashed password in every menu of GRUB."""

    key: ClassVar[str] = "security.boot-password"
    what: ClassVar[str] = LOADER
    about: ClassVar[str] = (
        "That GRUB asks for a password before somebody changes what is started; starting as ever asks "
        "for none. " + TOLD
    )
    why: ClassVar[Mapping[str, str]] = {
        "en": "Changing how the laptop starts takes a password, so that nobody gets around yours.",
        "ar": "يتطلب تغيير طريقة بدء الحاسوب كلمة مرور، حتى لا يلتف أحد على كلمة مرورك.",
    }
    example: ClassVar[str] = "security.boot-password: required"
