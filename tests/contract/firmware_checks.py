"""Settings of firmware: of a laptop in a folder and of a real one, over trees like each maker's."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.host.firmware import FOLDER, LONGEST, MAKERS, MOST_BYTES, NETWORK, USB, Admin, Attribute, Firmware
from tests.contract.firmware_trees import ADMIN, ATTRIBUTES, DELL, HP, LENOVO, plant
from tests.contract.subject import refused

#: What no firmware of ours can mean.
HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "an empty line": b"\n",
    "two lines": b"Enabled\nDisabled\n",
    "a carriage return": b"Enabled\r\n",
    "binary": b"\x00\xff\xfeEnabled",
    "an escape": b"\x1b[31mEnabled\n",
    "another direction": "Enabled\u202e\n".encode(),
    "a long one": b"E" * (LONGEST + 1),
    "more than a page": b"E" * (MOST_BYTES + 1),
}


@dataclass(frozen=True)
class Bios:
    """``made``: the firmware of a machine whose tree lies below ``folder``."""

    folder: str
    made: Callable[[], Firmware]

    def like(self, maker: str) -> Firmware:
        """A new machine of a maker's."""
        shutil.rmtree(self.folder + FOLDER, ignore_errors=True)
        plant(self.folder, maker)
        return self.made()

    def put(self, place: str, data: bytes) -> None:
        """Write a file of the tree, without the port."""
        Path(self.at(place)).write_bytes(data)

    def text(self, place: str) -> str:
        return Path(self.at(place)).read_text(encoding="utf-8").strip()

    def at(self, place: str) -> str:
        return f"{self.folder}{FOLDER}/{place}"


def check_each_makers_switches_are_found(bios: Bios) -> None:
    for maker, known in MAKERS.items():
        firmware = bios.like(maker)
        assert firmware.maker() == maker and not firmware.waits()
        assert firmware.admin() == Admin(False, False, known.sets, 4, 32)
        assert {*known.switches} == {USB, NETWORK}
        for switch in known.switches.values():
            for name in switch.attributes:
                value, possible = ATTRIBUTES[maker][name]
                assert firmware.find(name) == Attribute(value, tuple(possible.strip(";").split(";")))
                assert {switch.off, switch.on} <= set(possible.split(";"))


def check_a_value_is_set_and_nothing_beside_it(bios: Bios) -> None:
    for maker, known in MAKERS.items():
        firmware = bios.like(maker)
        before = {
            name: firmware.find(name) for switch in known.switches.values() for name in switch.attributes
        }
        name = known.switches[USB].attributes[0]
        firmware.set(name, known.switches[USB].off)
        found = {one: firmware.find(one) for one in before}
        changed = found.pop(name)
        assert changed is not None and changed.value == known.switches[USB].off
        assert bios.text(f"{maker}/attributes/{name}/current_value") == known.switches[USB].off
        assert found.items() <= before.items()


def check_firmware_of_others_is_left_alone(bios: Bios) -> None:
    bios.like(DELL)
    os.rename(bios.at(DELL), bios.at("samsung-galaxybook"))
    firmware = bios.made()
    assert (firmware.maker(), firmware.find("UsbEmu")) == ("", None)
    assert not firmware.waits() and firmware.admin() is None
    refused("not-supported", firmware.set, "UsbEmu", "Disabled")
    assert bios.text("samsung-galaxybook/attributes/UsbEmu/current_value") == "Enabled"
    shutil.rmtree(bios.folder + FOLDER)
    assert (bios.made().maker(), bios.made().find("UsbEmu")) == ("", None)


def check_what_is_not_in_the_table_is_neither_read_nor_written(bios: Bios) -> None:
    firmware = bios.like(DELL)
    for name in ("WakeOnLan", "../authentication/Admin", "", "UsbEmu/current_value", "x" * 5000):
        refused("bad-path", firmware.find, name)
        refused("bad-path", firmware.set, name, "Disabled")
    assert firmware.find("USB Storage Boot") is None, "another maker's"


