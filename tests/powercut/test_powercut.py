"""The harness catches what it is for: each classic mistake is found, and by the model that is meant to find
it."""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path

import pytest

from tests.powercut import Outcome, disk, every_prefix, fail_at_every, kill_at_every, say
from tests.powercut.strace import Unrecordable

OLD, NEW = b"old" * 100, b"new" * 200


def start(directory: Path) -> None:
    (directory / "f").write_bytes(OLD)


def check(directory: Path, said: str) -> None:
    found = (directory / "f").read_bytes()
    assert found in ((NEW,) if said else (OLD, NEW)), f"{found[:9]!r}…, {len(found)} bytes"


def replace(directory: Path, *, sync_file: bool = True, sync_directory: bool = True) -> None:
    fd = os.open(directory / "f.new", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(fd, NEW[:300])
    os.write(fd, NEW[300:])
    if sync_file:
        os.fsync(fd)
    os.close(fd)
    os.rename(directory / "f.new", directory / "f")
    if sync_directory:
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(fd)
        os.close(fd)
    say("replaced")


def correct(directory: Path) -> None:
    replace(directory)


def without_file_fsync(directory: Path) -> None:
    replace(directory, sync_file=False)


def without_directory_fsync(directory: Path) -> None:
    replace(directory, sync_directory=False)


def in_place(directory: Path) -> None:
    fd = os.open(directory / "f", os.O_WRONLY)
    os.write(fd, NEW[:300])
    os.write(fd, NEW[300:])
    os.fsync(fd)
    os.close(fd)
    say("replaced")


def in_place_in_one_write(directory: Path) -> None:
    fd = os.open(directory / "f", os.O_WRONLY)
    os.pwrite(fd, NEW, 0)
    os.fsync(fd)
    os.close(fd)
    say("replaced")


def said_too_early(directory: Path) -> None:
    say("replaced")
    replace(directory)


def said_too_early_elsewhere(directory: Path) -> None:
    """As workers do it: standard output under another number."""
    out = os.dup(1)
    os.dup2(2, 1)
    os.write(out, b"replaced\n")
    replace(directory)


def removed_first(directory: Path) -> None:
    (directory / "f").unlink()
    replace(directory)


def test_the_correct_way_survives_every_power_cut() -> None:
    tally = every_prefix(correct, start, check)
    assert tally.points == 8  # create, write, write, fsync, rename, fsync, say, and before any of them
    assert tally.states >= 8


@pytest.mark.parametrize(
    ("program", "model"),
    [
        (without_file_fsync, disk.names_first),
        (without_directory_fsync, disk.strict),
        (without_directory_fsync, disk.data_first),
        (in_place, disk.everything),
        (in_place_in_one_write, disk.torn),
        (said_too_early, disk.strict),
        (said_too_early_elsewhere, disk.strict),
        (removed_first, disk.everything),
    ],
)
def test_each_mistake_is_caught_by_its_model(program: object, model: disk.Model) -> None:
    with pytest.raises(AssertionError, match=f"power cut after step .* model {model.__name__}"):
        every_prefix(program, start, check, models=[model])  # type: ignore[arg-type]


def test_the_correct_way_survives_a_kill_at_every_call() -> None:
    tally = kill_at_every(correct, start, check)
    assert tally.by == {"write": 3, "rename": 1}


def test_a_kill_finds_a_write_in_place() -> None:
    with pytest.raises(AssertionError, match="SIGKILL before"):
        kill_at_every(in_place, start, check)


def careful(directory: Path) -> None:
    try:
        replace(directory)
    except OSError as problem:
        say(f"failed {problem.errno}")
        sys.exit(3)


def careful_check(directory: Path, outcome: Outcome) -> None:
    assert outcome.said.startswith("failed 28")
    assert outcome.code == 3
    assert (directory / "f").read_bytes() in (OLD, NEW)


def test_a_full_disk_is_met_at_every_call() -> None:
    tally = fail_at_every(careful, start, careful_check)
    assert tally.by == {"openat": 1, "write": 2, "fsync": 2, "rename": 1}


def wavering(directory: Path, *, runs: int) -> None:
    """Writes once more, to nowhere, in every run but each ``runs``-th: so do programs on a busy machine."""
    counter = directory.parent / "runs"
    number = int(counter.read_text()) + 1 if counter.exists() else 0
    with open(counter, "w") as file:  # a write of its own, the same in every run
        file.write(str(number))
    if number % runs:
        with open(os.devnull, "wb", buffering=0) as nowhere:
            nowhere.write(b"of no length that the others have")
    careful(directory)


def now_and_then(directory: Path) -> None:
    wavering(directory, runs=2)


def hardly_ever(directory: Path) -> None:
    wavering(directory, runs=1000)


def test_a_fault_that_missed_its_call_is_aimed_again() -> None:
    assert fail_at_every(now_and_then, start, careful_check, calls=("write",)).points == 2


def test_a_fault_that_keeps_missing_is_no_success() -> None:
    with pytest.raises(AssertionError, match="the fault missed write 300 bytes at 0"):
        fail_at_every(hardly_ever, start, careful_check, calls=("write",))


def test_a_sample_takes_some_of_them() -> None:
    assert fail_at_every(careful, start, careful_check, most=3).points == 3
    assert kill_at_every(correct, start, check, most=2).points == 2
    assert every_prefix(correct, start, check, most=3).points == 3


def reckless(directory: Path) -> None:
    (directory / "f").write_bytes(NEW)


def test_a_full_disk_finds_what_truncates_before_it_writes() -> None:
    def intact(directory: Path, outcome: Outcome) -> None:
        assert (directory / "f").read_bytes() in (OLD, NEW)

    with pytest.raises(AssertionError, match="ENOSPC at write"):
        fail_at_every(reckless, start, intact, calls=("write",))


def test_a_program_that_fails_by_itself_is_no_success() -> None:
    with pytest.raises(AssertionError, match="the program itself failed"):
        every_prefix([sys.executable, "-c", "raise SystemExit(5)"], start, check)


def test_an_argv_may_be_the_program() -> None:
    copy = "import sys, os; os.close(os.open(sys.argv[1] + '/new', os.O_CREAT | os.O_WRONLY))"
    seen = set()

    def names(directory: Path, said: str) -> None:
        seen.add(tuple(sorted(path.name for path in directory.iterdir())))

    every_prefix([sys.executable, "-c", copy, "{dir}"], start, names)
    assert seen == {("f",), ("f", "new")}


def many_ways(directory: Path) -> None:
    """Every sort of call the recorder knows, relative names and descriptors included."""
    top = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    os.mkdir("d", 0o700, dir_fd=top)
    sub = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=top)
    fd = os.open("a", os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=sub)
    os.writev(fd, [b"one", b"two"])
    copy = os.dup(fd)
    os.write(copy, b"three")
    os.lseek(fd, 1, os.SEEK_SET)
    os.write(fd, b"N")
    os.ftruncate(fd, 20)
    os.fchmod(fd, 0o640)
    os.link("a", "b", src_dir_fd=sub, dst_dir_fd=sub)
    os.rename("a", "moved", src_dir_fd=sub, dst_dir_fd=top)
    os.symlink("moved", "link", dir_fd=top)
    log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600, dir_fd=top)
    os.write(log, b"1")
    os.write(log, b"2")
    if os.fork() == 0:
        os.write(log, b"child")
        os._exit(0)
    os.wait()
    os.chdir(directory)
    os.rename("d/b", "d/c")
    os.unlink("d/c")
    os.rmdir("d")
    os.truncate("f", 4)
    fresh = os.open("fresh", os.O_RDWR | os.O_CREAT | os.O_EXCL)
    os.write(fresh, b"at its end")
    os.read(fresh, 10)
    os.write(fresh, b", again")
    unnamed = os.open(".", os.O_RDWR | os.O_TMPFILE)
    os.write(unnamed, b"nobody finds this")
    os.posix_fallocate(fd, 0, 24)


