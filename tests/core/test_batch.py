"""Many files at once: as durable as one by one, and all or nothing for each of them."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from agent.core import batch
from agent.core.errors import BookbagError
from tests.powercut import Outcome, every_prefix, fail_at_every, kill_at_every, say

NAMES = ("a/one", "a/two", "b/three")
OLD, NEW = b"old" * 50, b"new" * 70
needs_strace = pytest.mark.needs("strace")


def begin(directory: Path) -> None:
    (directory / "a").mkdir()
    (directory / "a" / "one").write_bytes(OLD)
    (directory / "a" / "gone").write_bytes(OLD)


def change(directory: Path) -> None:
    """What the desk does for a list of laptops: folders, files, and what they replace."""
    batch.make_directories([str(directory / "b")])
    batch.write([(str(directory / name), NEW) for name in NAMES], mode=0o640)
    say("written")
    batch.remove([str(directory / "a" / "gone"), str(directory / "a" / "never")])
    say("removed")


def change_in_haste(directory: Path) -> None:
    os.fsync = lambda fd: None
    change(directory)


def told(directory: Path) -> None:
    try:
        change(directory)
    except BookbagError as problem:
        say(f"refused {problem.code}")
        sys.exit(3)


def check(directory: Path, said: str) -> None:
    for name in NAMES:
        path = directory / name
        found = path.read_bytes() if path.exists() else None
        assert found in ((OLD,) if name == "a/one" else (None,)) or found == NEW, f"{name} is half-written"
        if "written" in said:
            assert found == NEW, f"{name} was said to be written"
    if "removed" in said:
        assert not (directory / "a" / "gone").exists()


def test_files_are_there_with_their_mode_and_nothing_else_is(tmp_path: Path) -> None:
    begin(tmp_path)
    change(tmp_path)
    check(tmp_path, "written removed")
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert found == sorted(NAMES)
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in NAMES} == {0o640}


def test_drafts_that_a_dead_writer_left_are_cleared_and_nobody_elses(tmp_path: Path) -> None:
    begin(tmp_path)
    draft, other, mine = (
        tmp_path / "a" / name for name in ("one.0123456789ab.tmp", "x.0123456789ab.tmp", "one.tmp")
    )
    for path in (draft, other, mine):
        path.write_bytes(OLD)
    change(tmp_path)
    assert not draft.exists() and other.exists() and mine.exists()


def test_more_files_than_a_process_may_have_open(tmp_path: Path) -> None:
    files = [(str(tmp_path / f"{number:05}"), b"%d" % number) for number in range(3000)]
    before = len(os.listdir("/proc/self/fd"))
    batch.write(files)
    assert all(Path(path).read_bytes() == data for path, data in files)
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_cannot_be_written_is_named_and_leaves_no_draft(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(BookbagError) as refused:
        batch.write([(str(tmp_path / "one"), b"1"), (str(tmp_path / "folder"), b"2")])
    assert refused.value.code == "bad-path"
    assert refused.value.place == str(tmp_path / "folder")
    assert {path.name for path in tmp_path.iterdir()} <= {"one", "folder"}


@needs_strace
def test_a_power_cut_anywhere() -> None:
    assert every_prefix(change, begin, check).states > 10


@needs_strace
def test_without_its_fsyncs_it_is_caught() -> None:
    """The positive control of the test above."""
    with pytest.raises(AssertionError, match="power cut after step"):
        every_prefix(change_in_haste, begin, check)


@needs_strace
@pytest.mark.slow
def test_a_kill_anywhere() -> None:
    assert kill_at_every(change, begin, check).points >= 10


@needs_strace
@pytest.mark.slow
def test_a_full_disk_anywhere_is_told_and_leaves_no_draft() -> None:
    def after(directory: Path, outcome: Outcome) -> None:
        assert "disk-full" in outcome.said or "removed" in outcome.said, outcome
        assert not list(directory.rglob("*.tmp"))
        check(directory, outcome.said)

    assert fail_at_every(told, begin, after).points >= 8
