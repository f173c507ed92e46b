"""Devices that a policy may close, and what makes them work: drivers, and a class of USB."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Peripheral:
    """``modules``: the drivers, as the kernel spells them. ``usb_class``: of its interface, in hex."""

    modules: tuple[str, ...]
    usb_class: str


PERIPHERALS: Final[Mapping[str, Peripheral]] = {
    "camera": Peripheral(("uvcvideo",), "0e"),
    "usb-storage": Peripheral(("uas", "usb_storage"), "08"),
}
ALLOWED_TEXT: Final = "# Bookbag: allowed.\n"
