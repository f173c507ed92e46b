"""What the agent costs while nothing happens, in a laptop of the lab: memory, processor, wake-ups."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from agent.daemon.jobs import WORKERS
from tests.bench.processes import FLOORS
from tests.bench.rows import Bench, Budget, Measured, Promise, Results, Samples
from tests.bench.world import World
from tests.lab import measure as lab_measure
from tests.lab.acceptance import school
from tests.lab.laptop import Laptop

MEMORY = Promise("memory", "idle agent, all its processes, after 60 s, PSS as if alone", "MiB", Budget(13))
CPU = Promise("idle-cpu", "idle for an hour, syncs and sweeps included, CPU", "% of a core", Budget(0.1))
SWITCHES = Promise("idle-switches", "the same hour, context switches", "per s", Budget(0.2))

SLICE = "bookbag.slice"
FLOOR = "bench-floor.service"
SETTLE = 60.0
PER_HOUR = 4  #: polls, and sweeps, each 15 minutes
#: Mapped by every process of a Debian, so that sharing them costs nobody anything.
EVERYBODYS = ("/libc.so", "/ld-linux", "/libm.so", "/locale/", "gconv-modules.cache")


def measure(world: World) -> Results:
    laptop = world.lab.laptop
    laptop.write("/root/floor.py", (FLOORS / "resident.py").read_bytes())
    bare = ["/opt/bookbag/bin/python", "-I", "-S", "/root/floor.py", "/run/floor.sock"]
    laptop.run(["systemd-run", "--quiet", f"--unit={FLOOR}", "--property=Slice=bench.slice", *bare])
    try:
        time.sleep(SETTLE)
        with laptop.group.undisturbed():
            memory = _memory(laptop)
            idle = _idle(laptop, 20 if world.quick else 120)
            return {MEMORY.name: memory, **_hour(world, laptop, *idle)}
    finally:
        laptop.run(["systemctl", "stop", FLOOR], check=False)


# -- memory


def _memory(laptop: Laptop) -> Measured:
    ours, floor, plain = [], [], []
    for _ in range(5):
        pids = lab_measure.unit_pids(laptop, SLICE)
        ours.append(sum(alone(pid) for pid in pids) / 2**20)
        plain.append(lab_measure.unit_pss(laptop, SLICE) / 2**20)
        floor.append(sum(alone(pid) for pid in lab_measure.unit_pids(laptop, FLOOR)) / 2**20)
        time.sleep(1)
    note = (
        "all of bookbag.slice; Python's own pages count in full, whoever else on this machine maps them now;"
        f" plain PSS was {min(plain):.2f} MiB; processes: {len(lab_measure.unit_pids(laptop, SLICE))}"
    )
    return Measured(Samples.of(ours), {"bare Python -I -S, selectors, json": Samples.of(floor)}, note)


def alone(pid: int) -> int:
    """Bytes that a process takes as if no other ran Python: PSS, but whole what only Python's kin share."""
    total, name = 0, ""
    for line in Path(f"/proc/{pid}/smaps").read_text(encoding="ascii").splitlines():
        key, _, value = line.partition(":")
        if "-" in key and " " in key:
            name = line.split(maxsplit=5)[5] if len(line.split(maxsplit=5)) == 6 else ""
        else:
            ours = name.startswith("/") and not any(part in name for part in EVERYBODYS)
            if key == ("Rss" if ours else "Pss"):
                total += int(value.split()[0]) * 1024
    return total


# -- processor and switches


@dataclass(frozen=True, slots=True)
class Window:
    """Per second of an idle window: processor seconds and switches."""

    cpu: float
    switches: float
    seconds: float
    runs: int  #: workers that were started meanwhile


class Wakes(NamedTuple):
    """Context switches of one run: because it waited, and because others wanted the processor."""

    voluntary: int
    forced: int


def _idle(laptop: Laptop, seconds: float) -> tuple[Window, Window]:
    """The agent's and the bare loop's window."""

    def now() -> list[float]:
        own = _switches(laptop, SLICE)
        return [
            *(lab_measure.unit_cpu(laptop, unit) for unit in (SLICE, FLOOR)),
            *(own, _switches(laptop, FLOOR), _accepted(laptop)),
        ]

    before, began = now(), time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    ours, floor, own, bare, runs = (b - a for a, b in zip(before, now(), strict=True))
    return Window(ours / took, own / took, took, int(runs)), Window(floor / took, bare / took, took, 0)


