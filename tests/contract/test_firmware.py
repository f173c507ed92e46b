"""The contract of firmware over the laptop in a folder, and over the kernel's tree as a folder, where a
driver of ours writes in place of the unit that writes and the kernel behind it; tests/contract/test_lab.py
has it with that unit. No firmware of a real machine was ever in these tests.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.host.firmware import Attribute, Firmware, Kept
from agent.host.firmware_tree import DENIED
from agent.host.linux.firmware import KEPT, STARTED, LinuxFirmware
from agent.host.sandbox.laptop import open_sandbox
from agent.host.sandbox.notes import Notes
from tests.contract.checks import FIRMWARE, FIRMWARE_PASSWORD
from tests.contract.firmware_checks import Bios
from tests.contract.firmware_password_checks import FIRST, Guarded
from tests.contract.firmware_trees import ADMIN, DELL, HP
from tests.leaks import REPOSITORY


class Driver:
    """As the kernel's, as far as a folder can be."""

    def __init__(self) -> None:
        self.password, self.told, self.refusals = "", "", 0
        self.wrote: list[str] = []

    def write(self, path: str, data: bytes) -> str:
        name, text = os.path.basename(path), data.decode().strip("\0")
        if name == "current_password":
            self.told = text
            return ""
        if self.password and self.told != self.password:
            self.refusals += 1
            return f"tee: {path}: {DENIED}"
        self.wrote.append(name)
        if name == "new_password":
            self.password = text
            path, text = f"{os.path.dirname(path)}/is_enabled", "1" if text else "0"
        Path(path).write_text(text, encoding="utf-8")
        return ""


def real(folder: Path, driver: Driver | None = None) -> LinuxFirmware:
    """Over ``folder`` in place of /."""
    os.makedirs(os.path.dirname(f"{folder}{STARTED}"), exist_ok=True)
    os.makedirs(Layout(str(folder)).secrets, exist_ok=True)
    return LinuxFirmware(str(folder), (driver or Driver()).write)


def enable(bios: Bios, password: str) -> None:
    """The file that says whether there is one."""
    for maker, admin in ADMIN.items():
        if os.path.isdir(bios.at(maker)):
            bios.put(f"{maker}/authentication/{admin}/is_enabled", b"1\n" if password else b"0\n")


def simulated(folder: Path) -> Firmware:
    firmware = open_sandbox(str(folder)).firmware
    assert firmware is not None
    return firmware


@pytest.mark.parametrize("name", FIRMWARE)
def test_simulated(name: str, tmp_path: Path) -> None:
    FIRMWARE[name](Bios(str(tmp_path), lambda: simulated(tmp_path)))


@pytest.mark.parametrize("name", FIRMWARE)
def test_over_a_tree(name: str, tmp_path: Path) -> None:
    FIRMWARE[name](Bios(str(tmp_path), lambda: real(tmp_path)))


@pytest.mark.parametrize("name", FIRMWARE_PASSWORD)
def test_a_simulated_password(name: str, tmp_path: Path) -> None:
    bios = Bios(str(tmp_path), lambda: simulated(tmp_path))
    notes = Notes(f"{tmp_path}/.sandbox/firmware.json")

    def own(password: str) -> None:
        notes.put("password", password)
        enable(bios, password)

    def text(key: str) -> str:
        return str(notes.read().get(key, ""))

    def refusals() -> int:
        return int(text("refusals") or 0)

    machine = Guarded(
        bios,
        lambda: text("password"),
        own,
        lambda: text("told"),
        refusals,
        lambda: notes.put("started", None),
    )
    FIRMWARE_PASSWORD[name](machine)


@pytest.mark.parametrize("name", FIRMWARE_PASSWORD)
def test_a_password_over_a_tree(name: str, tmp_path: Path) -> None:
    driver = Driver()
    bios = Bios(str(tmp_path), lambda: real(tmp_path, driver))

    def own(password: str) -> None:
        driver.password = password
        enable(bios, password)

    def restart() -> None:
        Path(f"{tmp_path}{STARTED}").unlink(missing_ok=True)

    machine = Guarded(
        bios, lambda: driver.password, own, lambda: driver.told, lambda: driver.refusals, restart
    )
    FIRMWARE_PASSWORD[name](machine)


def test_what_the_kernel_refuses_is_told_and_tried_again(tmp_path: Path) -> None:
    bios = Bios(str(tmp_path), lambda: real(tmp_path))
    bios.like(DELL)
    tried: list[tuple[str, bytes]] = []

    def refuses(path: str, data: bytes) -> str:
        tried.append((path, data))
        return f"tee: {path}: Input/output error"

    bios.put(f"{DELL}/attributes/pending_reboot", b"1")
    for _ in range(2):
        with pytest.raises(BookbagError, match="Input/output error") as caught:
            LinuxFirmware(str(tmp_path), refuses).set("UsbEmu", "Disabled")
        assert caught.value.code == "not-effective"
    assert tried == [(bios.at(f"{DELL}/attributes/UsbEmu/current_value"), b"Disabled")] * 2


class Stubborn:
    """Takes what is written and shows what was there before; ``late``: and says that it waits."""

    def __init__(self, bios: Bios, *, late: bool) -> None:
        self.bios = bios
        self.late = late
        self.wrote: list[bytes] = []

    def __call__(self, path: str, data: bytes) -> str:
        del path
        self.wrote.append(data)
        self.bios.put(f"{DELL}/attributes/pending_reboot", b"1" if self.late else b"0")
        return ""


