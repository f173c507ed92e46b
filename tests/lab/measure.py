"""What a laptop's services cost in memory and time, read from outside: measuring costs them nothing."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tests.lab import cgroups
from tests.lab.errors import LabError
from tests.lab.guest import Guest


def unit_group(laptop: Guest, unit: str) -> Path:
    """The folder of a running unit's control group on this machine. Raises `LabError` if it is not."""
    inside = laptop.run(["systemctl", "show", "--property=ControlGroup", "--value", unit]).stdout.strip()
    if not inside:
        raise LabError(f"cannot measure {unit} of {laptop.name}: it is not running")
    return laptop.group.path / "payload" / inside.lstrip("/")


def unit_pids(laptop: Guest, unit: str) -> list[int]:
    """A unit's processes, as this machine numbers them. Raises `LabError` when it does not run."""
    return cgroups.pids(unit_group(laptop, unit))


def unit_pss(laptop: Guest, unit: str) -> int:
    """Bytes of memory a unit takes: the proportional set size (PSS) of all its processes."""
    return sum(_pss(pid) for pid in unit_pids(laptop, unit))


def unit_memory(laptop: Guest, unit: str) -> int | None:
    """Bytes charged to a unit, page cache included, or None where cgroup 2 counts no memory."""
    counter = unit_group(laptop, unit) / "memory.current"
    return int(counter.read_text(encoding="ascii")) if counter.exists() else None


def unit_cpu(laptop: Guest, unit: str) -> float:
    """Seconds of processor time that a unit has used since it started, ended processes included."""
    for line in (unit_group(laptop, unit) / "cpu.stat").read_text(encoding="ascii").splitlines():
        name, value = line.split()
        if name == "usage_usec":
            return int(value) / 1e6
    raise LabError(f"cannot read the processor time of {unit}: the kernel does not count it")


def _pss(pid: int) -> int:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it may end while we look
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
