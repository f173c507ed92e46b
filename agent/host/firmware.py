"""Settings of the machine's firmware, as far as the kernel shows them in /sys/class/firmware-attributes:
which of each maker's are known here, and what of their texts is believed.

The form of the tree: the kernel's Documentation/ABI/testing/sysfs-class-firmware-attributes. The names:
``thinklmi``: Lenovo's reference of settings by WMI (docs.lenovocdrt.com); the setup screen of ThinkPads calls
the first one "USB UEFI BIOS Support". ThinkStations have a setting of its name with other words, which is
about keyboards, and is left alone because of them. ``dell-wmi-sysman``: the reference of Dell Command |
Configure (UsbEmu is "Enable USB Boot Support", UefiNwStack "Enable UEFI Network Stack"). ``hp-bioscfg``: the
names that HP's setup and its BIOS Configuration Utility show. None was tried on a machine of theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from agent.core.errors import BookbagError

FOLDER: Final = "/sys/class/firmware-attributes"
USB, NETWORK = "usb-boot", "network-boot"
MOST_BYTES: Final = 4096  #: of one file: a page
LONGEST: Final = 512  #: value that is believed
MOST_WRITES: Final = 3  #: of one value that does not stay, within one start of the machine
_CHOICES: Final = 64


@dataclass(frozen=True, slots=True)
class Switch:
    """What switches one thing. ``attributes``: the first has to be there; the others where the firmware has
    them. ``off`` and ``on``: its words.
    """

    attributes: tuple[str, ...]
    off: str
    on: str


@dataclass(frozen=True, slots=True)
class Maker:
    """One driver of the kernel's. ``admin``: what it calls the administrator's password. ``sets``: whether
    it can set a first one, or another. ``empty``: what makes it forget one that it was told, and what removes
    one; "": it forgets by itself.
    """

    switches: Mapping[str, Switch]
    admin: str
    sets: bool = True
    empty: str = "\0"


MAKERS: Final[Mapping[str, Maker]] = {
    "thinklmi": Maker(
        {
            USB: Switch(("USBBIOSSupport",), "Disable", "Enable"),
            NETWORK: Switch(("IPv4NetworkStack", "IPv6NetworkStack"), "Disable", "Enable"),
        },
        "Admin",
    ),
    "dell-wmi-sysman": Maker(
        {
            USB: Switch(("UsbEmu",), "Disabled", "Enabled"),
            NETWORK: Switch(("UefiNwStack",), "Disabled", "Enabled"),
        },
        "Admin",
    ),
    "hp-bioscfg": Maker(
        {
            USB: Switch(("USB Storage Boot",), "Disable", "Enable"),
            NETWORK: Switch(("Network (PXE) Boot",), "Disable", "Enable"),
        },
        "Setup Password",
        sets=False,  # its new_password_store keeps what it is told as the current one
        empty="",
    ),
}
#: No other is ever read or written.
NAMES: Final = frozenset(
    name for maker in MAKERS.values() for switch in maker.switches.values() for name in switch.attributes
)


@dataclass(frozen=True, slots=True)
class Attribute:
    """One setting as it stands. Its value may be one that is not among the possible ones. ``coming``: what
    was set and is shown from the next start on only; "": nothing else than is shown.
    """

    value: str
    possible: tuple[str, ...]
    coming: str = ""


@dataclass(frozen=True, slots=True)
class Admin:
    """The administrator's password. ``enabled``: whether there is one, or the firmware took one that it
    shows from the next start on; ``shown``: whether it shows one. ``settable``: whether the kernel can set or
    change it. How long it may be; 0: that is not said.
    """

    enabled: bool
    shown: bool
    settable: bool
    least: int = 0
    most: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of it on the laptop, to change settings with: orders bring new secrets, and no old ones.

    ``coming``: while it is being changed, to what. ``proved``: whether the firmware took it once.
    """

    current: str = field(default="", repr=False)
    coming: str = field(default="", repr=False)
    proved: bool = False


class Firmware(Protocol):
    """Reads and sets. An attribute that is not of `NAMES` raises ``bad-path``."""

    def maker(self) -> str:
        """A key of `MAKERS`; "" where the kernel shows nothing, or the driver is another."""
        ...

    def find(self, attribute: str) -> Attribute | None:
        """How it stands; None if there is none, or what it says cannot be believed."""
        ...

    def waits(self) -> bool:
        """Whether something that was set takes effect when the machine starts the next time."""
        ...

    def set(self, attribute: str, value: str) -> None:
        """Set it; flash wears out, so nothing is written where it stands so already, nor what was written
        since the machine started and only waits for the next start, nor more than `MOST_WRITES` times
        what does not stay. With the password that is kept, if it takes one.

        Raises ``not-supported`` if there is no such choice, ``not-allowed`` if it takes a password that is
        not kept, or was refused since the machine started, and ``not-effective`` if the firmware does not
        take it or keep it.
        """
        ...

    def admin(self) -> Admin | None:
        """How the administrator's password stands; None if there is none that the kernel shows."""
        ...

    def kept(self) -> Kept | None:
        """What is kept of it. Raises ``state-corrupt``."""
        ...

    def keep(self, kept: Kept | None) -> None:
        """Keep this, durably and for root alone; None: nothing any more."""
        ...

    def change_password(self, new: str) -> None:
        """Set, change or ("") remove it, and keep what it is. Raises as `set`."""
        ...


def check_attribute(attribute: str) -> None:
    """Raise ``bad-path`` for what is not in the table."""
    if attribute not in NAMES:
        raise BookbagError("bad-path", f"cannot use {attribute[:60]!r}: that is no known setting of firmware")


def believed(data: bytes | None) -> str | None:
    """What a file of the tree says; None for what is too long, not printable, or more than one line."""
    if data is None or len(data) > MOST_BYTES:
        return None
    text = data.decode("utf-8", errors="replace").removesuffix("\n")
    return text if text.isprintable() and "\N{REPLACEMENT CHARACTER}" not in text else None


def attribute_of(value: bytes | None, possible: bytes | None) -> Attribute | None:
    """Of the files ``current_value`` and ``possible_values``."""
    said, choices = believed(value), believed(possible)
    if not said or not choices or len(said.encode()) > LONGEST:
        return None
    words = tuple(word for word in choices.split(";") if word)
    return Attribute(said, words) if 0 < len(words) <= _CHOICES else None
