"""Devices that a policy may close, and what makes them work: drivers, and a class of USB."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from agent.policy.bases.fragment import Fragment


@dataclass(frozen=True, slots=True)
class Peripheral:
    """``modules``: the drivers, as the kernel spells them. ``usb_class``: of its interface, in hex."""

    modules: tuple[str, ...]
    usb_class: str


PERIPHERALS: Final[Mapping[str, Peripheral]] = {
    "camera": Peripheral(("uvcvideo",), "0e"),
    "usb-storage": Peripheral(("uas", "usb_storage"), "08"),
}


@dataclass(frozen=True, slots=True)
class Closed(Fragment):
    """One file about one such device. ``device``: a word of `PERIPHERALS`. ``blocked``: whether it is closed;
    otherwise the file says nothing, in words.
    """

    device: str
    blocked: bool = False

    @property
    def name(self) -> str:
        """The device."""
        return self.device

    @classmethod
    def named(cls, name: str) -> Self:
        """As `Resource.named`."""
        return cls(device=name)

    def rules(self) -> str:
        """What closes the device."""
        raise AttributeError(type(self).__name__)

    def text(self) -> str:
        """As `DropIn.text`."""
        return self.rules() if self.blocked else "# Bookbag: allowed.\n"

    @property
    def peripheral(self) -> Peripheral:
        """What makes it work."""
        return PERIPHERALS[self.device]
