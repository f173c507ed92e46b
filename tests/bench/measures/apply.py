"""The first apply of a thousand files, durable, beside as many files with an fsync each on the same disk."""

from __future__ import annotations

import os
import shutil

from tests.bench.processes import BARE, FLOORS, Cost, in_turns, run
from tests.bench.rows import Bench, Budget, Measured, Promise, Results, Samples
from tests.bench.site import FILES, result
from tests.bench.world import World

APPLY = Promise("apply", "first apply of 1,000 files, durable, wall", "ms", Budget(3, times_peer=True))


def measure(world: World) -> Results:
    fresh = world.site.fresh
    folder = world.folder / "apply"

    def ours() -> Cost:
        shutil.rmtree(folder, ignore_errors=True)
        laptop = fresh.copy(folder)
        cost = laptop.worker("enforce", {"op": "apply"}, (2,))
        if result(cost)["outcomes"] != {"changed": FILES}:
            raise RuntimeError(f"not everything was applied: {result(cost)['outcomes']}")
        return cost

    def floor() -> Cost:
        shutil.rmtree(folder, ignore_errors=True)
        os.sync()
        return run([*BARE, str(FLOORS / "write_files.py"), str(folder), str(FILES)])

    applied, written = in_turns(world.rounds(9), ours, floor)
    cpu = Samples.of([cost.cpu for cost in applied], 1e3)
    note = (
        "`bookbag worker enforce` with verified word; files, undo journal, ledger and state on the disk when"
        f" it returns; {cpu.median:.0f} ms of it CPU"
    )
    peers = {"Python, fsync for each file": Samples.of([cost.wall for cost in written], 1e3)}
    return {APPLY.name: Measured(Samples.of([cost.wall for cost in applied], 1e3), peers, note)}


BENCH = Bench("apply", (APPLY,), measure)
