"""Sensors of a real machine: what other programs and the kernel say too, and what odd firmware says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from agent.host.base import Battery
from agent.host.linux.sensors import LinuxSensors
from agent.host.sandbox.sensors import SandboxSensors
from tests.leaks import REPOSITORY


@pytest.mark.needs("df")
def test_they_agree_with_other_programs_and_the_kernel() -> None:
    sensors = LinuxSensors()
    disk, memory, cpu = sensors.disk(), sensors.memory(), sensors.cpu()
    assert disk is not None and memory is not None and cpu is not None
    said = subprocess.run(["df", "-B1", "--output=size,avail", "/"], capture_output=True, check=True).stdout
    size, free = (int(word) for word in said.split()[-2:])
    assert disk[0] == size and abs(disk[1] - free) < 1 << 30
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    assert memory[0] == int(lines["MemTotal"].split()[0]) << 10
    assert abs(memory[1] - (int(lines["MemAvailable"].split()[0]) << 10)) < memory[0] // 5
    ticks = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    whole, idle = sum(ticks) * 10, (ticks[3] + ticks[4]) * 10
    assert os.sysconf("SC_CLK_TCK") == 100
    assert abs(cpu[1] - whole) < 0.02 * whole + 30_000
    assert abs((cpu[1] - cpu[0]) - idle) < 0.02 * whole + 30_000


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    (tmp_path / "sys/class/power_supply").mkdir(parents=True)
    return tmp_path


def supply(machine: Path, name: str, **said: object) -> None:
    folder = machine / "sys/class/power_supply" / name
    folder.mkdir(exist_ok=True)
    for file, value in said.items():
        (folder / file).write_text(f"{value}\n")


def test_a_laptops_battery(machine: Path) -> None:
    supply(machine, "AC", type="Mains")
    supply(
        machine, "BAT0", type="Battery", capacity=83, energy_full=30_000_000, energy_full_design=50_000_000
    )
    supply(machine, "BAT0", cycle_count=412)
    supply(machine, "hidpp_battery_0", type="Battery", scope="Device", capacity=5)
    assert LinuxSensors(str(machine)).battery() == Battery(83, 60, 412)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"type": "Battery"}, Battery(None)),
        ({"type": "Battery", "capacity": "", "cycle_count": 0}, Battery(None)),
        ({"type": "Battery", "capacity": 50, "charge_full": 90, "charge_full_design": 100}, Battery(50, 90)),
        ({"type": "Battery", "capacity": 50, "charge_full": 9999, "charge_full_design": 1}, Battery(50, 120)),
        ({"type": "Battery", "capacity": "Lina's", "energy_full": "½"}, Battery(None)),
        ({"type": "Battery", "capacity": 9 * 10**40}, Battery(None)),
        ({"type": "Mains"}, None),
        ({}, None),
    ],
)
def test_odd_firmware(machine: Path, said: dict[str, object], expected: Battery | None) -> None:
    supply(machine, "BAT1", **said)
    assert LinuxSensors(str(machine)).battery() == expected


def test_a_machine_that_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "PROCFS_PATH", f"{tmp_path}/proc")
    sensors = LinuxSensors(str(tmp_path))
    assert (sensors.battery(), sensors.memory(), sensors.cpu()) == (None,) * 3
    assert sensors.chassis() == "other" and sensors.restart_needed() is False
    assert LinuxSensors("/nowhere").disk() is None
    (tmp_path / "proc").mkdir()
    for stat in ("", "cpu 1 2", "cpu a b c d e f g h", "intr 5", "cpu " + "9 " * 3):
        (tmp_path / "proc/stat").write_text(stat)
        assert sensors.cpu() is None
    for info in ("", "MemTotal: 5", "MemTotal: x kB\nMemAvailable: 1 kB", "\0" * 100):
        (tmp_path / "proc/meminfo").write_text(info)
        assert sensors.memory() is None


@pytest.mark.parametrize(
    ("kind", "vendor", "expected"),
    [
        (10, "LENOVO", "laptop"),
        (31, "Acer", "convertible"),
        (3, "QEMU", "virtual"),
        (3, "Dell", "desktop"),
        (99, "Dell", "other"),
        (30, "Asus", "tablet"),
    ],
)
def test_the_kind_of_case(tmp_path: Path, kind: int, vendor: str, expected: str) -> None:
    folder = tmp_path / "sys/class/dmi/id"
    folder.mkdir(parents=True)
    (folder / "chassis_type").write_text(f"{kind}\n")
    (folder / "sys_vendor").write_text(f"{vendor}\n")
    assert LinuxSensors(str(tmp_path)).chassis() == expected


HEAT = "from agent.host.linux.sensors import LinuxSensors; print(LinuxSensors().temperature())"


def temperature(classes: Path) -> str:
    """What is measured where ``classes`` is /sys/class: in a mount namespace, for psutil knows one place."""
    inner = 'mount --bind "$1" /sys/class && exec "$2" -c "$3"'
    argv = ["unshare", "--map-root-user", "--mount", "sh", "-c", inner, "sh", str(classes)]
    argv += [sys.executable, HEAT]
    ended = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def chip(classes: Path, number: int, kind: str, *heats: str) -> None:
    """One of the chips that measure."""
    folder = classes / f"hwmon/hwmon{number}"
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{kind}\n")
    for place, heat in enumerate(heats, 1):
        (folder / f"temp{place}_input").write_text(f"{heat}\n")


@pytest.mark.needs("unshare", "mount")
@pytest.mark.parametrize(
    ("chips", "expected"),
    [
        ([("acpitz", "27800"), ("nvme", "40000"), ("coretemp", "61000", "58000")], "61"),
        ([("acpitz", "27800"), ("k10temp", "48250")], "48"),
        ([("iwlwifi_1", "x"), ("cpu0_thermal", "39000")], "39"),
        ([("coretemp", "x"), ("acpitz", "27800")], "27"),
        ([("nvme", "40000"), ("BAT0", "30000")], "None"),
        ([("coretemp", "nan")], "None"),
        ([("coretemp", "-"), ("acpitz", "")], "None"),
        ([], "None"),
    ],
)
def test_the_processors_own_chip_comes_first(
    tmp_path: Path, chips: list[tuple[str, ...]], expected: str
) -> None:
    for number, one in enumerate(chips):
        chip(tmp_path, number, *one)
    assert temperature(tmp_path) == expected


@pytest.mark.needs("unshare", "mount")
def test_where_no_chip_measures_the_zones_count(tmp_path: Path) -> None:
    for number, (kind, heat) in enumerate((("acpitz", "27800"), ("x86_pkg_temp", "61000"), ("iwlwifi", "x"))):
        folder = tmp_path / f"thermal/thermal_zone{number}"
        folder.mkdir(parents=True)
        (folder / "type").write_text(kind)
        (folder / "temp").write_text(heat)
    assert temperature(tmp_path) == "61"


def test_a_restart_that_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/reboot-required").write_text("*** System restart required ***")
    assert LinuxSensors(str(tmp_path)).restart_needed() is True


def test_a_laptop_in_a_folder_has_sensors_of_its_own(tmp_path: Path) -> None:
    twelve = [SandboxSensors(str(tmp_path / f"{number}.json")) for number in range(12)]
    seen = {(one.battery(), one.disk(), one.memory()) for one in twelve}
    assert len(seen) > 6, "twelve different laptops"
    assert twelve[0].battery() == SandboxSensors(str(tmp_path / "0.json")).battery()
    (tmp_path / "0.json").write_text(
        json.dumps({"battery-level": 7, "chassis": "toaster", "disk-total": "x"})
    )
    assert twelve[0].battery() == Battery(7)
    assert (twelve[0].chassis(), twelve[0].disk(), twelve[0].cpu()) == ("other", None, None)
    for damaged in ("", "[]", "{" * 9000):
        (tmp_path / "0.json").write_text(damaged)
        assert twelve[0].battery() is None
