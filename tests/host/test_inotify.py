"""Our inotify beyond the contract: loss, limits, weight, and tampering of any kind in any order."""

from __future__ import annotations

import contextlib
import os
import random
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.host.linux.inotify import Inotify


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Inotify]:
    made = Inotify(str(tmp_path))
    yield made
    made.close()


def collect(watch: Inotify, quiet: float = 0.05) -> tuple[set[str], bool]:
    """All that is reported until it is quiet."""
    found: set[str] = set()
    any_lost = False
    while select.select([watch], [], [], quiet)[0]:
        touched, lost = watch.read()
        found |= touched
        any_lost = any_lost or lost
    return found, any_lost


def test_an_overflow_says_that_events_were_lost_and_watching_goes_on(watch: Inotify, tmp_path: Path) -> None:
    queue = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if queue > 100_000:
        pytest.skip(f"the queue holds {queue} events")
    (tmp_path / "d").mkdir()
    (tmp_path / "d/file").write_text("x")
    watch.set_paths(["/d/file", "/late/file"])
    collect(watch)
    descriptors = [os.open(tmp_path / f"d/{name}", os.O_WRONLY | os.O_CREAT) for name in "ab"]
    for number in range(queue + 10):
        os.write(descriptors[number % 2], b"x")  # alternating: equal neighbours are merged
    (tmp_path / "late").mkdir()  # its event is among the lost
    for descriptor in descriptors:
        os.close(descriptor)
    assert collect(watch)[1]
    (tmp_path / "late/file").write_text("x")
    (tmp_path / "d/file").write_text("y")
    found, lost = collect(watch)
    assert not lost
    assert found == {"/late/file", "/d/file"}


