"""Packages' files between who fetches them and who installs them: only what the signed lists name, byte for
byte, gets over; and what is listed to be fetched is an address, a plain name, a size and a hash.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.host.linux.apt_get import File
from agent.host.linux.package_files import PackageFiles, read_list
from agent.host.linux.package_notes import Came, PackageNotes
from agent.host.packages import Told
from tests.contract.subject import refused
from tests.leaks import REPOSITORY

GOLDEN = REPOSITORY / "tests/cases/formats/host"
GOOD = b"!<arch>\n and so on"
HELLO = File(
    "http://deb.example/pool/h/hello_1.0-1_all.deb",
    "hello_1.0-1_all.deb",
    len(GOOD),
    hashlib.sha256(GOOD).hexdigest(),
)


@pytest.fixture
def files(tmp_path: Path) -> PackageFiles:
    made = PackageFiles(str(tmp_path / "packages"))
    os.makedirs(made.fetched)
    made.begin()
    return made


def fetched(files: PackageFiles) -> Path:
    return Path(files.fetched) / HELLO.name


def archived(files: PackageFiles) -> list[str]:
    return sorted(name for name in os.listdir(files.archives) if name != "partial")


def test_what_the_lists_name_gets_over(files: PackageFiles) -> None:
    assert files.take([HELLO]) == (HELLO,), "nothing is there yet"
    fetched(files).write_bytes(GOOD)
    assert files.take([HELLO]) == ()
    assert (Path(files.archives) / HELLO.name).read_bytes() == GOOD
    files.begin()
    assert archived(files) == []


def test_nothing_else_does(files: PackageFiles, tmp_path: Path) -> None:
    there, elsewhere = fetched(files), tmp_path / "elsewhere"
    elsewhere.write_bytes(GOOD)
    there.write_bytes(GOOD[:-1] + b"!")
    assert files.take([HELLO]) == (HELLO,), "another byte"
    there.write_bytes(GOOD + b"!")
    assert files.take([HELLO]) == (HELLO,), "longer"
    there.unlink()
    there.symlink_to(elsewhere)
    assert files.take([HELLO]) == (HELLO,), "a link"
    there.unlink()
    os.link(elsewhere, there)
    assert files.take([HELLO]) == (HELLO,), "somebody else's file"
    there.unlink()
    os.mkfifo(there)
    assert files.take([HELLO]) == (HELLO,), "and nobody waits for a pipe"
    assert archived(files) == []
    there.unlink()
    there.write_bytes(GOOD)
    assert files.take([HELLO]) == (), "the control"


@pytest.mark.parametrize("name", ["../hello.deb", "a/b.deb", ".hello.deb", "hello", "hello.deb\n", "-x.deb"])
def test_a_name_that_leads_elsewhere_is_none(files: PackageFiles, name: str) -> None:
    refused("bad-content", files.take, [File(HELLO.uri, name, HELLO.size, HELLO.sha256)])


def test_what_is_to_be_fetched_is_listed_and_what_is_not_wanted_goes(files: PackageFiles) -> None:
    other = Path(files.fetched) / "other.deb"
    other.write_bytes(b"x")
    fetched(files).write_bytes(GOOD)
    assert files.want({"hello": [HELLO]}) == (True, {})
    assert files.want({"hello": [HELLO]}) == (False, {}), "nothing new"
    assert stat.S_IMODE(os.stat(files.list).st_mode) == 0o640, "an address may hold a password"
    assert os.stat(files.list).st_gid == os.stat(files.fetched).st_gid, "for who fetches"
    os.chmod(files.list, 0o644)
    assert files.want({"hello": [HELLO]}) == (True, {}), "as an older version left it"
    assert Path(files.list).read_bytes() == (GOLDEN / "packages-fetch.json").read_bytes()
    assert read_list(files.list) == (HELLO,)
    assert fetched(files).exists() and other.exists(), "it may only wait for its hour"
    files.sweep([HELLO.name])
    assert fetched(files).exists() and not other.exists()
    newer = json.loads(Path(files.list).read_text())
    newer["more"] = newer["files"][0]["more"] = "of a newer minor version"
    Path(files.list).write_text(json.dumps(newer))
    assert read_list(files.list) == (HELLO,)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("uri", "file:///etc/passwd"),
        ("uri", "http://a.example/x y"),
        ("name", "../../etc/x.deb"),
        ("name", "-o.deb"),
        ("size", "12"),
        ("size", True),
        ("sha256", "x"),
        ("sha256", None),
    ],
)
def test_who_fetches_takes_no_other_row(files: PackageFiles, key: str, value: object) -> None:
    files.want({"hello": [HELLO]})
    told = json.loads(Path(files.list).read_text())
    told["files"][0][key] = value
    Path(files.list).write_text(json.dumps(told))
    refused("bad-content", read_list, files.list)


def test_what_is_too_large_or_comes_by_another_way_is_not_asked_for(files: PackageFiles) -> None:
    for uri, size in (("cdrom:x.deb", 1), (HELLO.uri, 5 << 30)):
        refused("not-supported", files.take, [File(uri, HELLO.name, size, HELLO.sha256)])
    with pytest.raises(BookbagError) as raised:
        files.take([File("http://me:secret@deb.example/x.deb", HELLO.name, 5 << 30, HELLO.sha256)])
    assert "secret" not in raised.value.message


def test_what_has_no_room_keeps_nothing_else_from_being_fetched(files: PackageFiles) -> None:
    huge = [File(HELLO.uri, f"{n}.deb", 4 << 30, HELLO.sha256) for n in range(800)]
    many = [File(HELLO.uri, f"{n}.deb", 1, HELLO.sha256) for n in range(901)]
    new, left_out = files.want({"a-huge": huge, "hello": [HELLO], "many": many})
    assert new and read_list(files.list) == (HELLO,)
    assert {name: one.code for name, one in left_out.items()} == {"a-huge": "disk-full", "many": "too-many"}
    assert "a-huge" in left_out["a-huge"].text


def test_notes_are_kept_and_what_is_damaged_costs_only_patience(tmp_path: Path) -> None:
    place = str(tmp_path / "packages")
    notes = PackageNotes(place)
    notes.keep_came("hello", Came(("libhello1",), configured=False))
    notes.began("look", "boot", 100)
    notes.look_at("these", 2)
    notes.fail("hello", "True False", Told("not-found", "nowhere"))
    notes.tell({"hello": Told("", "it is being fetched")}, {"hello": "yes"})
    again = PackageNotes(place)
    assert again.came("hello") == Came(("libhello1",), configured=False)
    assert again.came_along("libhello1") and not again.came_along("hello")
    assert again.since("look", "boot", 160) == 60
    assert again.since("look", "another boot", 160) is None
    assert again.since("look", "boot", 50) is None
    assert again.failures() == 2 and again.looked_at("these") and not again.looked_at("others")
    assert again.failed("hello", "True False") == Told("not-found", "nowhere")
    assert again.failed("hello", "True True") is None
    assert again.told("hello", "yes") == Told("", "it is being fetched")
    assert again.told("hello", "foreign") is again.told("other", "yes") is None
    assert Path(notes.told_path).read_bytes() == (GOLDEN / "packages-told.json").read_bytes()
    written = os.stat(notes.told_path).st_ino
    again.tell({"hello": Told("", "it is being fetched")}, {"hello": "yes"})
    assert os.stat(notes.told_path).st_ino == written, "whoever watches would look in vain"
    again.keep_came("hello", None)
    assert PackageNotes(place).came("hello") is None

    for name in ("told.json", "work.json"):
        (Path(place) / name).write_bytes(b'{"told": [[]], "came": {"a": 1}, "began": 3, ')
    damaged = PackageNotes(place)
    assert [damaged.came("hello"), damaged.told("hello", "yes"), damaged.since("look", "boot", 1)] == [
        None
    ] * 3
    for value in (
        b'{"told": 1, "came": [], "began": "x", "failed": 1}',
        b"[]",
        b'{"came": {"hello": {"others": 1}}}',
    ):
        for name in ("told.json", "work.json"):
            (Path(place) / name).write_bytes(value)
        damaged = PackageNotes(place)
        assert [damaged.came("hello"), damaged.told("hello", "yes"), damaged.failed("hello", "x")] == [
            None
        ] * 3
        assert not damaged.came_along("x")


def test_nothing_is_installed_that_would_fill_the_disk(files: PackageFiles) -> None:
    files.check_room("hello", [HELLO])
    free = os.statvfs(files.fetched)
    half = free.f_bavail * free.f_frsize // 2  # fits, but not once it is unpacked
    refused("disk-full", files.check_room, "huge", [File(HELLO.uri, HELLO.name, half, HELLO.sha256)])
