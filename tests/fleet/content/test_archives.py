"""The worst archives that anybody can bring: refused with the place, quickly, and nothing is written
outside."""

from __future__ import annotations

import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.content.bounds import MOST_FILES
from agent.core.errors import BookbagError
from agent.fleet.content import archives
from agent.fleet.content.archives import unzip
from tests.fleet.content.material import archive, raw_zip


def refused(path: Path, into: Path) -> BookbagError:
    before = sorted(into.parent.rglob("*"))
    into.mkdir()
    with pytest.raises(BookbagError) as error:
        unzip(path, into)
    outside = [one for one in into.parent.rglob("*") if into not in one.parents and one != into]
    assert sorted(outside) == before, "something was written outside"
    return error.value


def named(name: str) -> Callable[[Path], Path]:
    return lambda path: archive(path, {"good.html": "x", name: "evil"})


def link(path: Path) -> Path:
    info = zipfile.ZipInfo("link")
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    path.write_bytes(raw_zip([(info, b"/etc/passwd")]))
    return path


def fifo(path: Path) -> Path:
    info = zipfile.ZipInfo("pipe")
    info.create_system = 3
    info.external_attr = (stat.S_IFIFO | 0o644) << 16
    path.write_bytes(raw_zip([(info, b"")]))
    return path


def encrypted(path: Path) -> Path:
    data = bytearray(archive(path, {"secret.html": "x"}).read_bytes())
    for signature, at in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        data[data.index(signature) + at] |= 1
    path.write_bytes(data)
    return path


def bomb(path: Path) -> Path:
    return archive(path, {f"zeros-{number}": bytes(100 << 20) for number in range(2)})


def truncated(path: Path) -> Path:
    data = archive(path, {"a.html": "x" * 100_000}).read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def damaged(path: Path) -> Path:
    data = bytearray(archive(path, {"a.html": bytes(range(256)) * 100}).read_bytes())
    data[80] ^= 0xFF
    path.write_bytes(data)
    return path


def million_entries(path: Path) -> Path:
    """Only says so: nobody may begin to make a list of them."""
    data = bytearray(archive(path, {"a.html": "x"}).read_bytes())
    end = data.rindex(b"PK\5\6")
    struct.pack_into("<HH", data, end + 8, 0xFFFF, 0xFFFF)
    path.write_bytes(bytes(data[:end]) + end64(1_000_000, 46_000_000) + locator(end) + bytes(data[end:]))
    return path


def end64(count: int, length: int) -> bytes:
    return struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, length, 0)


def locator(at: int) -> bytes:
    return struct.pack("<4sLQL", b"PK\6\7", 0, at, 1)


def listing(count: int) -> bytes:
    """So many entries of a table of contents."""
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0)
    return (entry + b"a") * count


def more_entries_than_it_says(path: Path) -> Path:
    """Python lists what is there, not what is said."""
    table = listing(MOST_FILES + 1)
    path.write_bytes(table + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(table), 0, 0))
    return path


def two_ends(path: Path) -> Path:
    """A good one where the locator says, and a million entries where Python looks."""
    table = listing(1)
    good, evil = end64(1, len(table)), end64(1_000_000, 47_000_000)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    path.write_bytes(table + good + evil + locator(len(table)) + end)
    return path


def twice(path: Path) -> Path:
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "w") as made:
        made.writestr("a.html", "one")
        made.writestr("a.html", "two")
    return path


