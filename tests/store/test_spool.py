"""The spool: in order, idempotent, bounded, and unmoved by strangers in its directory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.store.spool import Spool


def test_oldest_first_and_a_changed_one_keeps_its_turn(tmp_path: Path) -> None:
    spool = Spool(f"{tmp_path}/out")
    assert spool.names() == ()
    for name in ("zebra", "apple", "mango"):
        spool.put(name, name.encode())
    spool.put("zebra", b"new")
    spool.put("apple", b"apple")
    assert spool.names() == ("zebra", "apple", "mango")
    assert spool.read("zebra") == b"new"
    spool.remove("zebra")
    spool.remove("zebra")
    spool.put("zebra", b"again")
    assert Spool(f"{tmp_path}/out").names() == ("apple", "mango", "zebra")


def test_storing_the_same_again_writes_nothing(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path))
    spool.put("a", b"1")
    before = next(tmp_path.iterdir()).stat().st_ino
    spool.put("a", b"1")
    assert next(tmp_path.iterdir()).stat().st_ino == before


def test_caps_refuse_and_drop_nothing(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path), max_bytes=10, max_count=3)
    spool.put("a", b"12345")
    spool.put("b", b"12345")
    for name, data in (("c", b"1"), ("a", b"123456")):
        with pytest.raises(BookbagError) as caught:
            spool.put(name, data)
        assert caught.value.code == "disk-full"
    spool.put("a", b"1")
    spool.put("c", b"1")
    with pytest.raises(BookbagError, match="3 files"):
        spool.put("d", b"")
    assert [spool.read(name) for name in spool.names()] == [b"1", b"12345", b"1"]


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a b", "x" * 129, "é", "a\0", "x.tmp", "x.corrupt"])
def test_names_are_plain(tmp_path: Path, name: str) -> None:
    with pytest.raises(BookbagError) as caught:
        Spool(f"{tmp_path}/out").put(name, b"")
    assert caught.value.code == "bad-argument"
    assert list(tmp_path.iterdir()) == []


def test_strangers_are_passed_over(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path))
    spool.put("a-b", b"1")
    for stranger in ("readme", "000000000009-", "12-x", "00000000000x-y", "000000000003-c.0a1b2c3d4e5f.tmp"):
        (tmp_path / stranger).touch()
    assert spool.names() == ("a-b",)


def test_reading_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BookbagError) as caught:
        Spool(str(tmp_path)).read("a")
    assert caught.value.code == "not-found"


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_a_reader_of_another_group_can_reach_them(tmp_path: Path) -> None:
    Spool(f"{tmp_path}/out", mode=0o640, dir_mode=0o2750, owner=(0, 4321)).put("a", b"")
    for path in (tmp_path / "out", next((tmp_path / "out").iterdir())):
        assert (path.stat().st_uid, path.stat().st_gid) == (0, 4321)
    assert (tmp_path / "out").stat().st_mode & 0o7777 == 0o2750


def test_modes_are_those_asked_for(tmp_path: Path) -> None:
    Spool(f"{tmp_path}/out", mode=0o644, dir_mode=0o755).put("a", b"")
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o755
    assert next((tmp_path / "out").iterdir()).stat().st_mode & 0o777 == 0o644