def test_what_is_shown_later_is_known_until_then(tmp_path: Path) -> None:
    bios = Bios(str(tmp_path), lambda: real(tmp_path))
    bios.like(DELL)
    puts = Stubborn(bios, late=True)
    choices = ("Disabled", "Enabled")
    for _ in range(2):
        LinuxFirmware(str(tmp_path), puts).set("UsbEmu", "Disabled")
        assert LinuxFirmware(str(tmp_path)).find("UsbEmu") == Attribute("Enabled", choices, "Disabled")
    LinuxFirmware(str(tmp_path), puts).set("UsbEmu", "Enabled")
    assert puts.wrote == [b"Disabled", b"Enabled"], "it shows Enabled, and would not be at the next start"
    assert LinuxFirmware(str(tmp_path)).find("UsbEmu") == Attribute("Enabled", choices)


def test_what_does_not_stay_is_written_three_times_in_one_start(tmp_path: Path) -> None:
    bios = Bios(str(tmp_path), lambda: real(tmp_path))
    bios.like(DELL)
    puts = Stubborn(bios, late=False)
    for _ in range(3):
        LinuxFirmware(str(tmp_path), puts).set("UsbEmu", "Disabled")
    for _ in range(3):
        with pytest.raises(BookbagError, match="did not stay so") as caught:
            LinuxFirmware(str(tmp_path), puts).set("UsbEmu", "Disabled")
        assert caught.value.code == "not-effective"
    assert len(puts.wrote) == 3
    os.unlink(f"{tmp_path}{STARTED}")  # as the next start does
    LinuxFirmware(str(tmp_path), puts).set("UsbEmu", "Disabled")
    assert len(puts.wrote) == 4


def test_what_takes_too_long_is_not_written_again_before_the_next_start(tmp_path: Path) -> None:
    bios = Bios(str(tmp_path), lambda: real(tmp_path))
    bios.like(DELL)
    bios.put(f"{DELL}/attributes/pending_reboot", b"1")
    wrote: list[bytes] = []

    def slow(path: str, data: bytes) -> str:
        wrote.append(data)
        raise BookbagError("worker-timeout", f"cannot wait longer for {path}")

    with pytest.raises(BookbagError, match="longer"):
        LinuxFirmware(str(tmp_path), slow).set("UsbEmu", "Disabled")
    LinuxFirmware(str(tmp_path), slow).set("UsbEmu", "Disabled")
    assert wrote == [b"Disabled"]


def test_a_first_password_that_is_not_taken_is_tried_once_in_each_start(tmp_path: Path) -> None:
    """Of those drivers that cannot set a first one."""
    bios = Bios(str(tmp_path), lambda: real(tmp_path))
    bios.like(DELL)
    tried: list[str] = []

    def refuses(path: str, data: bytes) -> str:
        tried.append(path)
        return f"tee: {path}: Operation not supported"

    firmware = LinuxFirmware(str(tmp_path), refuses)
    for code in ("not-effective", "not-allowed", "not-allowed"):
        with pytest.raises(BookbagError) as caught:
            firmware.change_password(FIRST)
        assert caught.value.code == code and FIRST not in str(caught.value)
    assert len(tried) == 1 and firmware.kept() == Kept()


def test_killed_while_it_tries_it_counts_as_tried(tmp_path: Path) -> None:
    bios = Bios(str(tmp_path), lambda: real(tmp_path))
    bios.like(DELL)
    enable(bios, FIRST)
    real(tmp_path).keep(Kept("Wrong1One"))
    tried: list[str] = []

    def killed(path: str, data: bytes) -> str:
        tried.append(path)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        LinuxFirmware(str(tmp_path), killed).set("UsbEmu", "Disabled")
    driver = Driver()
    with pytest.raises(BookbagError, match="since the machine started"):
        real(tmp_path, driver).set("UsbEmu", "Disabled")
    assert tried and driver.wrote == [] and driver.refusals == 0


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"v": 1, "given": 5}', b"\xff", b"{" * 9000])
def test_a_record_that_cannot_be_read_only_costs_a_write(damage: bytes, tmp_path: Path) -> None:
    bios = Bios(str(tmp_path), lambda: real(tmp_path))
    firmware = bios.like(HP)
    bios.put(f"{HP}/attributes/pending_reboot", b"1")
    Path(f"{tmp_path}{STARTED}").write_bytes(damage)
    firmware.set("USB Storage Boot", "Disable")
    assert firmware.find("USB Storage Boot") is not None
    assert real(tmp_path).started().given == {"USB Storage Boot": "Disable"}


def test_what_is_kept_is_roots_alone_and_what_was_tried_is_no_password(tmp_path: Path) -> None:
    driver = Driver()
    firmware = Bios(str(tmp_path), lambda: real(tmp_path, driver)).like(DELL)
    firmware.change_password(FIRST)
    kept = Path(f"{Layout(str(tmp_path)).secrets}/{KEPT}")
    golden = REPOSITORY / "tests/cases/formats/host/firmware-kept.json"
    assert kept.read_bytes() == golden.read_bytes()
    assert firmware.kept() == Kept(FIRST, proved=True)
    assert kept.stat().st_mode & 0o777 == 0o600 == Path(f"{tmp_path}{STARTED}").stat().st_mode & 0o777
    assert FIRST not in Path(f"{tmp_path}{STARTED}").read_text()
    kept.write_bytes(b"[]")
    with pytest.raises(BookbagError, match="cannot read"):
        firmware.kept()
