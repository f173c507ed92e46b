"""Golden files of learning content (docs/formats.md): a whole store and its list of wishes, read by every
version and, apart from what SQLite and LZMA lay out as they like, written exactly so.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.content import listing, shelf, wishes
from agent.content.edition import Edition
from agent.content.installing import install
from agent.content.library import Library, Page
from agent.content.listing import Track
from agent.content.manifest import Manifest
from agent.content.packs import Packs
from agent.content.shelf import edition_path
from agent.content.version import read_files, read_manifest
from agent.content.wishes import Other, Wish, Wishes
from tests.content.example import Maker

GOLDEN = Path(__file__).parents[1] / "cases" / "formats" / "content"
STORE = GOLDEN / "store"
MANIFEST = "117612c1e32439ecf2c7769efdea4758370826c77886daa9a5b769512872e102"
FILM = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 12
PAGES = {
    "index.html": b"<!doctype html><html lang=en><title>Water</title><p>It <b>rises</b>, it falls.</html>\n",
    "ar/index.html": "<!doctype html><html lang=ar dir=rtl><title>بحر</title></html>\n".encode(),
    "film.mp4": FILM,
    "film.ar.vtt": "WEBVTT\n\n00:00.000 --> 00:02.000\nبحر\n".encode(),
}
WISHES = Wishes(
    "3-7-11",
    (
        Wish(
            id="water",
            role="science",
            manifest=MANIFEST,
            manifest_size=500,
            size=4000,
            stored=1900,
            files=4,
            title={"ar": "بحر", "en": "Water"},
            form="site",
            lang="en",
            subject="science",
            grade=("5", "6"),
            licence="CC-BY-4.0",
            pin=True,
            due="2027-03-01",
        ),
        Wish("tides", "science", "0" * 64, 300, 90, 80, 1, {"en": "Tides"}, "image"),
    ),
    (Other("staff", "ict", {"en": "For the staff room"}),),
)


def make_store(folder: Path) -> None:
    """The store that is golden, as the writers of today make it."""
    make = Maker(folder)
    known: dict[str, dict[str, object]] = {
        "index.html": {"title": "Water", "lang": "en", "direction": "ltr", "order": 1},
        "ar/index.html": {"title": "بحر", "lang": "ar", "direction": "rtl", "order": 2},
        "film.mp4": {"title": "The film", "tracks": (Track("film.ar.vtt", "ar", "captions"),)},
    }
    packed = make.pack([make.source(path, data, **known.get(path, {})) for path, data in PAGES.items()])
    more: dict[str, Any] = {"subject": "science", "grade": ("5", "6"), "licence": "CC-BY-4.0", "pinned": True}
    water = make.add("science.water", packed, {"ar": "بحر", "en": "Water"}, **more, due="2027-03-01")
    tides = replace(water, key="science.tides", id="tides", manifest="0" * 64, edition="", here=40)
    make.put(replace(tides, title={"en": "Tides"}, state="fetching", why="bad-content", message="damaged"))
    shutil.rmtree(folder / "sources")


def contents(library: Library, key: str) -> dict[str, bytes]:
    return {page.path: whole(library, page) for page in library.pages(key)}


def whole(library: Library, page: Page) -> bytes:
    with library.open(page) as stream:
        return b"".join(iter(lambda: stream.read(1 << 16), b""))


def test_a_golden_store_opens() -> None:
    library = Library(str(STORE))
    assert contents(library, "science.water") == PAGES
    assert [(item.key, item.state, item.opens) for item in library.items()] == [
        ("science.tides", "fetching", False),
        ("science.water", "ready", True),
    ]
    assert {hit.path for hit in library.search("بحر")} == {"", "ar/index.html"}


def test_a_golden_version_is_installed_again_to_the_same_index(tmp_path: Path) -> None:
    packs = Packs(str(STORE / "packs"))
    install(packs, read_manifest(packs, MANIFEST), f"{tmp_path}/again.db")
    again, golden = (
        Edition(f"{tmp_path}/again.db"),
        Edition(edition_path(str(STORE), "science.water", MANIFEST)),
    )
    assert tuple(again.files()) == tuple(golden.files())
    assert [file.path for file in again.files()] == sorted(PAGES)
    film = again.file("film.mp4")
    assert film is not None
    assert film.tracks == (Track("film.ar.vtt", "ar", "captions"),)


def test_a_golden_manifest_and_listing_are_written_to_the_same_bytes() -> None:
    packs = Packs(str(STORE / "packs"))
    data = (STORE / "packs" / MANIFEST[:2] / MANIFEST).read_bytes()
    parsed = Manifest.from_bytes(data)
    assert parsed.to_bytes() == data
    written = list(listing.segments(read_files(packs, parsed)))
    assert written == [packs.piece(piece) for piece in parsed.segments]


def test_the_golden_shelf_is_written_to_the_same_bytes(tmp_path: Path) -> None:
    read = shelf.read(str(STORE))
    assert read is not None
    shelf.write(str(tmp_path), read)
    assert (tmp_path / "shelf.json").read_bytes() == (STORE / "shelf.json").read_bytes()


def test_the_golden_wishes_are_read_and_written_to_the_same_bytes() -> None:
    assert wishes.read(str(GOLDEN / "content.json")) == WISHES
    assert wishes.to_bytes(WISHES) == (GOLDEN / "content.json").read_bytes()
