"""Atomic writes and typed state files: absent, damaged, too new and unwritable are four different things."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.store import atomic
from agent.store.statefile import StateFile


@dataclass(frozen=True, slots=True)
class Note:
    number: int
    text: str = ""
    extra: Mapping[str, object] = field(default_factory=dict)


def note_file(directory: Path, *, v: int = 1, stay: bool = False) -> StateFile[Note]:
    return StateFile(f"{directory}/note.json", Note, "note", v=v, stay=stay)


def code(action: object, *args: object, **named: object) -> str:
    assert callable(action)
    with pytest.raises(BookbagError) as caught:
        action(*args, **named)
    return caught.value.code


def test_absent_is_none_and_written_is_read(tmp_path: Path) -> None:
    file = note_file(tmp_path)
    assert file.read() is None
    file.write(Note(1, "é"))
    assert file.read() == Note(1, "é")
    file.remove()
    assert file.read() is None
    file.remove()


def good_bytes(directory: Path) -> bytes:
    note_file(directory).write(Note(7, "seven"))
    return (directory / "note.json").read_bytes()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1] if data[-2:] != b"}\n" else data[:-2],
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b"seven", b"eight"),
        lambda data: data.replace(b'"number": 7', b'"number": 8'),
        lambda data: data.replace(b'"note"', b'"memo"'),
        lambda data: data.replace(b'"v": 1', b'"v": 2'),
        lambda data: data.replace(b'"v": 1', b'"v": "1"'),
        lambda data: bytes(len(data)),
        lambda data: b"[]",
        lambda data: b"\xff" * 100,
        lambda data: b"x" * (9 << 20),
    ],
)
def test_damage_is_told_once_and_set_aside(tmp_path: Path, damage: object) -> None:
    data = good_bytes(tmp_path)
    assert callable(damage)
    (tmp_path / "note.json").write_bytes(damaged := damage(data))
    with pytest.raises(BookbagError) as caught:
        note_file(tmp_path).read()
    assert caught.value.code == "state-corrupt"
    assert caught.value.place == f"{tmp_path}/note.json"
    assert "note.json.corrupt" in caught.value.remedy
    assert (tmp_path / "note.json.corrupt").read_bytes() == damaged
    assert note_file(tmp_path).read() is None


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    """All but the last newline, which says nothing."""
    data = good_bytes(tmp_path)
    for length in range(len(data) - 1):
        (tmp_path / "note.json").write_bytes(data[:length])
        assert code(note_file(tmp_path).read) == "state-corrupt"


def test_every_flipped_bit_is_noticed_or_harmless(tmp_path: Path) -> None:
    data = good_bytes(tmp_path)
    for at in range(len(data)):
        (tmp_path / "note.json").write_bytes(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])
        try:
            assert note_file(tmp_path).read() == Note(7, "seven")
        except BookbagError as problem:
            assert problem.code == "state-corrupt"


def test_a_directory_or_link_in_the_place_is_damage_too(tmp_path: Path) -> None:
    (tmp_path / "note.json").mkdir()
    (tmp_path / "note.json" / "x").touch()
    assert code(note_file(tmp_path).read) == "state-corrupt"
    (tmp_path / "note.json").symlink_to("/etc/passwd")
    assert code(note_file(tmp_path).read) == "state-corrupt"
    os.mkfifo(tmp_path / "note.json")
    assert code(note_file(tmp_path).read) == "state-corrupt"
    assert note_file(tmp_path).read() is None


def test_what_shall_stay_stays(tmp_path: Path) -> None:
    (tmp_path / "note.json").write_bytes(b"")
    file = note_file(tmp_path, stay=True)
    assert code(file.read) == "state-corrupt"
    assert code(file.read) == "state-corrupt"
    file.write(Note(1))
    assert file.read() == Note(1)


def test_a_newer_major_version_is_left_alone(tmp_path: Path) -> None:
    newer = note_file(tmp_path, v=2)
    newer.write(Note(1, "from the future"))
    before = (tmp_path / "note.json").read_bytes()
    assert code(note_file(tmp_path).read) == "format-too-new"
    assert (tmp_path / "note.json").read_bytes() == before
    assert newer.read() == Note(1, "from the future")


def test_state_written_by_the_version_before_is_read(tmp_path: Path) -> None:
    note_file(tmp_path, v=1).write(Note(1, "old"))
    assert note_file(tmp_path, v=2).read() == Note(1, "old")


def test_keys_of_a_newer_minor_version_are_kept(tmp_path: Path) -> None:
    note_file(tmp_path).write(Note(1, "x", {"newer": {"a": 1}}))
    found = note_file(tmp_path).read()
    assert found is not None
    note_file(tmp_path).write(Note(2, found.text, found.extra))
    assert json.loads((tmp_path / "note.json").read_bytes())["data"]["newer"] == {"a": 1}


def test_the_checksum_is_what_the_format_says(tmp_path: Path) -> None:
    import hashlib

    record = json.loads(good_bytes(tmp_path))
    covered = {key: record[key] for key in ("data", "kind", "v")}
    assert record["sha256"] == hashlib.sha256(jsontext.canonical(covered)).hexdigest()


def test_mode_is_exact_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o777)
    try:
        atomic.write(f"{tmp_path}/f", b"x", mode=0o644)
        atomic.make_dir(f"{tmp_path}/d", mode=0o711)
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(tmp_path / "f").st_mode) == 0o644
    assert stat.S_IMODE(os.stat(tmp_path / "d").st_mode) == 0o711
    atomic.make_dir(f"{tmp_path}/d", mode=0o700)
    assert stat.S_IMODE(os.stat(tmp_path / "d").st_mode) == 0o700


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_owner_is_given(tmp_path: Path) -> None:
    atomic.write(f"{tmp_path}/f", b"x", owner=(1234, 4321))
    found = os.stat(tmp_path / "f")
    assert (found.st_uid, found.st_gid) == (1234, 4321)


def test_system_errors_have_names(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert code(atomic.write, f"{tmp_path}/no/f", b"") == "not-found"
    assert code(atomic.write, f"{tmp_path}/file/f", b"") == "bad-path"
    assert code(atomic.write, f"{tmp_path}/{'x' * 300}", b"") == "bad-path"
    assert code(atomic.make_dir, f"{tmp_path}/file") == "bad-path"
    assert code(atomic.make_dir, f"{tmp_path}/file/d") == "bad-path"
    assert code(atomic.remove, str(tmp_path)) in ("bad-path", "not-allowed")
    assert code(atomic.read, "/dev/zero", max_bytes=10) == "bad-path"
    assert code(atomic.read, f"{tmp_path}/file/f", max_bytes=10) == "bad-path"


def test_a_write_does_not_follow_a_link(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "f").symlink_to("victim")
    atomic.write(f"{tmp_path}/f", b"new")
    assert (tmp_path / "victim").read_text() == "mine"
    assert not (tmp_path / "f").is_symlink()


def test_reading_has_a_cap(tmp_path: Path) -> None:
    atomic.write(f"{tmp_path}/f", b"12345")
    assert atomic.read(f"{tmp_path}/f", max_bytes=5) == b"12345"
    assert code(atomic.read, f"{tmp_path}/f", max_bytes=4) == "too-large"


def test_sweeping_removes_only_what_was_left_unfinished(tmp_path: Path) -> None:
    atomic.write(f"{tmp_path}/f", b"")
    (tmp_path / "f.0123456789ab.tmp").touch()
    assert atomic.sweep(str(tmp_path)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    assert atomic.sweep(str(tmp_path)) == 0


def test_what_is_set_aside_replaces_an_earlier_one(tmp_path: Path) -> None:
    for text in ("one", "two"):
        (tmp_path / "f").write_text(text)
        assert atomic.set_aside(f"{tmp_path}/f") == f"{tmp_path}/f.corrupt"
    assert (tmp_path / "f.corrupt").read_text() == "two"
    (tmp_path / "f").mkdir()
    assert atomic.set_aside(f"{tmp_path}/f") != f"{tmp_path}/f.corrupt"
