"""updates.firmware: whether fwupd may be used to renew what the devices of the laptop run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge
from agent.policy.bases.worded import Worded
from agent.policy.resources.service import Service

OFF, LOOKED_FOR = "off", "looked-for"
DAEMON, TIMER = "fwupd.service", "fwupd-refresh.timer"


class UpdatesFirmware(Worded):
    """Whether its daemon can be started, and its own timer. No word here installs anything: what goes to the
    firmware is written at the next start, and nobody knows whether that is in a lesson, or on battery.
    """

    key: ClassVar[str] = "updates.firmware"
    about: ClassVar[str] = (
        "Whether the laptop gets new firmware by fwupd. `off`: nothing can start fwupd, so that neither "
        "GNOME Software nor somebody at the laptop renews firmware; without it Debian lets whoever sits at "
        "the screen, students too, install what the makers have signed. A fwupd that runs already is not "
        "stopped in its work: it starts no more once it has ended. `looked-for`: fwupd looks for new "
        "firmware by its own timer, and people install it. Bookbag installs none, whatever the value: much "
        "of it is written at the next start, which may be in a lesson. A laptop without fwupd does not "
        "support it. Root can still write firmware by other means."
    )
    words: ClassVar[tuple[str, ...]] = (OFF, LOOKED_FOR)
    merge: ClassVar[Merge] = Merge.REPLACE
    powers: ClassVar[str] = "fwupd writes firmware as root"
    why: ClassVar[Mapping[str, str]] = {
        "en": "Firmware that is renewed at the wrong moment can cost a lesson, or the laptop: your school "
        "decides whether that is done here.",
        "ar": "تحديث البرنامج الثابت في وقت غير مناسب قد يضيّع درسًا أو يعطّل الحاسوب، "
        "لذلك تقرر مدرستك هل يجري هنا.",
    }
    example: ClassVar[str] = "updates.firmware: off"

    def compile(self, value: object) -> tuple[Resource, ...]:
        if value == OFF:
            return Service(DAEMON, masked=True), Service(TIMER, masked=True)
        return Service(DAEMON, masked=False), Service(TIMER, masked=False, active=True)
