"""firmware.usb-boot and firmware.network-boot: written once, in the maker's words, told as what it is until
the next start, and given back to the letter.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from agent.core.model import Outcome
from agent.host.firmware import FOLDER, NETWORK, USB
from agent.host.sandbox.firmware import SandboxFirmware
from agent.host.sandbox.notes import Notes
from agent.policy.compiled import Compiled
from tests.contract.firmware_trees import ADMIN, DELL, HP, LENOVO, plant
from tests.policy.machine import Machine, compiled, source

OFF = compiled(source("settings: {firmware.usb-boot: off, firmware.network-boot: off}\n", power=True))
ALLOWED = compiled(
    source("settings: {firmware.usb-boot: allowed, firmware.network-boot: allowed}\n", power=True)
)
IDS = [f"firmware-switch:{what}" for what in (NETWORK, USB)]
WRITTEN = {
    LENOVO: {"USBBIOSSupport": "Disable", "IPv4NetworkStack": "Disable", "IPv6NetworkStack": "Disable"},
    DELL: {"UsbEmu": "Disabled", "UefiNwStack": "Disabled"},
    HP: {"USB Storage Boot": "Disable", "Network (PXE) Boot": "Disable"},
}


def of(machine: Machine, maker: str) -> Path:
    """The attributes of a machine of that maker's."""
    shutil.rmtree(f"{machine.laptop}{FOLDER}")
    plant(str(machine.laptop), maker)
    return Path(f"{machine.laptop}{FOLDER}/{maker}/attributes")


def values(folder: Path) -> dict[str, str]:
    return {one.parent.name: one.read_text().strip() for one in folder.glob("*/current_value")}


def rows(machine: Machine, wanted: object) -> dict[str, tuple[Outcome, str]]:
    ran = machine.apply(wanted)  # type: ignore[arg-type]
    return {one.resource: (one.outcome, one.message) for one in ran.reports}


