"""Packing: the same in, the same out; what is stored is pointed to; what is dead is tidied up; all of it
reads back."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.content.installing import install
from agent.content.manifest import Manifest
from agent.content.packs import Packs
from agent.content.stream import Stream
from agent.content.version import read_files
from agent.core.errors import BookbagError
from agent.fleet.content import packing, reuse
from agent.fleet.content.packing import Packed, Source, pack_version
from agent.fleet.content.reuse import Reuse, find, known
from tests.content.example import page

NOISE = random.Random(7).randbytes(24 << 20)


class Shelf:
    """A desk's blobs in a folder, and versions packed one after another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.blobs = Packs(str(folder / "blobs"))
        (folder / "files").mkdir(parents=True)

    def source(self, path: str, data: bytes) -> Source:
        sha256 = hashlib.sha256(data).hexdigest()
        place = self.folder / "files" / sha256
        place.write_bytes(data)
        return Source(path, place, len(data), sha256)

    def pack(
        self, files: Mapping[str, bytes], former: Packed | None = None, others: tuple[Packed, ...] = ()
    ) -> Packed:
        sources = [self.source(path, data) for path, data in files.items()]
        wanted = {source.path: source.sha256 for source in sources}
        before = known(self.blobs, former.sha256) if former else None
        beside = [known(self.blobs, other.sha256) for other in others]
        return pack_version(sources, "site", min(files), self.blobs, find(self.blobs, before, beside, wanted))

    def read(self, packed: Packed) -> dict[str, bytes]:
        found = {}
        for file in read_files(self.blobs, packed.manifest):
            with Stream(self.blobs, file, 0, file.size) as stream:
                data = b""
                while more := stream.read(1 << 20):
                    data += more
            assert hashlib.sha256(data).hexdigest() == file.sha256
            found[file.path] = data
        return found


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "one")


def pages(count: int = 60, size: int = 200) -> dict[str, bytes]:
    """Pages that are alike, as pages of one book are."""
    words = random.Random(5)
    vocabulary = ["".join(words.choices("abcdefghijklmnop", k=words.randint(3, 9))) for _ in range(800)]
    text = [" ".join(words.choices(vocabulary, k=12)) for _ in range(count * size)]
    return {
        f"p{number:03}.html": page(f"Page {number}", "".join(f"<p>{line}." for line in text[number::count]))
        for number in range(count)
    }


def test_the_same_files_give_the_same_bytes_in_any_order(shelf: Shelf, tmp_path: Path) -> None:
    files = {**pages(), "a.png": NOISE[:70_000], "b.bin": NOISE[:300_000], "empty.txt": b""}
    first = shelf.pack(files)
    second = Shelf(tmp_path / "two").pack(dict(reversed(files.items())))
    assert first.sha256 == second.sha256
    assert first.manifest == second.manifest
    assert shelf.read(first) == files


def test_a_manifest_reads_back_to_itself(shelf: Shelf) -> None:
    packed = shelf.pack(pages())
    assert Manifest.from_bytes(packed.manifest.to_bytes()) == packed.manifest


def test_alike_pages_pack_tightly_and_pictures_are_left_alone(shelf: Shelf) -> None:
    text = shelf.pack(pages())
    assert text.manifest.stored < text.manifest.size / 3
    picture = shelf.pack({"a.png": NOISE[:500_000]})
    assert 500_000 <= picture.manifest.stored < 501_000


def test_one_percent_edited_costs_about_that_much(shelf: Shelf) -> None:
    files = pages(200)
    first = shelf.pack(files)
    for path in ("p007.html", "p107.html"):
        data = files[path]
        files[path] = data[:3000] + b" A sentence that a teacher put in later. " + data[3000:]
    second = shelf.pack(files, first)
    assert shelf.read(second) == files
    assert second.fresh < 8000 < first.manifest.stored / 10
    assert {pack.sha256 for pack in first.manifest.packs} & {pack.sha256 for pack in second.manifest.packs}


