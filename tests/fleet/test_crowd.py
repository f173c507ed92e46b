"""A stick on which somebody has put a million things: what the desk, the sync worker and root's verification
spend on them is counted in system calls and memory, never in time.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.daemon import wiring
from agent.fleet.stick import FORMAT, MOST_ENTRIES, MOST_REFUSED, MOST_REMOVED
from agent.trust.identity import mailbox_name
from tests.conftest import Rounds
from tests.daemon.laptop import SandboxLaptop
from tests.fleet.desk import Desk, make_desk
from tests.leaks import REPOSITORY

Record = Callable[[str, object], None]
#: What a run may cost beyond the same run on a clean stick: the crowd is not seen, or hardly.
CALLS = 300
KIB = 16 << 10
#: What the desk may spend on a crowd of any size: a stat, an open or an unlink for each thing it looks at.
DESK_CALLS = 4 * (MOST_REFUSED + MOST_REMOVED) + MOST_ENTRIES // 10
DESK_KIB = 64 << 10


@dataclass(frozen=True)
class Cost:
    """What one process and its children spent."""

    calls: int  #: system calls
    kib: int  #: peak resident memory
    out: str


#: Runs a module as ``python -m`` does, and leaves its peak memory behind. (What a parent sees of its child
#: begins with the parent's own size.)
MEASURED = """
import atexit, resource, runpy, sys
place, module = sys.argv[1:3]
del sys.argv[:2]
atexit.register(lambda: open(place, "w").write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)))
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


def cost(argv: list[str], log: Path, *, stdin: str = "", **environment: str) -> Cost:
    """What ``python -m`` with these words spends, counted by strace."""
    peak = log.with_suffix(".peak")
    counted = ["strace", "-f", "-c", "-U", "calls,name", "-o", str(log)]
    done = subprocess.run(
        [*counted, sys.executable, "-c", MEASURED, str(peak), *argv],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    total = re.search(r"^ *(\d+) total$", log.read_text(), re.MULTILINE)
    assert total and peak.exists(), done.stderr
    return Cost(int(total[1]), int(peak.read_text()), done.stdout)


def crowd(stick: Path, count: int) -> None:
    """Put ``count`` empty files, links, hard links and FIFOs into the three folders of a stick."""
    (stick / "returns").mkdir(exist_ok=True)
    for folder, name in (
        ("metadata", "{}.root.json"),
        ("targets", "{}.trust.json"),
        ("returns", "enrol-{:032x}"),
    ):
        at = os.open(stick / folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for number in range(1_000_000, 1_000_000 + count // 3):
                _one(at, name.format(number), number)
        finally:
            os.close(at)


def _one(folder: int, name: str, number: int) -> None:
    twin = f"twin-{number // 40_000}"  # a file has 65,000 names at most
    match number % 4:
        case 0:
            os.symlink("/etc/shadow", name, dir_fd=folder)
        case 1:
            os.mkfifo(name, dir_fd=folder)
        case 2:
            os.close(os.open(name, os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=folder))
        case _:
            os.close(os.open(twin, os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=folder))
            os.link(twin, name, src_dir_fd=folder, dst_dir_fd=folder)


@dataclass(frozen=True)
class Courier:
    """A desk, an enrolled laptop that knows its site already, and a stick with news."""

    desk: Desk
    laptop: Path
    stick: Path

    def sync(self, laptop: SandboxLaptop, log: Path) -> Cost:
        identity = wiring.identity_of(laptop.layout)
        assert identity is not None
        request = {
            "op": "round",
            "site": "north",
            "urls": [],
            "from": str(self.stick),
            "mailbox": mailbox_name("north", identity.id),
            "at": int(time.time()),
        }
        return cost(worker("sync", laptop), log, stdin=json.dumps(request) + "\n")

    def carry(self, log: Path) -> Cost:
        argv = ["agent.fleet.cli.main", "stick", str(self.stick), "--json", "--folder", str(self.desk.root)]
        return cost(argv, log, **self.desk.environ)


def worker(name: str, laptop: SandboxLaptop) -> list[str]:
    return ["agent", "worker", name, "--root", str(laptop.folder)]


@pytest.fixture
def courier(tmp_path: Path) -> Iterator[Courier]:
    try:
        desk = make_desk(tmp_path / "it", now=int(time.time()))
        desk.policy("first")
        desk.publish()
        enrol = desk.run("device", "lina").value["file"]
        (tmp_path / "lina").mkdir()
        laptop = SandboxLaptop(tmp_path / "lina")
        assert laptop.cli("enrol", str(enrol)).returncode == 0
        made = Courier(desk, laptop.folder, tmp_path / "stick")
        made.stick.mkdir()
        desk.run("stick", str(made.stick))
        yield made
    finally:
        for name in ("stick", "lina", "clean"):  # a million files are not kept for three runs, as others are
            subprocess.run(["rm", "-rf", str(tmp_path / name)], check=True)


def result(found: Cost) -> dict[str, object]:
    """The result event of a worker."""
    for line in found.out.splitlines():
        event = json.loads(line)
        if event["event"] == "result":
            said: dict[str, object] = event["result"]
            return said
    raise AssertionError(found.out)


@pytest.mark.needs("strace")
@pytest.mark.slow
@pytest.mark.soak(sample=True)
def test_a_million_things_on_a_stick_cost_nobody_anything(
    courier: Courier, tmp_path: Path, soak_rounds: Rounds, record_property: Record
) -> None:
    count = soak_rounds(sample=30_000, full=1_000_000)
    clean, lina = SandboxLaptop(tmp_path / "clean"), SandboxLaptop(courier.laptop)
    shutil.copytree(lina.folder, clean.folder, symlinks=True)
    before = {
        "sync": courier.sync(clean, tmp_path / "1"),
        "verify": cost(worker("enforce", clean), tmp_path / "2", stdin='{"op":"refresh"}\n'),
        "desk": courier.carry(tmp_path / "3"),
    }
    assert result(before["sync"])["news"] is True
    assert result(before["verify"])["outcomes"]

    crowd(courier.stick, count)
    after = {"sync": courier.sync(lina, tmp_path / "4")}
    assert result(after["sync"])["news"] is True

    mirror = Path(lina.layout.mirror)  # root meets the same crowd, though the sync user would not bring it
    mirror.rename(tmp_path / "fetched")
    courier.stick.rename(mirror)
    after["verify"] = cost(worker("enforce", lina), tmp_path / "5", stdin='{"op":"refresh"}\n')
    mirror.rename(courier.stick)
    assert result(after["verify"])["outcomes"] == result(before["verify"])["outcomes"]

    after["desk"] = courier.carry(tmp_path / "6")
    told = json.loads(after["desk"].out)
    assert {one["why"] for one in told["refused"] if one["name"].endswith("/")} == {FORMAT}
    assert len(told["refused"]) <= MOST_REFUSED + 2
    assert told["removed"] <= MOST_REMOVED

    rows = [
        f"{name} {now.calls - before[name].calls:+} calls, {now.kib - before[name].kib:+} KiB"
        for name, now in after.items()
    ]
    record_property("soak", f"a stick with {count} strange things: {'; '.join(rows)}")
    for name, now in after.items():
        calls, kib = (DESK_CALLS, DESK_KIB) if name == "desk" else (CALLS, KIB)
        assert now.calls <= before[name].calls + calls, rows
        assert now.kib <= before[name].kib + kib, rows
