"""devices.usb-storage: whether sticks and disks work that are plugged in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.closable import Closable


class DevicesUsbStorage(Closable):
    """Keyboards, mice and everything else of USB go on."""

    key: ClassVar[str] = "devices.usb-storage"
    about: ClassVar[str] = (
        "Whether USB sticks, disks and card readers work. Blocked, their drivers are not loaded any more, "
        "and what is plugged in stays dark; what is in already works until it is taken out. "
        "Sticks that bring news from the school do not get through either. Phones and cameras that show "
        "their pictures themselves are not storage."
    )
    device: ClassVar[str] = "usb-storage"
    why: ClassVar[Mapping[str, str]] = {
        "en": "Whether sticks and disks work on this laptop is the school's decision, because much harm "
        "comes in by them.",
        "ar": "تقرّر المدرسة هل تعمل الذواكر والأقراص على هذا الحاسوب، فكثير من الضرر يأتي منها.",
    }
    example: ClassVar[str] = "devices.usb-storage: blocked"