def _hour(world: World, laptop: Laptop, idle: Window, floor: Window) -> Results:
    """An hour from its parts: the window's rate, and four times a sync and a sweep."""
    verbs = {"a sync": ("sync",), "a sweep": ("apply",)}
    rounds = world.rounds(6)
    costs = {name: [_cost(laptop, words) for _ in range(rounds + 1)][1:] for name, words in verbs.items()}
    workers = {"a sync": _worker(laptop, "sync"), "a sweep": _worker(laptop, "enforce")}
    cpu, switches, parts = [], [], []
    for number in range(rounds):
        each = [costs[name][number] for name in verbs]
        cpu.append(idle.cpu + PER_HOUR * sum(one[0] for one in each) / 3600)
        more = sum(one[1] for one in each) + sum(sum(wakes) for wakes in workers.values())
        switches.append(idle.switches + PER_HOUR * more / 3600)
    for name, found in costs.items():
        median = Samples.of([one[0] for one in found]).median
        parts.append(
            f"{name} {median * 1e3:.0f} ms CPU and {sum(workers[name])} switches of its worker"
            f" ({workers[name].forced} forced)"
        )
    busy = f", in which {idle.runs} workers ran" if idle.runs else ""
    note = (
        f"computed: a window of {idle.seconds:.0f} s at rest ({idle.cpu * 100:.4f} % of a core,"
        f" {idle.switches:.3f} switches/s{busy}) and 4 times an hour {', '.join(parts)}; a sweep is measured"
        " as `bookbag apply`, the same work; CPU is the laptop's, systemd's share included"
    )
    name = "bare loop at rest"
    return {
        CPU.name: Measured(Samples.of(cpu, 100), {name: Samples((floor.cpu * 100,))}, note),
        SWITCHES.name: Measured(Samples.of(switches), {name: Samples((floor.switches,))}),
    }


def _cost(laptop: Laptop, words: tuple[str, ...]) -> tuple[float, int]:
    """CPU of the whole laptop but the command itself, and switches of the resident, for one command."""
    before, switches = _laptop_cpu(laptop), _switches(laptop, "bookbag.service")
    school.bookbag(laptop, *words, codes=(0,))
    time.sleep(0.5)  # what follows from it is part of it
    return _laptop_cpu(laptop) - before, _switches(laptop, "bookbag.service") - switches


def _laptop_cpu(laptop: Laptop) -> float:
    payload = laptop.group.path / "payload"
    return _usage(payload) - _usage(payload / "lab")


def _usage(group: Path) -> float:
    for line in (group / "cpu.stat").read_text(encoding="ascii").splitlines():
        if line.startswith("usage_usec"):
            return int(line.split()[1]) / 1e6
    raise RuntimeError("the kernel does not count processor time")


def _switches(laptop: Laptop, unit: str) -> int:
    """Context switches so far of the threads that a unit has now."""
    total = 0
    for pid in lab_measure.unit_pids(laptop, unit):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                for line in (task / "status").read_text(encoding="ascii").splitlines():
                    if "ctxt_switches" in line:
                        total += int(line.split()[1])
    return total


def _accepted(laptop: Laptop) -> int:
    """How many workers have been started."""
    sockets = [f"bookbag-worker-{name}.socket" for name in WORKERS]
    shown = laptop.run(["systemctl", "show", "--property=NAccepted", "--value", *sockets]).stdout
    return sum(int(line) for line in shown.split())


def _worker(laptop: Laptop, name: str) -> Wakes:
    """Context switches of one run of a worker, started by hand as its user."""
    request: dict[str, object] = {"op": "audit"}
    user = "root"
    if name == "sync":
        request = {"op": "round", "at": 0, "whole": False, **_config(laptop)}
        user = "bookbag-sync"
    # Through the laptop's own manager, so that it runs among the laptop's processes rather than among ours.
    start = ["systemd-run", "--quiet", "--pipe", "--wait", f"--uid={user}", "/opt/bookbag/bin/python", "-c"]
    found = []
    for _ in range(5):
        done = laptop.run([*start, _COUNT, "bookbag", "worker", name], input=json.dumps(request) + "\n")
        wanted, forced, code = (int(word) for word in done.stdout.split())
        if code:
            raise RuntimeError(f"the worker {name} ended with {code}")
        found.append(Wakes(wanted, forced))
    return sorted(found)[2]


def _config(laptop: Laptop) -> dict[str, object]:
    """What the resident tells the sync worker, from the worker that tells the resident."""
    said = laptop.run(["bookbag", "worker", "configure"], input="{}\n").stdout
    for line in said.splitlines():
        event = json.loads(line)
        if event["event"] == "result":
            return dict(event["result"])
    raise RuntimeError(f"there is no configuration: {said}")


_COUNT = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
print(used.ru_nvcsw, used.ru_nivcsw, os.waitstatus_to_exitcode(status))
"""

BENCH = Bench("resident", (MEMORY, CPU, SWITCHES), measure)