def test_a_large_file_edited_in_many_places_costs_what_changed(shelf: Shelf) -> None:
    first = shelf.pack({"big.bin": NOISE})
    edited = bytearray(NOISE)
    for number in range(20):
        edited[number << 20 : (number << 20) + 4096] = random.Random(number).randbytes(4096)
    second = shelf.pack({"big.bin": bytes(edited)}, first)
    assert shelf.read(second) == {"big.bin": bytes(edited)}
    assert second.fresh <= 1.2 * 20 * 4096


def test_a_large_film_spans_packs_and_is_not_touched(shelf: Shelf) -> None:
    packed = shelf.pack({"film.mp4": NOISE[: 9 << 20]})
    sizes = [pack.size for pack in packed.manifest.packs]
    assert max(sizes) <= packing.PACK + packing.LEAST_PIECE
    assert len(sizes) >= 3
    assert shelf.read(packed) == {"film.mp4": NOISE[: 9 << 20]}


def test_identical_files_are_stored_once_in_an_item(shelf: Shelf) -> None:
    packed = shelf.pack({"a.png": NOISE[:400_000], "copy/a.png": NOISE[:400_000]})
    assert packed.manifest.stored < 401_000
    assert set(shelf.read(packed)) == {"a.png", "copy/a.png"}


def test_a_picture_that_another_item_has_is_not_stored_again(shelf: Shelf) -> None:
    english = shelf.pack({"en.html": page("English", "x" * 500), "map.png": NOISE[:800_000]})
    farsi = shelf.pack(
        {"fa.html": page("فارسی", "y" * 500, "fa"), "map.png": NOISE[:800_000]}, None, (english,)
    )
    assert farsi.fresh < 3000
    assert shelf.read(farsi)["map.png"] == NOISE[:800_000]


def test_a_pack_is_not_fetched_for_a_little_of_it(shelf: Shelf) -> None:
    """A laptop that has only the second item would fetch megabytes for one icon."""
    first = shelf.pack({"film.mp4": NOISE[: 3 << 20], "icon.png": NOISE[-2000:]})
    second = shelf.pack({"index.html": page("x", "y"), "icon.png": NOISE[-2000:]}, None, (first,))
    assert second.manifest.stored < 10_000


def test_what_is_mostly_dead_is_stored_anew(shelf: Shelf) -> None:
    files = {f"{number}.png": NOISE[number * 100_000 :][:100_000] for number in range(10)}
    first = shelf.pack(files)
    left = {path: files[path] for path in list(files)[:3]}
    second = shelf.pack(left, first)
    assert second.manifest.stored < 310_000
    assert shelf.read(second) == left
    third = shelf.pack(dict(list(files.items())[:7]), first)
    assert third.fresh < 3000, "mostly alive: nothing is stored anew"


def test_a_hundred_small_edits_do_not_leave_a_hundred_packs(shelf: Shelf) -> None:
    files = pages(20, 60)
    packed = shelf.pack(files)
    for number in range(40):
        path = f"p{number % 20:03}.html"
        files[path] = files[path].replace(b"</h1>", f"</h1><p>Edit {number}.".encode(), 1)
        packed = shelf.pack(files, packed)
        assert len(packed.manifest.packs) <= reuse.MOST_SMALL + 6
    assert shelf.read(packed) == files


def test_nothing_changed_gives_the_same_version(shelf: Shelf) -> None:
    first = shelf.pack(pages())
    second = shelf.pack(pages(), first)
    assert second.sha256 == first.sha256
    assert second.fresh == 0


def test_what_is_packed_installs(shelf: Shelf, tmp_path: Path) -> None:
    packed = shelf.pack({"index.html": page("One", "x"), **pages(), "film.mp4": NOISE[: 5 << 20]})
    done: list[int] = []
    install(shelf.blobs, packed.manifest, str(tmp_path / "edition.db"), done.append)
    assert sum(done) == packed.manifest.size


def test_a_file_that_shrinks_meanwhile_is_an_error(shelf: Shelf, tmp_path: Path) -> None:
    source = shelf.source("a.html", b"x" * 100)
    source.place.write_bytes(b"x")
    with pytest.raises((OSError, BookbagError)):
        pack_version([source], "site", "a.html", shelf.blobs, Reuse())
