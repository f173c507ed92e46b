"""A mirror is whoever's stick it is: plain files are read, everything else is refused without harm or
delay."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.trust.mirror import Mirror
from tests.trust.school import Laptop, School, copy_mirror


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    made = tmp_path / "stick"
    (made / "metadata").mkdir(parents=True)
    (made / "metadata" / "good.json").write_bytes(b"{}")
    return made


def read(stick: Path, name: str = "metadata/x.json", most: int = 1000, **more: int) -> bytes | None:
    with Mirror(str(stick), **more) as mirror:
        return mirror.read(name, most)


def refusal(stick: Path, name: str = "metadata/x.json", most: int = 1000, **more: int) -> str:
    with pytest.raises(BookbagError) as error:
        read(stick, name, most, **more)
    return error.value.code


def test_a_plain_file_is_read_and_an_absent_one_is_none(stick: Path) -> None:
    assert read(stick, "metadata/good.json") == b"{}"
    assert read(stick, "metadata/none.json") is None
    assert read(stick, "nowhere/none.json") is None
    assert read(stick, "metadata/good.json/x") is None


def test_a_symlink_is_refused(stick: Path) -> None:
    (stick / "metadata" / "x.json").symlink_to("good.json")
    assert refusal(stick) == "bad-path"


def test_a_symlinked_folder_is_refused(stick: Path, tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "x.json").write_bytes(b"{}")
    (stick / "targets").symlink_to(tmp_path / "secrets")
    assert refusal(stick, "targets/x.json") == "bad-path"


def test_a_symlinked_mirror_is_refused(stick: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(stick)
    with pytest.raises(BookbagError) as error:
        Mirror(str(tmp_path / "link"))
    assert error.value.code == "bad-path"
    with pytest.raises(BookbagError) as error:
        Mirror(str(tmp_path / "absent"))
    assert error.value.code == "not-found"


def test_a_fifo_is_refused_at_once(stick: Path) -> None:
    os.mkfifo(stick / "metadata" / "x.json")
    began = time.monotonic()
    assert refusal(stick) == "bad-path"
    assert time.monotonic() - began < 1


def test_a_socket_and_a_folder_are_refused(stick: Path) -> None:
    (stick / "metadata" / "x.json").mkdir()
    assert refusal(stick) == "bad-path"
    here = os.getcwd()
    os.chdir(stick)  # the address of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("metadata/s.json")
            assert refusal(stick, "metadata/s.json") == "bad-path"
    finally:
        os.chdir(here)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_a_device_is_refused_unopened(stick: Path) -> None:
    import stat

    os.mknod(
        stick / "metadata" / "x.json", stat.S_IFCHR | 0o666, os.makedev(1, 5)
    )  # /dev/zero: reading never ends
    assert refusal(stick) == "bad-path"


def test_a_hard_link_is_refused(stick: Path) -> None:
    os.link(stick / "metadata" / "good.json", stick / "metadata" / "x.json")
    assert refusal(stick) == "bad-path"
    (stick / "metadata" / "good.json").unlink()
    assert read(stick) == b"{}"


def test_a_foreign_owner_is_refused(stick: Path) -> None:
    assert refusal(stick, "metadata/good.json", owner=os.geteuid() + 1) == "bad-path"
    assert read(stick, "metadata/good.json", owner=os.geteuid()) == b"{}"


def test_a_gigabyte_is_refused_unread(stick: Path) -> None:
    with (stick / "metadata" / "x.json").open("wb") as file:
        file.truncate(1 << 30)
    began = time.monotonic()
    assert refusal(stick, most=512 << 10) == "too-large"
    assert time.monotonic() - began < 1


def test_caps_hold_to_the_byte(stick: Path) -> None:
    (stick / "metadata" / "x.json").write_bytes(b"x" * 1000)
    assert read(stick) == b"x" * 1000
    assert refusal(stick, most=999) == "too-large"


def test_everything_together_is_capped(stick: Path) -> None:
    (stick / "metadata" / "x.json").write_bytes(b"x" * 1000)
    with Mirror(str(stick), total=2500) as mirror:
        assert mirror.read("metadata/x.json", 1000)
        assert mirror.read("metadata/x.json", 1000)
        with pytest.raises(BookbagError) as error:
            mirror.read("metadata/x.json", 1000)
    assert error.value.code == "too-large"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../b",
        "a//b",
        "./a",
        "a/.",
        "a\x00b",
        "a\\b",
        "x" * 256,
        "/".join("abcdefg"),
        "é" * 200,
    ],
)
def test_names_that_could_lead_elsewhere_are_refused(stick: Path, name: str) -> None:
    assert refusal(stick, name) == "bad-path"


def test_no_descriptor_is_left_open(stick: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    (stick / "metadata" / "x.json").symlink_to("good.json")
    for _ in range(5):
        refusal(stick)
        refusal(stick, "../x")
        read(stick, "metadata/good.json")
        read(stick, "nowhere/none.json")
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_crowd_of_files_costs_nothing(
    tmp_path: Path, school: School, laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are asked for by name; folders are never listed."""
    mirror = copy_mirror(school.mirror, tmp_path / "mirror")
    for number in range(3000):
        (mirror / "metadata" / f"{number}.junk.json").touch()
    read_calls: list[str] = []
    listing = os.listdir

    def note(path: str = ".") -> list[str]:
        read_calls.append(str(path))
        return listing(path)

    monkeypatch.setattr(os, "listdir", note)
    view = laptop.verify(mirror)
    monkeypatch.undo()
    assert view.documents
    assert not [path for path in read_calls if str(mirror) in path]


@pytest.mark.parametrize("kind", ["symlink", "fifo", "hard link", "gigabyte", "folder"])
def test_a_malformed_stick_ends_verification_and_leaves_last_good(
    tmp_path: Path, school: School, laptop: Laptop, kind: str
) -> None:
    """I-1."""
    laptop.verify(school.mirror)
    mirror = copy_mirror(school.mirror, tmp_path / "mirror")
    path = mirror / "metadata" / "timestamp.json"
    good = path.read_bytes()
    path.unlink()
    if kind == "symlink":
        path.symlink_to(school.mirror / "metadata" / "timestamp.json")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "hard link":
        (mirror / "other").write_bytes(good)
        os.link(mirror / "other", path)
    elif kind == "gigabyte":
        with path.open("wb") as file:
            file.truncate(1 << 30)
    else:
        path.mkdir()
    marks = laptop.marks()
    assert laptop.refusal(mirror).code in ("bad-path", "too-large")
    assert laptop.marks() == marks
    assert laptop.verify(school.mirror).documents
