"""firmware.password: the administrator's password of the firmware, by the name of a secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.firmware_password import RISK, FirmwarePassword
from agent.policy.syntax.secretname import SecretName
from agent.policy.syntax.values import Type


class FirmwareAdminPassword(Setting):
    """The desk keeps the value: who repairs the laptop reads it there."""

    key: ClassVar[str] = "firmware.password"
    about: ClassVar[str] = (
        "The administrator's password of the laptop's firmware, which is asked for wherever its settings are "
        "changed. The policy says the name of a secret; `bookbag-fleet secret` keeps its value and gives it "
        "to the laptop, and `bookbag-fleet secret show NAME` tells it to who has to repair one. Letters and "
        "digits only. Set where none is, changed when the secret is, used for `firmware.usb-boot` and "
        "`firmware.network-boot`, and removed when this is withdrawn, if it was set from here. One that "
        "somebody set by hand is used if it is the same. A password that the firmware refuses is tried once "
        "in each start of the laptop. HP's cannot be set through the kernel, and some of Lenovo's only once "
        "a first one was set by hand. The laptop keeps the value for root, as long as its firmware has it."
    )
    value: ClassVar[Type] = SecretName()
    merge: ClassVar[Merge] = Merge.REPLACE
    powers: ClassVar[str] = RISK
    why: ClassVar[Mapping[str, str]] = {
        "en": "A password keeps others from changing what this laptop starts before its system protects it.",
        "ar": "تمنع كلمة المرور الآخرين من تغيير ما يبدأ به هذا الحاسوب قبل أن يحميه نظامه.",
    }
    example: ClassVar[str] = "firmware.password: firmware-admin"

    def compile(self, value: object) -> tuple[Resource, ...]:
        """As `Setting.compile`."""
        return (FirmwarePassword(str(value)),)
