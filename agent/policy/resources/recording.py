"""recording: whether programs of persons may open what sound is recorded with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from agent.host.base import Host
from agent.policy.bases.fragment import Fragment

UNIT = "systemd-udevd.service"
#: Recording and playing are two devices of one card: who may open the first is all that changes.
_RULE: Final = (
    'ACTION!="remove", SUBSYSTEM=="sound", KERNEL=="pcmC*D*c", '
    'OWNER="root", GROUP="root", MODE="0600", TAG-="uaccess"\n'
)


@dataclass(frozen=True, slots=True)
class Recording(Fragment):
    """One file of udev's rules: after the distribution's, which give devices to who sits there, and before
    what acts on that.

    udev cannot be asked what it will do, so it is not: that the file is as it should be is
    all that is known.
    """

    kind: ClassVar[str] = "recording"
    sole: ClassVar[str] = "microphone"
    about: ClassVar[str] = "Whether programs of persons may record sound."
    risk: ClassVar[str] = "what udev does with devices it does as root"

    blocked: bool = False

    @property
    def path(self) -> str:
        return "/etc/udev/rules.d/71-bookbag-microphone.rules"

    def units(self) -> tuple[str, ...]:
        return (UNIT,)

    def text(self) -> str:
        return _RULE if self.blocked else "# Bookbag: allowed.\n"

    def problem(self, host: Host) -> str:
        del host  # udev cannot be asked, and a worker sees no devices
        return ""
