"""Settings that say what a laptop can be started from besides its own disk."""

from __future__ import annotations

from typing import ClassVar, Final

from agent.policy.bases.graded import Graded
from agent.policy.bases.resource import Resource
from agent.policy.resources.firmware_switch import ALLOWED, OFF, RISK, FirmwareSwitch

#: For the reference page, after what it is about.
TOLD: Final = (
    "Firmware of Lenovo, Dell and HP is known, as far as the kernel can change it; elsewhere it is told as "
    "not supported. It counts from the next start on, and is told as not effective until then. Where the "
    "firmware has an administrator's password, it takes `firmware.password`. Withdrawn, it is as it was "
    "before."
)


class StartableFrom(Graded):
    """``what``: a key of each maker's switches in `agent.host.firmware`."""

    what: ClassVar[str]
    words: ClassVar[tuple[str, ...]] = (ALLOWED, OFF)
    powers: ClassVar[str] = RISK

    def compile(self, value: object) -> tuple[Resource, ...]:
        """As `Setting.compile`."""
        return (FirmwareSwitch(self.what, value == OFF),)
