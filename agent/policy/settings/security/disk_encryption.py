"""security.disk-encryption: whether the disk is encrypted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.host.assurances import DISK
from agent.policy.bases.required import TOLD, Required


class SecurityDiskEncryption(Required):
    """What is mounted at /, /home, /var and /srv, and the swap."""

    key: ClassVar[str] = "security.disk-encryption"
    what: ClassVar[str] = DISK
    about: ClassVar[str] = (
        "That everything a student's data may lie on is encrypted (LUKS), swap too. " + TOLD
    )
    why: ClassVar[Mapping[str, str]] = {
        "en": "Whoever finds or steals a laptop can read nothing on an encrypted disk.",
        "ar": "من يجد حاسوبًا أو يسرقه لا يقرأ شيئًا على قرص معمّى.",
    }
    example: ClassVar[str] = "security.disk-encryption: required"
