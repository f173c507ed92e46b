"""News by stick: a good one is taken with no network at all, a bad one costs one clear error."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab.acceptance.conftest import School
from tests.lab.acceptance.school import bookbag, homepage_of, settled, status

STICK = "/mnt/stick"
TIMESTAMP = "metadata/timestamp.json"
ENTRIES = 50_000
GIBIBYTE = 1 << 30


@pytest.fixture
def stick(school: School, tmp_path: Path) -> Iterator[Path]:
    """A stick that IT has filled with news, in a laptop whose cable is cut; its folder, seen from outside."""
    laptop = school.lina
    laptop.set_cable(False)
    laptop.write(f"{STICK}/readme.txt", "the school's stick\n")
    yield laptop.path(STICK)
    shutil.rmtree(laptop.path(STICK))


def fill(school: School, stick: Path, tmp_path: Path) -> str:
    """Publish news and carry it to the stick; the homepage it sets."""
    address = f"http://library.example/{time.time_ns()}"
    school.desk.policy("newer", {"browser.homepage": address})
    school.desk.publish()
    carried = tmp_path / "stick"
    carried.mkdir(exist_ok=True)
    school.desk.fleet("stick", str(carried))
    shutil.copytree(carried, stick, dirs_exist_ok=True)
    return address


def snapshot_of(stick: Path) -> Path:
    """The newest snapshot's file."""
    return max((stick / "metadata").glob("*.snapshot.json"), key=lambda path: int(path.name.split(".")[0]))


def a_link(stick: Path) -> None:
    (stick / TIMESTAMP).rename(stick / "elsewhere.json")
    (stick / TIMESTAMP).symlink_to("../elsewhere.json")


def a_linked_folder(stick: Path) -> None:
    (stick / "metadata").rename(stick / "elsewhere")
    (stick / "metadata").symlink_to("elsewhere")


def a_link_to_what_root_alone_reads(stick: Path) -> None:
    (stick / TIMESTAMP).unlink()
    (stick / TIMESTAMP).symlink_to("/etc/shadow")


def a_fifo(stick: Path) -> None:
    (stick / TIMESTAMP).unlink()
    os.mkfifo(stick / TIMESTAMP)


def a_device(stick: Path) -> None:
    path = snapshot_of(stick)
    path.unlink()
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))  # /dev/zero: it never ends


def a_hard_link(stick: Path) -> None:
    os.link(snapshot_of(stick), stick / "twin.json")


def a_gibibyte(stick: Path) -> None:
    os.truncate(snapshot_of(stick), GIBIBYTE)


def a_gibibyte_of_timestamp(stick: Path) -> None:
    os.truncate(stick / TIMESTAMP, GIBIBYTE)


def nothing_at_all(stick: Path) -> None:
    (stick / TIMESTAMP).write_bytes(b"")


def half(stick: Path) -> None:
    os.truncate(snapshot_of(stick), snapshot_of(stick).stat().st_size // 2)


BAD = (
    a_link,
    a_linked_folder,
    a_link_to_what_root_alone_reads,
    a_fifo,
    a_device,
    a_hard_link,
    a_gibibyte,
    a_gibibyte_of_timestamp,
    nothing_at_all,
    half,
)


def test_a_bad_stick_costs_one_clear_error_and_the_same_stick_mended_is_taken(
    school: School, stick: Path, tmp_path: Path
) -> None:
    laptop = school.lina
    address = fill(school, stick, tmp_path)
    before = homepage_of(laptop)
    kept = tmp_path / "kept"
    shutil.copytree(stick, kept)
    for spoil in BAD:
        spoil_one(stick, spoil)
        began = time.monotonic()
        done = bookbag(laptop, "sync", "--from", STICK, codes=(1,), timeout=60)
        took = time.monotonic() - began
        said = [line for line in done.stderr.splitlines() if line.startswith("bookbag: ")]
        assert len(said) == 1 and said[0].startswith("bookbag: cannot "), (spoil.__name__, done.stderr)
        assert "  at: " in done.stderr, (spoil.__name__, done.stderr)
        assert "Traceback" not in done.stderr + laptop.journal(lines=50)
        assert took < 20, (spoil.__name__, took)
        assert homepage_of(laptop) == before, spoil.__name__
        print(f"{spoil.__name__}: {took:.1f} s: {said[0]}")
        mend(stick, kept)
    motd = laptop.path("/etc/motd")
    right = motd.read_bytes()
    motd.write_bytes(b"mine\n")
    settled(laptop, lambda _: motd.read_bytes() == right, 20)
    assert address != before
    bookbag(laptop, "sync", "--from", STICK)  # positive control: it was only the bad file
    assert homepage_of(laptop) == address
    assert not [one for one in status(laptop)["errors"] if one["about"] == "news"]


@pytest.mark.soak  # without a lab it is always sampled: tests/fleet/test_crowd.py
def test_a_crowded_stick_is_taken_as_fast_as_an_empty_one(
    school: School, stick: Path, tmp_path: Path
) -> None:
    address = fill(school, stick, tmp_path)
    for folder in ("metadata", "targets", "targets/policy/ict"):
        for number in range(ENTRIES // 3):
            os.mknod(stick / folder / f"rubbish-{number}", stat.S_IFREG | 0o644)
    began = time.monotonic()
    bookbag(school.lina, "sync", "--from", STICK)
    took = time.monotonic() - began
    print(f"a stick with {ENTRIES} entries more: {took:.1f} s")
    assert homepage_of(school.lina) == address
    assert took < 15


def spoil_one(stick: Path, spoil: Callable[[Path], None]) -> None:
    """Do it, and be sure that something is different."""
    before = [(path, path.lstat()) for path in sorted(stick.rglob("*"))]
    spoil(stick)
    assert before != [(path, path.lstat()) for path in sorted(stick.rglob("*"))]


def mend(stick: Path, kept: Path) -> None:
    """Let the stick hold again what it held."""
    for path in stick.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    shutil.copytree(kept, stick, dirs_exist_ok=True)
