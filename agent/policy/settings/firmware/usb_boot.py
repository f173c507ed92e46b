"""firmware.usb-boot: whether the laptop can be started from a stick."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.host.firmware import USB
from agent.policy.bases.startable_from import TOLD, StartableFrom


class FirmwareUsbBoot(StartableFrom):
    """Sticks that are put in while a system runs are no matter of it."""

    key: ClassVar[str] = "firmware.usb-boot"
    what: ClassVar[str] = USB
    about: ClassVar[str] = (
        "Whether the laptop can be started from USB sticks and disks, by the settings of its firmware; one "
        "whose own system lies on such a disk would not start any more. " + TOLD
    )
    why: ClassVar[Mapping[str, str]] = {
        "en": "Whoever starts a laptop from a stick gets past all that protects what is on it, yours too.",
        "ar": "من يشغّل حاسوباً من ذاكرة USB يتجاوز كل ما يحمي ما عليه، ومنه ما يخصّك.",
    }
    example: ClassVar[str] = "firmware.usb-boot: off"
