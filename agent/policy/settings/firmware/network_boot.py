"""firmware.network-boot: whether the laptop can be started from a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.host.firmware import NETWORK
from agent.policy.bases.startable_from import TOLD, StartableFrom


class FirmwareNetworkBoot(StartableFrom):
    """PXE, over IPv4 and IPv6."""

    key: ClassVar[str] = "firmware.network-boot"
    what: ClassVar[str] = NETWORK
    about: ClassVar[str] = (
        "Whether the laptop can be started from a network (PXE), by the settings of its firmware. " + TOLD
    )
    why: ClassVar[Mapping[str, str]] = {
        "en": "A laptop that starts what a network hands it belongs to whoever runs that network.",
        "ar": "الحاسوب الذي يشغّل ما تعطيه إياه شبكةٌ ما يصبح مُلك من يدير تلك الشبكة.",
    }
    example: ClassVar[str] = "firmware.network-boot: off"
