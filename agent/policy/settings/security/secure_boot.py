"""security.secure-boot: whether the firmware starts signed programs only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.host.assurances import SECURE_BOOT
from agent.policy.bases.required import TOLD, Required


class SecuritySecureBoot(Required):
    """The variables of UEFI; a machine without them has none."""

    key: ClassVar[str] = "security.secure-boot"
    what: ClassVar[str] = SECURE_BOOT
    about: ClassVar[str] = (
        "That the firmware says it starts signed programs only (Secure Boot), and takes no new keys. " + TOLD
    )
    why: ClassVar[Mapping[str, str]] = {
        "en": "With Secure Boot nobody starts this laptop with a system that was changed behind your back.",
        "ar": "مع الإقلاع الآمن لا يُشغّل أحد هذا الحاسوب بنظام غُيّر من وراء ظهرك.",
    }
    example: ClassVar[str] = "security.secure-boot: required"
