"""Control groups of the lab: every process of a laptop or server lies in one, so that all can be found and
killed.

The lab's groups lie beside those of the machine's own service manager, not inside them. On a machine with the
old ("hybrid") layout nspawn also keeps a tree in the named hierarchy, which is made and removed alongside.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from tests.lab.errors import LabError

PREFIX = "bookbag-lab-"
ENTER = Path(__file__).with_name("enter-groups.sh")


@cache
def _mounts() -> tuple[Path, ...]:
    """Roots of the hierarchies in use: cgroup 2 first, then systemd's named one if there is one."""
    second, named = None, []
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, where, kind, options, *_ = line.split()
        if kind == "cgroup2":
            second = second or Path(where)
        elif kind == "cgroup" and "name=systemd" in options.split(","):
            named.append(Path(where))
    if second is None:
        raise LabError("cannot keep laptops apart: this machine mounts no cgroup2")
    return (second, *named[:1])


@cache
def _old_cpu() -> tuple[Path, ...]:
    """Where shares of the processor are given on a machine with the old layout: () or one root."""
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, where, kind, options, *_ = line.split()
        if kind == "cgroup" and "cpu" in options.split(","):
            return (Path(where),)
    return ()


class Group:
    """One group, by its name below the root of the hierarchy; made when first wanted."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def path(self) -> Path:
        """Its folder in the cgroup 2 hierarchy."""
        return _mounts()[0] / self.name

    def make(self) -> Group:
        """Make it and its parents."""
        for mount in _mounts():
            (mount / self.name).mkdir(parents=True, exist_ok=True)
        return self

    def share(self) -> None:
        """Let groups below count and limit memory, tasks and the like. It can hold no process itself then."""
        for controller in (self.path / "cgroup.controllers").read_text(encoding="ascii").split():
            with contextlib.suppress(OSError):  # some cannot be shared while a process of real time runs
                (self.path / "cgroup.subtree_control").write_text(f"+{controller}", encoding="ascii")

    def entered(self, argv: Sequence[str]) -> list[str]:
        """The command line that runs ``argv`` in the group."""
        doors = [str(mount / self.name / "cgroup.procs") for mount in _mounts()]
        return ["/bin/sh", str(ENTER), *doors, "--", *argv]

    def pids(self) -> list[int]:
        """Every process in the group or below it, as this machine numbers them."""
        return pids(self.path)

    @contextlib.contextmanager
    def undisturbed(self) -> Iterator[None]:
        """In the block, what else runs on this machine gets next to none of the processor that this wants.

        So a laptop is measured as if it were alone, on machines where builds and other tests run too.
        """
        old = _old_cpu()
        for mount in old:
            (mount / self.name).mkdir(parents=True, exist_ok=True)
        knob, most = ("cpu.shares", "262144") if old else ("cpu.weight", "10000")
        # Shares are divided level by level: the groups above this one need theirs too.
        levels = [Path(*Path(self.name).parts[: count + 1]) for count in range(len(Path(self.name).parts))]
        knobs = [mount / level / knob for mount in old or _mounts()[:1] for level in levels]
        if not all(path.exists() for path in knobs):
            raise LabError("cannot measure undisturbed: this machine shares no processor between groups")
        before = [path.read_text(encoding="ascii") for path in knobs]
        try:
            for path in knobs:
                path.write_text(most, encoding="ascii")
            for mount in old:
                self._move(mount / self.name)
            yield
        finally:
            for path, value in zip(knobs, before, strict=True):
                path.write_text(value, encoding="ascii")
            for mount in old:
                self._move(mount)

    def _move(self, folder: Path) -> None:
        """Put every process of the group into ``folder``; twice, for those that start meanwhile."""
        for pid in (*self.pids(), *self.pids()):
            with contextlib.suppress(ProcessLookupError):
                (folder / "cgroup.procs").write_text(str(pid), encoding="ascii")

    def kill(self, within: float = 60) -> None:
        """SIGKILL everything in the group at once; returns when all are gone, or raises `LabError`.

        What waits for a busy disk is gone only when the disk has answered.
        """
        until = time.monotonic() + within
        while self.path.exists() and self.pids():
            with contextlib.suppress(OSError):
                (self.path / "cgroup.kill").write_text("1", encoding="ascii")
            if time.monotonic() > until:
                raise LabError(f"cannot kill processes {self.pids()} of {self.path}")
            time.sleep(0.01)

    def remove(self) -> None:
        """Kill what is in it and remove it with everything below."""
        self.kill()
        for mount in (*_mounts(), *_old_cpu()):
            for folder in sorted(_folders(mount / self.name), reverse=True):
                _remove(folder)


def pids(top: Path) -> list[int]:
    """Every process in the group whose folder is ``top`` or in one below, as this machine numbers them."""
    found: set[int] = set()
    for folder in _folders(top):
        with contextlib.suppress(OSError):  # the group may end while we look
            found.update(int(pid) for pid in (folder / "cgroup.procs").read_text(encoding="ascii").split())
    return sorted(found)


def of_lab(identifier: str) -> Group:
    """The group that holds everything of one run of the lab."""
    return Group(PREFIX + identifier)


def leftovers() -> list[str]:
    """Identifiers of runs that have groups on this machine, running or abandoned."""
    found = {path.name.removeprefix(PREFIX) for mount in _mounts() for path in mount.glob(f"{PREFIX}*")}
    return sorted(found)


def _folders(top: Path) -> list[Path]:
    """A group's folder and those below it; `os.walk` passes over those that vanish meanwhile."""
    return [Path(folder) for folder, _, _ in os.walk(top)]


def _remove(folder: Path, within: float = 30) -> None:
    """Remove one empty group; the kernel may need a moment after the last process."""
    until = time.monotonic() + within
    while folder.exists():
        try:
            folder.rmdir()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
