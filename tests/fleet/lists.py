"""Lists of laptops for tests: written as spreadsheets write them, and the laptops that answer."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tests.fleet.desk import NOW, SECRET, Desk, Laptop, deliver

HEAD = ("name", "serial", "school", "year", "class")
CLASS = [(f"lap-{n}", f"S-lap-{n}", "north-high", "9", "9a") for n in range(4)]


def write_list(
    path: Path,
    rows: Iterable[Sequence[str]],
    *,
    head: Sequence[str] = HEAD,
    separator: str = ",",
    bom: bool = False,
) -> Path:
    """A list as a spreadsheet saves it."""
    with open(path, "w", encoding="utf-8-sig" if bom else "utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(head)
        writer.writerows(rows)
    return path


def come_back(desk: Desk, folder: Path, names: Iterable[str], **serials: str) -> dict[str, Laptop]:
    """These laptops use their enrol files, and what they send arrives. ``serials``: of those whose own is not
    that of the list."""
    found: dict[str, Laptop] = {}
    for name in names:
        serial = serials.get(name.replace("-", "_"), f"S-{name}")
        found[name] = Laptop(folder / name, serial=serial)
        deliver(desk, *found[name].enrol(desk, desk.root / "enrol" / f"enrol-{name}.json"))
    return found


def states(value: Mapping[str, object]) -> dict[str, str]:
    """Name → what became of it, from the --json output of either verb."""
    devices = value["devices"]
    assert isinstance(devices, list)
    return {one["name"]: one["state"] for one in devices}


# -- programs that are killed


def _run(directory: Path, *words: str) -> None:
    from agent.fleet.cli.main import main

    os.environ.update(SECRET)
    code = main([*words, "--folder", str(directory / "it"), "--json"], now=lambda: NOW)
    raise SystemExit(code)


def hand_out(directory: Path) -> None:
    """`device --list`."""
    _run(directory, "device", "--list", str(directory / "laptops.csv"))


def assign_all(directory: Path) -> None:
    """`assign --list`."""
    _run(directory, "assign", "--list", str(directory / "laptops.csv"), "--as", "ict-1")