def check_what_it_says_is_believed_only_if_it_can_be_meant(bios: Bios) -> None:
    firmware = bios.like(DELL)
    for what, data in HOSTILE.items():
        for file in ("current_value", "possible_values"):
            place = f"{DELL}/attributes/UsbEmu/{file}"
            whole = bios.text(place).encode()
            bios.put(place, data)
            assert firmware.find("UsbEmu") is None or file == "possible_values", what
            refused("not-supported", firmware.set, "UsbEmu", "Disabled")
            bios.put(place, whole)
    bios.put(f"{DELL}/attributes/UsbEmu/possible_values", b"a;" * 65)
    assert firmware.find("UsbEmu") is None, "too many to choose from"
    bios.put(f"{DELL}/attributes/UsbEmu/possible_values", b"Disabled;Enabled")
    assert firmware.find("UsbEmu") == Attribute("Enabled", ("Disabled", "Enabled")), "the control"


def check_a_place_that_is_no_file_says_nothing(bios: Bios) -> None:
    firmware = bios.like(DELL)
    place = bios.at(f"{DELL}/attributes/UsbEmu/current_value")
    os.unlink(place)
    assert firmware.find("UsbEmu") is None
    os.mkdir(place)
    assert firmware.find("UsbEmu") is None
    os.rmdir(place)
    os.symlink("/etc/hostname", place)
    assert firmware.find("UsbEmu") is None
    os.unlink(place)
    os.mkfifo(place)
    assert firmware.find("UsbEmu") is None
    for data in HOSTILE.values():
        bios.put(f"{DELL}/attributes/pending_reboot", data)
        bios.put(f"{DELL}/authentication/Admin/is_enabled", data)
        assert not firmware.waits() and firmware.admin() is None


def check_what_cannot_be_chosen_is_not_written(bios: Bios) -> None:
    firmware = bios.like(HP)
    for value in ("Disabled", "disable", "", "Disable;Enable", "Disable\n", "x" * 600):
        refused("not-supported", firmware.set, "USB Storage Boot", value)
    assert bios.text(f"{HP}/attributes/USB Storage Boot/current_value") == "Enable"


def check_behind_a_password_nothing_is_written(bios: Bios) -> None:
    for maker, known in MAKERS.items():
        firmware, name = bios.like(maker), known.switches[USB].attributes[0]
        bios.put(f"{maker}/authentication/{ADMIN[maker]}/is_enabled", b"1\n")
        assert firmware.kept() is None
        said = refused("not-allowed", firmware.set, name, known.switches[USB].off)
        assert "password" in said.message
        firmware.set(name, known.switches[USB].on)  # it stands so already
        bios.put(f"{maker}/authentication/{ADMIN[maker]}/is_enabled", b"0\n")
        firmware.set(name, known.switches[USB].off)
        assert bios.text(f"{maker}/attributes/{name}/current_value") == known.switches[USB].off


def check_what_stands_so_is_not_written_again(bios: Bios) -> None:
    firmware = bios.like(LENOVO)
    place = bios.at(f"{LENOVO}/attributes/USBBIOSSupport/current_value")
    before = os.stat(place)
    firmware.set("USBBIOSSupport", "Enable")
    after = os.stat(place)
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def check_what_waits_for_the_next_start_is_written_once(bios: Bios) -> None:
    """Some firmware goes on showing what was there before."""
    firmware = bios.like(LENOVO)
    place = f"{LENOVO}/attributes/USBBIOSSupport/current_value"
    firmware.set("USBBIOSSupport", "Disable")
    bios.put(place, b"Enable\n")
    bios.put(f"{LENOVO}/attributes/pending_reboot", b"1\n")
    assert firmware.waits()
    firmware.set("USBBIOSSupport", "Disable")
    bios.made().set("USBBIOSSupport", "Disable")
    assert bios.text(place) == "Enable", "it was written once more"
    bios.put(f"{LENOVO}/attributes/pending_reboot", b"0\n")
    firmware.set("USBBIOSSupport", "Disable")
    assert bios.text(place) == "Disable", "nothing waits any more, and it was not taken"
