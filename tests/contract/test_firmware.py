"""The contract of firmware over the laptop in a folder, and over the kernel's tree as a folder, where a file
is written in place of the unit that writes; tests/contract/test_lab.py has it with that unit. No firmware of
a real machine was ever in these tests.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.host.firmware import Firmware
from agent.host.linux.firmware import GIVEN, LinuxFirmware
from agent.host.sandbox.laptop import open_sandbox
from tests.contract.checks import FIRMWARE
from tests.contract.firmware_checks import Bios
from tests.contract.firmware_trees import DELL, HP


def written(path: str, data: bytes) -> str:
    Path(path).write_bytes(data)
    return ""


def real(folder: Path) -> LinuxFirmware:
    """Over ``folder`` in place of /."""
    os.makedirs(os.path.dirname(f"{folder}{GIVEN}"), exist_ok=True)
    return LinuxFirmware(str(folder), written)


@pytest.mark.parametrize("name", FIRMWARE)
def test_simulated(name: str, tmp_path: Path) -> None:
    def made() -> Firmware:
        firmware = open_sandbox(str(tmp_path)).firmware
        assert firmware is not None
        return firmware

    FIRMWARE[name](Bios(str(tmp_path), made))


@pytest.mark.parametrize("name", FIRMWARE)
def test_over_a_tree(name: str, tmp_path: Path) -> None:
    FIRMWARE[name](Bios(str(tmp_path), lambda: real(tmp_path)))


def test_what_the_kernel_refuses_is_told_and_tried_again(tmp_path: Path) -> None:
    bios = Bios(str(tmp_path), lambda: real(tmp_path))
    bios.like(DELL)
    tried: list[tuple[str, bytes]] = []

    def refuses(path: str, data: bytes) -> str:
        tried.append((path, data))
        return "Input/output error"

    bios.put(f"{DELL}/attributes/pending_reboot", b"1")
    for _ in range(2):
        with pytest.raises(BookbagError, match="Input/output error") as caught:
            LinuxFirmware(str(tmp_path), refuses).set("UsbEmu", "Disabled")
        assert caught.value.code == "not-effective"
    assert tried == [(bios.at(f"{DELL}/attributes/UsbEmu/current_value"), b"Disabled")] * 2


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"v": 1, "given": 5}', b"\xff", b"{" * 9000])
def test_a_record_that_cannot_be_read_only_costs_a_write(damage: bytes, tmp_path: Path) -> None:
    bios = Bios(str(tmp_path), lambda: real(tmp_path))
    firmware = bios.like(HP)
    bios.put(f"{HP}/attributes/pending_reboot", b"1")
    Path(f"{tmp_path}{GIVEN}").write_bytes(damage)
    firmware.set("USB Storage Boot", "Disable")
    assert Path(f"{tmp_path}{GIVEN}").read_bytes() == b'{"given":{"USB Storage Boot":"Disable"},"v":1}'
