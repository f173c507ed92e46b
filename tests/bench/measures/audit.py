"""An audit of a thousand files that are as they should be: one process, from exec to exit."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from tests.bench.processes import BARE, FLOORS, Cost, in_turns, run
from tests.bench.rows import Bench, Budget, Measured, Promise, Results, Samples
from tests.bench.site import FILES, FOLDER, SandboxLaptop, result
from tests.bench.world import World

LOOK = Promise("audit", "audit of 1,000 converged files, one-shot, CPU", "ms", Budget(2, times_peer=True))
FULL = Promise("full-audit", "the same with the whole engine (each 15 min), CPU", "ms", None)


def measure(world: World) -> Results:
    laptop = world.site.converged
    table = _table(laptop, world.folder / "audit.tsv")
    compiled = _compile_c(world.folder)

    def look() -> Cost:
        cost = laptop.worker("enforce", {"op": "audit", "lean": True})
        if result(cost) != {"lean": True}:
            raise RuntimeError(f"the laptop is not converged: {result(cost)}")
        return cost

    def full() -> Cost:
        cost = laptop.worker("enforce", {"op": "audit"})
        if result(cost)["outcomes"] != {"in-force": FILES}:
            raise RuntimeError(f"the laptop is not converged: {result(cost)['outcomes']}")
        return cost

    def python() -> Cost:
        return run([*BARE, str(FLOORS / "read_files.py"), str(table)])

    things = [look, full, python]
    if compiled is not None:
        things.append(lambda: run([str(compiled), str(table)]))
    ours, engine, floor, *rest = (
        Samples.of([cost.cpu for cost in costs], 1e3) for costs in in_turns(world.rounds(21), *things)
    )
    peers = {"Python that reads and hashes them": floor}
    if rest:
        peers["C that does"] = rest[0]
    note = "`bookbag worker enforce` as after an event: each file and its attributes read, hashed, compared"
    return {LOOK.name: Measured(ours, peers, note), FULL.name: Measured(engine, peers)}


def _table(laptop: SandboxLaptop, path: Path) -> Path:
    files = sorted(Path(f"{laptop.folder}{FOLDER}").iterdir())
    path.write_text("".join(f"{hashlib.sha256(one.read_bytes()).hexdigest()}\t{one}\n" for one in files))
    return path


def _compile_c(folder: Path) -> Path | None:
    """The floor in C, where there is a compiler and OpenSSL."""
    compiler, program = shutil.which("cc"), folder / "read_files"
    if compiler is None:
        return None
    run([compiler, "-O2", "-o", str(program), str(FLOORS / "read_files.c"), "-ldl"])
    empty = folder / "empty.tsv"
    empty.touch()
    return program if run([str(program), str(empty)], codes=(0, 2)).code == 0 else None


BENCH = Bench("audit", (LOOK, FULL), measure)