def test_what_is_replayed_is_what_the_program_did(tmp_path: Path) -> None:
    """The last prefix with nothing lost is the directory itself, whichever calls made it."""
    start(tmp_path)
    if os.fork() == 0:
        many_ways(tmp_path)
        os._exit(0)
    os.wait()
    found: list[disk.Tree] = []
    every_prefix(
        many_ways, start, lambda directory, said: found.append(_listing(directory)), models=[disk.everything]
    )
    assert found[-1] == _listing(tmp_path)
    assert len(found) > 15


def _listing(directory: Path) -> disk.Tree:
    everything: disk.Tree = {}

    def walk(inode: disk.Inode, prefix: str) -> None:
        for name, child in inode.names.items():
            everything[prefix + name] = (child.kind, child.mode, child.content)
            walk(child, f"{prefix}{name}/")

    walk(disk.load(directory), "")
    return everything


def shared_mapping(directory: Path) -> None:
    import mmap

    with open(directory / "f", "r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        mapped[0] = 65


def copied_by_the_kernel(directory: Path) -> None:
    with open("/etc/passwd", "rb") as source, open(directory / "copy", "wb") as target:
        os.sendfile(target.fileno(), source.fileno(), 0, 10)


def written_after_reading(directory: Path) -> None:
    with open(directory / "f", "r+b", buffering=0) as file:
        file.read(3)
        file.write(b"x")


@pytest.mark.parametrize("program", [shared_mapping, copied_by_the_kernel, written_after_reading])
def test_what_cannot_be_replayed_is_refused_rather_than_missed(program: object) -> None:
    with pytest.raises(Unrecordable):
        every_prefix(program, start, lambda directory, said: None)  # type: ignore[arg-type]


def sqlite_with(synchronous: str, directory: Path) -> None:
    database = sqlite3.connect(directory / "db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute(f"PRAGMA synchronous={synchronous}")
    for n in range(3):
        database.execute("INSERT INTO t VALUES (?)", (n,))
        say(str(n))


def sqlite_full(directory: Path) -> None:
    sqlite_with("FULL", directory)


def sqlite_off(directory: Path) -> None:
    sqlite_with("OFF", directory)


def sqlite_start(directory: Path) -> None:
    database = sqlite3.connect(directory / "db")
    database.execute("CREATE TABLE t (n)")
    database.commit()
    database.close()


def sqlite_check(directory: Path, said: str) -> None:
    database = sqlite3.connect(directory / "db")
    rows = [n for (n,) in database.execute("SELECT n FROM t ORDER BY n")]
    database.close()
    acknowledged = len(said.split())
    assert rows in [list(range(acknowledged)), list(range(acknowledged + 1))]


def test_it_understands_sqlite() -> None:
    assert every_prefix(sqlite_full, sqlite_start, sqlite_check).states > 20
    with pytest.raises(AssertionError, match="power cut"):
        every_prefix(sqlite_off, sqlite_start, sqlite_check)
