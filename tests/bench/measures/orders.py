"""What an order takes on a laptop: a lock, once the laptop has looked; what opens a volume, destroyed."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

from agent.commands import erasing
from agent.host.sandbox.laptop import open_sandbox
from tests.bench.rows import Bench, Budget, Measured, NotMeasured, Promise, Results, Samples
from tests.bench.world import World
from tests.contract.containers import container, real
from tests.contract.volumes_checks import FIRST, SECOND
from tests.lab.acceptance import school
from tests.lab.acceptance.ordering import PUBLIC
from tests.lab.laptop import Laptop

LOCK = Promise("lock", "published lock → locked, beyond the wait for the poll, wall", "s", Budget(10))
KEYS = Promise("keys", "what opens a volume destroyed and read back, wall", "ms", Budget(1000))
PATIENCE = 60.0  #: seconds


def measure(world: World) -> Results:
    return {**_keys(world), **_lock(world)}


def _lock(world: World) -> Results:
    desk, laptop = world.lab.desk, world.lab.laptop
    ours, floor = [], []
    for _ in range(world.rounds(5)):
        desk.fleet("refresh")
        floor.append(_until(laptop, locked=False))
        for verb in ("lock", "unlock"):
            desk.fleet(verb, laptop.name, "--as", "ict-1")
            desk.publish()
            took = _until(laptop, locked=verb == "lock")
            if verb == "lock":
                ours.append(took)
    note = "from the poll (each 15 min ± 10 %; here `bookbag sync`) until every layer is closed and read back"
    return {
        LOCK.name: Measured(Samples.of(ours), {"a sync that brings fresh word only": Samples.of(floor)}, note)
    }


def _until(laptop: Laptop, *, locked: bool) -> float:
    """Seconds from the beginning of a round to the laptop being locked, or open, as everybody may read."""
    began = time.monotonic()
    school.bookbag(laptop, "sync", codes=(0, 2, 4, 6))
    while _is_locked(laptop) is not locked:
        if time.monotonic() - began > PATIENCE:
            raise RuntimeError(f"the laptop was not {'locked' if locked else 'open'} after {PATIENCE:g} s")
        time.sleep(0.02)
    return time.monotonic() - began


def _is_locked(laptop: Laptop) -> bool:
    """Whether it is, wholly closed; or wholly open."""
    known = json.loads(laptop.read(f"{PUBLIC}/status.json")).get("commands", {})
    return bool(known.get("phase") == "closed")


def _keys(world: World) -> Results:
    if not shutil.which("cryptsetup", path="/usr/sbin:/sbin:/usr/bin"):
        raise NotMeasured("needs cryptsetup")
    ours, bare = [], []
    for number in range(world.rounds(9)):
        folder = world.folder / f"keys-{number}"
        folder.mkdir()
        vault = real(folder, "luks2")
        (folder / "machine").mkdir()
        host = dataclasses.replace(open_sandbox(str(folder / "machine")), volumes=vault.volumes)
        memory = erasing.look(host, {})
        os.sync()
        began = time.monotonic()
        problem = erasing.erase(host, memory)
        ours.append(time.monotonic() - began)
        if problem is not None or vault.opens(FIRST) or vault.opens(SECOND):
            raise RuntimeError(f"it is not erased: {problem}")
        bare.append(_bare(folder / "bare"))
    note = "a LUKS2 container with two keys: luksErase, flushed, slots and samples looked at again"
    return {KEYS.name: Measured(Samples.of(ours, 1e3), {"cryptsetup luksErase": Samples.of(bare, 1e3)}, note)}


def _bare(path: Path) -> float:
    """Seconds that the program alone takes."""
    path.write_bytes(container("luks2"))
    os.sync()
    began = time.monotonic()
    subprocess.run(["/usr/sbin/cryptsetup", "--batch-mode", "luksErase", str(path)], check=True)
    return time.monotonic() - began


BENCH = Bench("orders", (LOCK, KEYS), measure)
