"""Remove every trace of a run of the lab, whatever became of it: the one way in which runs end, well or
badly.

A run's folder in the cache is named by its identifier and holds a lock file that the run keeps locked while
it lives. ``python -m tests.lab.sweep IDENTIFIER`` waits until its standard input closes, as it does when the
process that started it dies, and sweeps then: even a killed test run leaves nothing.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from tests.lab import cache, cgroups, mounts, network, rootfs


def runs_folder() -> Path:
    """Where runs keep the disks of their laptops."""
    path = cache.folder() / "runs"
    path.mkdir(exist_ok=True)
    return path


def lock_of(identifier: str) -> Path:
    """The file that a run keeps locked while it lives."""
    return runs_folder() / f"{identifier}.lock"


def sweep(identifier: str) -> None:
    """Kill a run's processes; remove its mounts, groups, namespace and folder. May be called again."""
    cgroups.of_lab(identifier).remove()
    network.remove_namespace(identifier)
    mounts.remove(runs_folder() / identifier)
    for folder in rootfs.PROPAGATED.parent.glob(f"*/bb{identifier}*"):
        rootfs.forget_machine(folder.name)
    lock_of(identifier).unlink(missing_ok=True)


@contextlib.contextmanager
def living(identifier: str) -> Iterator[None]:
    """Hold the lock of a run in the block. First sweeps runs whose process and sweeper are gone."""
    with ExitStack() as held:
        with cache.locked(cache.folder() / "runs.lock"):
            for lock in sorted(runs_folder().glob("*.lock")):
                with cache.locked(lock, wait=False) as ours:
                    if ours:
                        sweep(lock.stem)
            held.enter_context(cache.locked(lock_of(identifier)))
        yield


def main(within: float = 10) -> None:
    """Wait for the end of standard input, then sweep the run named on the command line, if it still needs it.

    A lock that stays taken for ``within`` seconds means that the run lives and deals with its end itself.
    """
    sys.stdin.buffer.read()
    lock, until = lock_of(sys.argv[1]), time.monotonic() + within
    while lock.exists() and time.monotonic() < until:
        with cache.locked(lock, wait=False) as ours:
            if ours:
                sweep(sys.argv[1])
        time.sleep(0.1)


if __name__ == "__main__":
    main()