def test_what_cannot_be_watched_counts_as_lost_once(watch: Inotify, tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to("loop")  # ELOOP: neither there nor absent
    watch.set_paths(["/loop/file"])
    assert watch.read() == (frozenset({"/loop/file"}), True)
    watch.set_paths(["/loop/file"])
    assert watch.read() == (frozenset(), False), "known by now"
    loop.unlink()
    loop.mkdir()
    (loop / "file").write_text("x")
    assert collect(watch)[0] == {"/loop/file"}, "and it sees when that is over"


def test_without_instances_there_is_a_clear_error() -> None:
    """In a process of its own: the limit is per user, the open-files limit per process."""
    script = (
        "import resource\nfrom agent.host.linux.inotify import Inotify\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
        "try:\n    Inotify()\nexcept Exception as error:\n    print(error.code, error.remedy)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout.startswith("too-many "), ended


def test_a_link_among_the_directories_is_watched_where_it_leads(watch: Inotify, tmp_path: Path) -> None:
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "lib").symlink_to("usr/lib")
    watch.set_paths(["/lib/file", "/usr/lib/other"])
    collect(watch)
    (tmp_path / "usr/lib/file").write_text("x")
    (tmp_path / "usr/lib/other").write_text("x")
    assert collect(watch)[0] == {"/lib/file", "/usr/lib/other"}
    (tmp_path / "lib").unlink()
    assert collect(watch)[0] == {"/lib/file"}
    (tmp_path / "usr/lib/other").write_text("y")
    assert collect(watch)[0] == {"/usr/lib/other"}, "the other name's watch is still there"


def test_the_place_where_a_link_leads_going_away_is_noticed(watch: Inotify, tmp_path: Path) -> None:
    (tmp_path / "real/place").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real/place")
    watch.set_paths(["/link/file"])
    collect(watch)
    (tmp_path / "real/place").rename(tmp_path / "real/elsewhere")  # in no directory that is watched by name
    assert collect(watch)[0] == {"/link/file"}


def test_a_directory_closed_to_others_counts_as_touched(watch: Inotify, tmp_path: Path) -> None:
    """What a browser cannot read any more is not in force."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d/file").write_text("x")
    watch.set_paths(["/d/file", "/other"])
    collect(watch)
    (tmp_path / "d").chmod(0o700)
    assert "/d/file" in collect(watch)[0]


def test_names_that_are_not_utf8(watch: Inotify, tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\n")
    watch.set_paths([f"/{name}"])
    collect(watch)
    (tmp_path / name).write_text("x")
    assert collect(watch)[0] == {f"/{name}"}


PATHS = ("/a/b/c/one", "/a/b/two", "/a/three", "/d/four", "/a/b/c/five")
FOLDERS = ("/a", "/a/b", "/a/b/c", "/d")


def look(root: Path) -> dict[str, object]:
    """What lies at each watched path: enough to tell whether it was touched."""
    seen: dict[str, object] = {}
    for path in PATHS:
        try:
            status = os.lstat(f"{root}{path}")
            seen[path] = (
                status.st_ino,
                status.st_mode,
                status.st_size,
                status.st_mtime_ns,
                status.st_ctime_ns,
            )
        except OSError:
            seen[path] = None
    return seen


def write(root: Path, chance: random.Random) -> None:
    path = root / chance.choice(PATHS)[1:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(4))


def append(root: Path, chance: random.Random) -> None:
    with open(f"{root}{chance.choice(PATHS)}", "ab") as file:
        file.write(b"x")


def rename_over(root: Path, chance: random.Random) -> None:
    (root / "new").write_bytes(b"new")
    os.rename(root / "new", f"{root}{chance.choice(PATHS)}")


def unlink(root: Path, chance: random.Random) -> None:
    os.unlink(f"{root}{chance.choice(PATHS)}")


def chmod(root: Path, chance: random.Random) -> None:
    os.chmod(f"{root}{chance.choice(PATHS)}", chance.choice((0o600, 0o644)))


def remove_tree(root: Path, chance: random.Random) -> None:
    shutil.rmtree(f"{root}{chance.choice(FOLDERS)}")


def move_away(root: Path, chance: random.Random) -> None:
    os.rename(f"{root}{chance.choice(FOLDERS)}", root / f"away{chance.randrange(3)}")


def bring_back(root: Path, chance: random.Random) -> None:
    os.rename(root / f"away{chance.randrange(3)}", f"{root}{chance.choice(FOLDERS)}")


def swap(root: Path, chance: random.Random) -> None:
    folder = f"{root}{chance.choice(FOLDERS)}"
    os.rename(folder, root / "swap")
    os.rename(root / f"away{chance.randrange(3)}", folder)


def make(root: Path, chance: random.Random) -> None:
    os.makedirs(f"{root}{chance.choice(FOLDERS)}")


WAYS = (write, append, rename_over, unlink, chmod, remove_tree, move_away, bring_back, swap, make)


def tamper(root: Path, chance: random.Random) -> str:
    """One thing that somebody might do (often in vain: nothing is there); what it was."""
    way = chance.choice(WAYS)
    with contextlib.suppress(OSError):
        way(root, chance)
    return way.__name__


@pytest.mark.parametrize("seed", range(12))
def test_no_order_of_tampering_goes_unreported(tmp_path: Path, watch: Inotify, seed: int) -> None:
    """Several things happen before we look; whatever differs then must be among what was reported."""
    chance = random.Random(seed)
    watch.set_paths(PATHS)
    watch.read()
    before = look(tmp_path)
    done: list[str] = []
    differences = 0
    for _ in range(150):
        done.append("+".join(tamper(tmp_path, chance) for _ in range(chance.randrange(1, 5))))
        now = look(tmp_path)
        changed = {path for path in PATHS if now[path] != before[path]}
        found: set[str] = set()
        end = time.monotonic() + 5
        while not changed <= found and time.monotonic() < end:
            if select.select([watch], [], [], 0.2)[0]:
                touched, lost = watch.read()
                assert not lost
                found |= touched
        assert changed <= found, f"unreported: {changed - found} after {done[-5:]}"
        differences += len(changed)
        before = now
    assert differences > 50, "the run was worth something"


RESIDENT = ("agent.core.layout", "agent.host.watch", "agent.host.linux.inotify", "agent.host.workers")
HEAVY = (
    "dataclasses",
    "typing",
    "subprocess",
    "logging",
    "yaml",
    "tempfile",
    "pathlib",
    "watchdog",
    "contextlib",
)


def test_the_residents_part_is_light() -> None:
    script = f"import sys, {', '.join(RESIDENT)}; print(*sys.modules)"
    # -S and the path by hand: an editable install's own hook imports much that a laptop does not.
    path = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {path!r}); {script}"]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "agent.host.linux.inotify" in loaded
    assert not set(HEAVY) & set(loaded)
