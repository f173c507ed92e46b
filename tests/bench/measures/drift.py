"""How long a tampered file stays wrong, seen from outside the laptop, beside a bare watcher in it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.lab import DRIFT, DRIFT_FILES, RIGHT
from tests.bench.processes import FLOORS
from tests.bench.rows import Bench, Budget, Measured, Promise, Results, Samples
from tests.bench.world import World
from tests.lab.acceptance import school
from tests.lab.guest import end
from tests.lab.laptop import Laptop

MEDIAN = Promise("drift", "tampered file → repaired, median, wall", "ms", Budget(500))
WORST = Promise("drift-p99", "the same, 99th percentile", "ms", Budget(1000), "p99")
BESIDE = "/srv/bench"
PATIENCE = 10.0  #: seconds
COUNT, QUICK_COUNT = 200, 30
#: Seconds from one to the next. A laptop that looks after each event, and after its own repair, has earned
#: the two looks again by then: what is measured is no storm, of which it takes 60 at once.
BETWEEN, QUICK_BETWEEN = 3.0, 1.0


def _write(path: Path) -> None:
    path.write_text("wrong\n")


def _truncate(path: Path) -> None:
    os.truncate(path, 0)


def _rename_over(path: Path) -> None:
    other = path.with_name(".other")
    other.write_text("other\n")
    other.rename(path)


def _unlink(path: Path) -> None:
    path.unlink()


TAMPERINGS: tuple[Callable[[Path], None], ...] = (_write, _truncate, _rename_over, _unlink)


def measure(world: World) -> Results:
    laptop = world.lab.laptop
    count, between = (QUICK_COUNT, QUICK_BETWEEN) if world.quick else (COUNT, BETWEEN)
    for number in range(DRIFT_FILES):
        laptop.write(f"{BESIDE}/{number:02}", RIGHT)
    laptop.write("/root/heal.py", (FLOORS / "heal.py").read_bytes())
    laptop.wait_until(lambda: school.status(laptop)["watch"]["paths"] >= DRIFT_FILES, 30, "its watches")
    floor = laptop.start(
        ["/opt/bookbag/bin/python", "-I", "-S", "/root/heal.py", BESIDE], stdout=subprocess.PIPE
    )
    try:
        assert floor.stdout is not None
        if floor.stdout.readline() != b"ready\n":
            raise RuntimeError("the bare watcher did not start")
        with laptop.group.undisturbed():
            ours, bare = _tamper(laptop, count, between)
    finally:
        end(floor)
    note = (
        f"{count} tamperings of {DRIFT_FILES} files, each written, truncated, renamed over and unlinked in"
        " turn; looked at each ms until content is right again; the laptop goes before what else runs here"
    )
    peers = {"bare inotify and rewrite": Samples.of(bare, 1e3)}
    return {
        MEDIAN.name: Measured(Samples.of(ours, 1e3), peers, note),
        WORST.name: Measured(Samples.of(ours, 1e3), peers),
    }


def _tamper(laptop: Laptop, count: int, between: float) -> tuple[list[float], list[float]]:
    ours: list[float] = []
    bare: list[float] = []
    for number in range(count):
        lap, file = divmod(number, DRIFT_FILES)
        how = TAMPERINGS[(file + lap) % len(TAMPERINGS)]
        for folder, found in ((DRIFT, ours), (BESIDE, bare)):
            found.append(_healed(laptop.path(f"{folder}/{file:02}"), how))
        time.sleep(between)
    return ours, bare


def _healed(path: Path, tamper: Callable[[Path], None]) -> float:
    """Seconds from the tampering to the right content."""
    right = RIGHT.encode()
    tamper(path)
    began = time.monotonic()
    while True:
        try:
            if path.read_bytes() == right:
                return time.monotonic() - began
        except FileNotFoundError:
            pass
        if time.monotonic() - began > PATIENCE:
            raise RuntimeError(f"{path.name} was still wrong after {PATIENCE:g} s ({tamper.__name__})")
        time.sleep(0.001)


BENCH = Bench("drift", (MEDIAN, WORST), measure)
