"""The administrator's password of firmware: over the laptop in a folder, and over the kernel's tree with a
driver in place of the kernel's. No real machine has one to play with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent.host.firmware import MAKERS, USB, Kept
from tests.contract.firmware_checks import Bios
from tests.contract.firmware_trees import DELL, HP, LENOVO
from tests.contract.subject import refused

FIRST, SECOND, WRONG = "Recess4Two", "Lunch1For2", "Nobody0Knows"


@dataclass(frozen=True)
class Guarded:
    """``real``: the password that it has; ``own``: gives it one by hand; ``told``: what its driver has in
    mind; ``refusals``: how often it refused one; ``restart``: the machine starts anew.
    """

    bios: Bios
    real: Callable[[], str]
    own: Callable[[str], None]
    told: Callable[[], str]
    refusals: Callable[[], int]
    restart: Callable[[], None]


def check_it_is_set_changed_and_removed(machine: Guarded) -> None:
    for maker in (DELL, LENOVO):
        firmware = machine.bios.like(maker)
        machine.own("")
        firmware.change_password(FIRST)
        assert machine.real() == FIRST and firmware.kept() == Kept(FIRST, proved=True)
        admin = firmware.admin()
        assert admin is not None and admin.enabled
        firmware.change_password(SECOND)
        assert machine.real() == SECOND and firmware.kept() == Kept(SECOND, proved=True)
        assert machine.told() == "", "nobody else sets anything with it now"
        firmware.change_password("")
        assert (machine.real(), firmware.kept()) == ("", None)
        assert machine.refusals() == 0
        machine.restart()


def check_settings_are_changed_with_it(machine: Guarded) -> None:
    for maker, known in MAKERS.items():
        firmware, switch = machine.bios.like(maker), known.switches[USB]
        machine.own(FIRST)
        refused("not-allowed", firmware.set, switch.attributes[0], switch.off)
        assert machine.refusals() == 0, "without one nothing is tried"
        firmware.keep(Kept(FIRST))
        firmware.set(switch.attributes[0], switch.off)
        found = firmware.find(switch.attributes[0])
        assert found is not None and found.value == switch.off
        assert firmware.kept() == Kept(FIRST, proved=True)
        assert machine.told() == "" or maker == HP, "HP's driver forgets it by itself"
        firmware.keep(None)
        machine.restart()


def check_a_wrong_one_is_tried_once_in_each_start(machine: Guarded) -> None:
    firmware = machine.bios.like(DELL)
    machine.own(FIRST)
    for starts in (1, 2):
        firmware.keep(Kept(WRONG))
        for _ in range(3):
            said = refused("not-allowed", firmware.set, "UsbEmu", "Disabled")
            refused("not-allowed", firmware.set, "UefiNwStack", "Disabled")
            refused("not-allowed", firmware.change_password, SECOND)
            refused("not-allowed", machine.bios.made().change_password, "")
            assert not any(one in f"{said} {said.remedy}" for one in (FIRST, SECOND, WRONG))
        assert machine.refusals() == starts
        assert firmware.kept() == Kept(WRONG)
        machine.restart()
    firmware.keep(Kept(WRONG))
    refused("not-allowed", firmware.set, "UsbEmu", "Disabled")
    firmware.keep(Kept(FIRST))
    firmware.set("UsbEmu", "Disabled")
    assert (machine.real(), machine.refusals()) == (FIRST, 3), "another is tried at once"


def check_what_was_cut_off_goes_on(machine: Guarded) -> None:
    """The power went while it was changed: whether it had been is not known."""
    firmware = machine.bios.like(DELL)
    machine.own(SECOND)
    firmware.keep(Kept(FIRST, SECOND, proved=True))
    machine.restart()
    refused("not-allowed", firmware.change_password, SECOND)
    assert firmware.kept() == Kept(SECOND, proved=True), "it had gone through"
    machine.own(FIRST)
    firmware.keep(Kept(FIRST, SECOND, proved=True))
    machine.restart()
    firmware.change_password(SECOND)
    assert (machine.real(), firmware.kept()) == (SECOND, Kept(SECOND, proved=True)), "it had not"


def check_where_none_is_shown_none_is_set(machine: Guarded) -> None:
    firmware = machine.bios.like(DELL)
    machine.bios.put(f"{DELL}/authentication/Admin/mechanism", b"certificate\n")
    assert firmware.admin() is None
    refused("not-supported", firmware.change_password, FIRST)
    other = machine.bios.like(HP)
    refused("not-supported", other.change_password, FIRST)
    other.change_password("")  # there is none
    assert machine.real() == ""


def check_nothing_of_it_is_shown(machine: Guarded) -> None:
    assert FIRST not in repr(Kept(FIRST, FIRST)) and "proved" in repr(Kept(FIRST))
    firmware = machine.bios.like(DELL)
    machine.own("")
    firmware.keep(None)
    assert firmware.kept() is None
    firmware.keep(Kept(FIRST, SECOND, proved=True))
    assert machine.bios.made().kept() == Kept(FIRST, SECOND, proved=True)
    firmware.keep(None)
    assert machine.bios.made().kept() is None