def unknown_method(path: Path) -> Path:
    data = bytearray(archive(path, {"a.html": "x"}).read_bytes())
    struct.pack_into("<H", data, data.index(b"PK\1\2") + 10, 97)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (named("../evil.html"), "bad-content", "leads elsewhere"),
        (named("/etc/cron.d/evil"), "bad-content", "leads elsewhere"),
        (named("a/../../evil"), "bad-content", "leads elsewhere"),
        (named("a//b"), "bad-content", "leads elsewhere"),
        (named("C:/evil"), "bad-content", "leads elsewhere"),
        (named("a\\..\\evil"), "bad-content", "leads elsewhere"),
        (named("new\nline.html"), "bad-content", "leads elsewhere"),
        (named("x" * 600), "bad-content", "too long"),
        (named("/".join("d" * 40)), "bad-content", "too long"),
        (named("GOOD.html"), "bad-content", "cannot tell it from"),
        (named("good.html/inside"), "bad-content", "cannot tell it from"),
        (named("\uff47ood.html"), "bad-content", "cannot tell it from"),
        (link, "bad-content", "a link or a device"),
        (fifo, "bad-content", "a link or a device"),
        (encrypted, "bad-content", "encrypted"),
        (bomb, "too-large", "unpacks to"),
        (truncated, "bad-content", "its end is missing"),
        (damaged, "bad-content", "damaged"),
        (million_entries, "too-many", "1000000 entries"),
        (more_entries_than_it_says, "too-many", "more entries than the 1 that it says"),
        (two_ends, "bad-content", "two ends"),
        (twice, "bad-content", "there twice"),
        (unknown_method, "bad-content", "not known here"),
        (lambda path: (path.write_bytes(b"") and path) or path, "bad-content", "no zip"),
        (lambda path: path.write_bytes(b"PK\5\6" * 30) and path, "bad-content", ""),
    ],
)
def test_what_is_refused(make: Callable[[Path], Path], code: str, words: str, tmp_path: Path) -> None:
    error = refused(make(tmp_path / "bad.zip"), tmp_path / "out")
    assert (error.code, words in error.message) == (code, True), error
    assert "bad.zip" in error.place


def test_colliding_spellings_of_one_accent_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "bad.zip", {"caf\u00e9.html": "1", "cafe\u0301.html": "2"})
    assert "cannot tell it from" in refused(path, tmp_path / "out").message


def test_a_form_that_python_does_not_know_is_an_error_with_the_place(tmp_path: Path) -> None:
    path = archive(tmp_path / "new.zip", {"a.html": "x"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\1\2") + 6] = (
        99  # the version that is needed to take it apart: zipfile knows up to 63
    )
    path.write_bytes(data)
    error = refused(path, tmp_path / "into")
    assert (error.code, error.place) == ("bad-content", "new.zip") and "version 9.9" in error.message


def test_the_place_names_the_entry(tmp_path: Path) -> None:
    error = refused(named("a/../../evil")(tmp_path / "bad.zip"), tmp_path / "out")
    assert error.place == "bad.zip: a/../../evil"


def test_what_is_well_formed_is_taken_and_litter_is_not(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "good.zip",
        {"a/b/c.html": "x" * 1000, "صفحه.html": "y", "__MACOSX/._a": "z", ".DS_Store": "", "empty.txt": ""},
    )
    (tmp_path / "out").mkdir()
    done: list[int] = []
    assert sorted(unzip(path, tmp_path / "out", done.append)) == ["a/b/c.html", "empty.txt", "صفحه.html"]
    assert (tmp_path / "out/a/b/c.html").read_text() == "x" * 1000
    assert sum(done) == 1001


def test_a_large_archives_end_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As programs write it beyond 65535 entries."""
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    path = archive(tmp_path / "large.zip", {"a.html": "x", "b.html": "y"})
    assert b"PK\6\6" in path.read_bytes()
    (tmp_path / "out").mkdir()
    assert unzip(path, tmp_path / "out") == ["a.html", "b.html"]


def test_a_file_that_is_larger_than_it_says_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bytearray(archive(tmp_path / "lies.zip", {"a.html": bytes(1 << 20)}).read_bytes())
    struct.pack_into("<L", data, data.index(b"PK\1\2") + 24, 10)
    (tmp_path / "lies.zip").write_bytes(data)
    error = refused(tmp_path / "lies.zip", tmp_path / "out")
    assert error.code == "bad-content"
    assert not [one for one in (tmp_path / "out").rglob("*") if one.stat().st_size > 4096]


def test_each_cap_is_a_cap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = archive(tmp_path / "many.zip", {f"{number}.html": "x" for number in range(5)})
    monkeypatch.setattr(archives, "MOST_FILES", 5)
    (tmp_path / "in").mkdir()
    assert len(unzip(path, tmp_path / "in")) == 5
    monkeypatch.setattr(archives, "MOST_FILES", 4)
    assert refused(path, tmp_path / "out").code == "too-many"
