"""usb-rules: what is plugged in of a kind of device stays dark, also where its driver is loaded already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from agent.host.base import Host
from agent.policy.bases.peripherals import Closed

UNIT = "systemd-udevd.service"


@dataclass(frozen=True, slots=True)
class UsbRules(Closed):
    """One file of udev's rules, read after the distribution's.

    udev cannot be asked what it will do, so it is not: that the file is as it should be is all that is known.
    """

    kind: ClassVar[str] = "usb-rules"
    about: ClassVar[str] = "Whether a kind of device works when it is plugged in."
    risk: ClassVar[str] = "what udev does with devices it does as root"

    @property
    def path(self) -> str:
        return f"/etc/udev/rules.d/90-bookbag-{self.device}.rules"

    def units(self) -> tuple[str, ...]:
        return (UNIT,)

    def rules(self) -> str:
        usb_class = self.peripheral.usb_class
        match = f'SUBSYSTEM=="usb", ENV{{DEVTYPE}}=="usb_interface", ATTR{{bInterfaceClass}}=="{usb_class}"'
        return f'ACTION=="add", {match}, ATTR{{authorized}}="0"\n'

    def problem(self, host: Host) -> str:
        del host
        return ""
