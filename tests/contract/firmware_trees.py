"""Trees of the form of /sys/class/firmware-attributes, one like each maker's: as their drivers in the kernel
write them, with an attribute besides that is nobody's business here. They are no copies of real machines'.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from agent.host.firmware import FOLDER

LENOVO, DELL, HP = "thinklmi", "dell-wmi-sysman", "hp-bioscfg"
_VERB, _STATE = "Disable;Enable", "Disabled;Enabled;"
ATTRIBUTES: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    LENOVO: {
        "USBBIOSSupport": ("Enable", _VERB),
        "IPv4NetworkStack": ("Enable", _VERB),
        "IPv6NetworkStack": ("Disable", _VERB),
        "WakeOnLAN": ("ACOnly", "Disable;ACOnly;ACandBattery;Enable"),
    },
    DELL: {
        "UsbEmu": ("Enabled", _STATE),
        "UefiNwStack": ("Enabled", _STATE),
        "WakeOnLan": ("LanOnly", "Disabled;LanOnly;WlanOnly;LanWlan;"),
    },
    HP: {
        "USB Storage Boot": ("Enable", _VERB),
        "Network (PXE) Boot": ("Enable", _VERB),
        "After Power Loss": ("Power Off", "Power Off;Power On;Previous State"),
    },
}
ADMIN: Final = {LENOVO: "Admin", DELL: "Admin", HP: "Setup Password"}


def tree(maker: str) -> dict[str, str]:
    """Laptop path → text of each file."""
    top = f"{FOLDER}/{maker}"
    found = {f"{top}/attributes/pending_reboot": "0\n"}
    for name, (value, possible) in ATTRIBUTES[maker].items():
        files = {"current_value": value, "possible_values": possible, "type": "enumeration"}
        found |= {f"{top}/attributes/{name}/{one}": f"{text}\n" for one, text in files.items()}
    admin = {"is_enabled": "0", "role": "bios-admin", "mechanism": "password"}
    admin |= {"min_password_length": "4", "max_password_length": "32"}
    return found | {f"{top}/authentication/{ADMIN[maker]}/{one}": f"{text}\n" for one, text in admin.items()}


def plant(folder: str, maker: str) -> None:
    """Write one maker's tree below ``folder``."""
    for path, text in tree(maker).items():
        os.makedirs(os.path.dirname(folder + path), exist_ok=True)
        Path(folder + path).write_text(text, encoding="utf-8")
