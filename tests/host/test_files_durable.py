"""Files through a power cut, a kill and a failing call at every point; and what they cost in system calls."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.host.base import Node
from agent.host.linux.files import LinuxFiles
from agent.host.sandbox.files import SandboxFiles
from tests.leaks import REPOSITORY
from tests.powercut import Outcome, every_prefix, fail_at_every, kill_at_every, say

OLD, NEW = b"old" * 3000, b"new" * 4000


def mine(content: bytes, mode: int = 0o640) -> Node:
    return Node("file", mode, str(os.geteuid()), str(os.getegid()), content)


@contextmanager
def files_at(directory: Path) -> Iterator[LinuxFiles]:
    files = LinuxFiles(str(directory))
    try:
        yield files
    finally:
        files.close()


def prepare(directory: Path) -> None:
    """What is there before: three files, one directory."""
    (directory / "etc").mkdir()
    with files_at(directory) as files:
        for name in ("kept", "removed", "moved"):
            files.write(f"/etc/{name}", mine(OLD))


def work(directory: Path) -> None:
    """Single operations, each acknowledged."""
    with files_at(directory) as files:
        files.write("/etc/kept", mine(NEW))
        say("written")
        files.make_parents("/etc/new/dir/file")
        files.write("/etc/new/dir/file", mine(NEW))
        say("made")
        files.remove("/etc/removed")
        say("removed")
        files.rename_beside("/etc/moved", "moved aside")
        say("moved")


def work_in_a_batch(directory: Path) -> None:
    """The same, acknowledged together."""
    with files_at(directory) as files:
        with files.batch():
            files.write("/etc/kept", mine(NEW))
            files.make_parents("/etc/new/dir/file")
            files.write("/etc/new/dir/file", mine(NEW))
            files.remove("/etc/removed")
            files.rename_beside("/etc/moved", "moved aside")
            say("moved")  # it is not of the batch: it is durable at once
        say("written\nmade\nremoved")


def check(directory: Path, said: str) -> None:
    """What was acknowledged is there; what was not is whole, old or new; and the next run clears up."""
    with files_at(directory) as files:
        kept, made, removed = (files.read(f"/etc/{name}") for name in ("kept", "new/dir/file", "removed"))
        assert kept is not None and kept.content in (OLD, NEW) and kept.mode == 0o640
        assert made is None or (made.content, made.mode) == (NEW, 0o640)
        assert removed is None or removed.content == OLD
        assert "written" not in said or kept.content == NEW
        assert "made" not in said or made is not None
        assert "removed" not in said or removed is None
        ways = [one for name in ("moved", "moved aside") if (one := files.read(f"/etc/{name}")) is not None]
        assert [one.content for one in ways] == [OLD], "under one name, whole"
        assert "moved" not in said.replace("removed", "") or files.read("/etc/moved") is None
        files.make_parents("/etc/new/dir/file")
        files.write("/etc/kept", mine(NEW))
        files.write("/etc/new/dir/file", mine(NEW))
        for folder in ("etc", "etc/new/dir"):
            assert not [name for name in os.listdir(directory / folder) if name.startswith(".bookbag-")]


@pytest.mark.parametrize("program", [work, work_in_a_batch])
def test_a_power_cut_at_any_point(program: object) -> None:
    tally = every_prefix(program, prepare, check)  # type: ignore[arg-type]
    assert tally.states > 20


def test_a_kill_at_any_point() -> None:
    assert kill_at_every(work, prepare, check).points > 15


def after_a_failure(directory: Path, outcome: Outcome) -> None:
    assert outcome.code == 0 or "BookbagError" in outcome.errors, outcome.errors
    check(directory, outcome.said)


@pytest.mark.parametrize("error", ["ENOSPC", "EIO", "EROFS"])
def test_a_failing_call_at_any_point(error: str) -> None:
    assert fail_at_every(work, prepare, after_a_failure, error=error).points > 10


# -- the sandbox's sidecar too


def dress(directory: Path) -> None:
    """A file with attributes that only root can give, twice."""
    files = SandboxFiles(str(directory))
    for owner in ("first", "second"):
        files.write("/file", Node("file", 0o4750, owner, "adm", owner.encode()))
        say(owner)
    files.close()


def dressed(directory: Path, said: str) -> None:
    files = SandboxFiles(str(directory))
    try:
        read = files.read("/file")
        if read is not None:
            assert (read.owner, read.mode) == (read.content.decode(), 0o4750), "content and attributes agree"
        if said:
            assert read is not None and read.owner in (said.rsplit(maxsplit=1)[-1], "second")
    finally:
        files.close()


def test_content_and_attributes_agree_after_a_power_cut() -> None:
    assert every_prefix(dress, lambda directory: (directory / ".sandbox").mkdir(), dressed).states > 10


# -- cost

COST = """
import sys
from agent.host.base import Node
from agent.host.linux.files import LinuxFiles
import os
files = LinuxFiles(sys.argv[1])
owner = (str(os.geteuid()), str(os.getegid()))
number = int(sys.argv[3])
if sys.argv[2] == "write":
    with files.batch():
        for i in range(number):
            files.write(f"/etc/d/file{i}", Node("file", 0o644, *owner, b"content"))
else:
    for i in range(number):
        assert files.read(f"/etc/d/file{i}").content == b"content"
"""


def calls(directory: Path, what: str, number: int) -> Counter[str]:
    """System calls of one run, by name."""
    out = directory / "trace"
    command = [
        "strace",
        "-f",
        "-qq",
        "-o",
        str(out),
        sys.executable,
        "-c",
        COST,
        str(directory),
        what,
        str(number),
    ]
    subprocess.run(command, check=True, cwd=REPOSITORY)
    return Counter(re.findall(r"^\d+ +(\w+)\(", out.read_text(errors="replace"), re.MULTILINE))


@pytest.mark.needs("strace")
@pytest.mark.parametrize(("what", "most"), [("read", 6), ("write", 13)])
def test_few_system_calls_for_each_file(tmp_path: Path, what: str, most: int) -> None:
    """The slope between 100 and 300 files, so that starting Python does not count."""
    (tmp_path / "etc/d").mkdir(parents=True)
    calls(tmp_path, "write", 300)
    few, many = calls(tmp_path, what, 100), calls(tmp_path, what, 300)
    each = {name: (many[name] - few[name]) / 200 for name in many if many[name] - few[name] >= 100}
    assert sum(each.values()) <= most, each
    assert each.get("fsync", 0) == (1 if what == "write" else 0), "in a batch the directory is synced once"


def test_an_error_names_the_file_and_what_to_do(tmp_path: Path) -> None:
    with files_at(tmp_path) as files, pytest.raises(BookbagError) as caught:
        files.write("/etc/motd", mine(b""))
    assert caught.value.code == "not-found"
    assert caught.value.place == "/etc/motd"