class Late(SandboxFirmware):
    """Shows what was set from the next start on."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine.host.files, Notes(f"{machine.laptop}/.sandbox/firmware.json"))
        self._top = f"{machine.laptop}{FOLDER}/{LENOVO}/attributes"
        self.wrote: list[tuple[str, str]] = []
        self.coming: dict[str, str] = {}

    def put(self, path: str, data: bytes) -> str:
        attribute = path.split("/")[-2]
        value = data.decode()
        self.wrote.append((attribute, value))
        self.coming[attribute] = value
        Path(f"{self._top}/pending_reboot").write_text("1\n")
        return ""

    def restart(self) -> None:
        for attribute, value in self.coming.items():
            Path(f"{self._top}/{attribute}/current_value").write_text(f"{value}\n")
        self.coming = {}
        Path(f"{self._top}/pending_reboot").write_text("0\n")


@pytest.mark.parametrize("maker", WRITTEN)
def test_each_makers_is_switched_off_and_given_back(machine: Machine, maker: str) -> None:
    folder = of(machine, maker)
    before, state = values(folder), machine.state()
    assert {name: before[name] for name in WRITTEN[maker]} != WRITTEN[maker], "the control"
    assert [one.id for one in machine.plan(OFF).steps] == IDS
    assert set(rows(machine, OFF).values()) == {(Outcome.CHANGED, "")}
    assert values(folder) == before | WRITTEN[maker]
    assert machine.plan(OFF).empty
    assert {outcome for outcome, _ in rows(machine, None).values()} == {Outcome.RESTORED}
    assert (values(folder), machine.state(), machine.undo.resources()) == (before, state, ())


def test_until_the_next_start_it_is_told_as_written_and_no_more(machine: Machine) -> None:
    folder = of(machine, DELL)
    (folder / "pending_reboot").write_text("1\n")
    told = rows(machine, OFF)
    assert {outcome for outcome, _ in told.values()} == {Outcome.NOT_EFFECTIVE}
    assert all("the next start" in text for _, text in told.values())
    times = {one: one.stat().st_mtime_ns for one in folder.glob("*/current_value")}
    assert machine.plan(OFF).empty and rows(machine, OFF) == told
    (folder / "pending_reboot").write_text("0\n")
    assert set(rows(machine, OFF).values()) == {(Outcome.IN_FORCE, "")}
    assert {one: one.stat().st_mtime_ns for one in folder.glob("*/current_value")} == times


def late_lenovo(machine: Machine) -> tuple[Path, Late]:
    folder, late = of(machine, LENOVO), Late(machine)
    machine.host = replace(machine.host, firmware=late)
    return folder, late


def test_what_shows_at_the_next_start_only_is_told_as_such_and_written_once(machine: Machine) -> None:
    folder, late = late_lenovo(machine)
    before = values(folder)
    for _ in range(3):
        told = rows(machine, OFF)
        assert {outcome for outcome, _ in told.values()} == {Outcome.NOT_EFFECTIVE}
        assert all("the next start" in text for _, text in told.values())
        assert set(late.wrote) == {("USBBIOSSupport", "Disable"), ("IPv4NetworkStack", "Disable")}
        assert len(late.wrote) == 2
    late.restart()
    assert set(rows(machine, OFF).values()) == {(Outcome.IN_FORCE, "")}
    assert values(folder) == before | WRITTEN[LENOVO]
    for _ in range(2):
        assert {outcome for outcome, _ in rows(machine, None).values()} == {Outcome.NOT_YET}
        assert len(late.wrote) == 4
    late.restart()
    rows(machine, None)
    assert (values(folder), machine.undo.resources()) == (before, ())


@pytest.mark.parametrize("then", [None, ALLOWED])
def test_what_is_taken_back_before_it_shows_does_not_come(machine: Machine, then: Compiled | None) -> None:
    """All the time it shows what was there before any policy."""
    folder, late = late_lenovo(machine)
    before = values(folder)
    rows(machine, OFF)
    assert values(folder) == before and late.coming.items() <= WRITTEN[LENOVO].items(), "or it shows nothing"
    told = rows(machine, then)
    assert {outcome for outcome, _ in told.values()} <= {Outcome.RESTORED, Outcome.NOT_EFFECTIVE}
    assert "Disable" not in late.coming.values()
    late.restart()
    rows(machine, then)
    assert values(folder).items() >= {"USBBIOSSupport": "Enable", "IPv4NetworkStack": "Enable"}.items()
    rows(machine, None)
    late.restart()
    rows(machine, None)
    assert (values(folder), machine.undo.resources()) == (before, ())


def test_while_the_kernel_shows_no_firmware_nothing_is_forgotten(machine: Machine) -> None:
    """A driver that comes late, or not with every kernel."""
    folder = of(machine, DELL)
    before = values(folder)
    machine.apply(OFF)
    aside = folder.parent.rename(f"{machine.laptop}/aside")
    for _ in range(2):
        assert {outcome for outcome, _ in rows(machine, None).values()} == {Outcome.NOT_YET}
    aside.rename(folder.parent)
    assert {outcome for outcome, _ in rows(machine, None).values()} == {Outcome.RESTORED}
    assert (values(folder), machine.undo.resources()) == (before, ())


def test_what_renewed_firmware_has_no_choice_of_any_more_stays_and_is_no_failure_for_ever(
    machine: Machine,
) -> None:
    folder = of(machine, LENOVO)
    before = values(folder)
    machine.apply(OFF)
    (folder / "USBBIOSSupport/possible_values").write_text("Disable;Locked\n")
    (folder / "IPv6NetworkStack/possible_values").write_text("Enable\n")
    told = rows(machine, None)
    assert [told[one][0] for one in IDS] == [Outcome.RESTORED, Outcome.KEPT], "IPv6 was as it is"
    assert values(folder) == before | {"USBBIOSSupport": "Disable"}
    assert machine.undo.resources() == ()


def test_allowed_is_any_way_in_and_none_where_there_was_none(machine: Machine) -> None:
    folder = of(machine, LENOVO)
    before = values(folder)
    assert machine.plan(ALLOWED).empty, "IPv6 stays as it is: IPv4 is a way"
    machine.apply(OFF)
    machine.apply(ALLOWED)
    assert values(folder) == before | {"IPv6NetworkStack": "Enable"}
    machine.apply(None)
    assert values(folder) == before


def test_where_firmware_has_no_second_way_the_first_is_enough(machine: Machine) -> None:
    folder = of(machine, LENOVO)
    shutil.rmtree(folder / "IPv6NetworkStack")
    assert set(rows(machine, OFF).values()) == {(Outcome.CHANGED, "")}
    shutil.rmtree(folder / "IPv4NetworkStack")
    assert rows(machine, OFF)[IDS[0]][0] is Outcome.NOT_SUPPORTED


def test_behind_a_password_it_fails_and_is_said_why(machine: Machine) -> None:
    folder = of(machine, HP)
    before = values(folder)
    admin = folder.parent / "authentication" / ADMIN[HP] / "is_enabled"
    admin.write_text("1\n")
    told = rows(machine, OFF)
    assert {outcome for outcome, _ in told.values()} == {Outcome.FAILED}
    assert all("administrator's password" in text for _, text in told.values())
    assert values(folder) == before
    admin.write_text("0\n")
    assert set(rows(machine, OFF).values()) == {(Outcome.CHANGED, "")}


@pytest.mark.parametrize("maker", ["", "samsung-galaxybook"])
def test_firmware_that_nobody_knows_here_is_not_supported(machine: Machine, maker: str) -> None:
    folder = of(machine, DELL)
    if maker:
        folder.parent.rename(folder.parents[1] / maker)
    else:
        shutil.rmtree(folder.parent)
    told = rows(machine, OFF)
    assert {outcome for outcome, _ in told.values()} == {Outcome.NOT_SUPPORTED}
    assert not machine.apply(OFF).failed and machine.undo.resources() == ()


def test_whoever_changes_it_in_the_setup_is_overruled_and_after_policy_is_not(machine: Machine) -> None:
    folder = of(machine, DELL)
    machine.apply(OFF)
    (folder / "UsbEmu/current_value").write_text("Enabled\n")
    assert rows(machine, OFF)[IDS[1]][0] is Outcome.HEALED
    (folder / "UefiNwStack/possible_values").write_text("Disabled;Enabled;AutoEnabled;\n")
    (folder / "UefiNwStack/current_value").write_text("AutoEnabled\n")
    told = rows(machine, None)
    assert [told[one][0] for one in IDS] == [Outcome.KEPT, Outcome.RESTORED]
    assert values(folder)["UefiNwStack"] == "AutoEnabled"


def test_a_disk_in_another_laptop_writes_nothing_of_the_first_ones(machine: Machine) -> None:
    of(machine, DELL)
    machine.apply(OFF)
    folder = of(machine, LENOVO)
    before = values(folder)
    told = rows(machine, None)
    assert {told[one][0] for one in IDS} == {Outcome.KEPT}
    assert (values(folder), machine.undo.resources()) == (before, ())


def test_nor_after_policy_went_on_in_the_other_one(machine: Machine) -> None:
    of(machine, DELL)
    machine.apply(OFF)
    folder = of(machine, LENOVO)
    assert machine.apply(OFF).failed == ()
    assert values(folder).items() >= WRITTEN[LENOVO].items()
    assert {outcome for outcome, _ in rows(machine, None).values()} == {Outcome.KEPT}
    assert machine.undo.resources() == ()
