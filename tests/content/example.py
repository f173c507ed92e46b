"""A small library made by the real writers: what a desk packs, installed as a laptop installs it.

``example_library(folder)`` makes a store of six items in three languages; `Maker` makes any other.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from agent.content import search, shelf
from agent.content.edition import Edition
from agent.content.installing import install
from agent.content.languages import direction
from agent.content.library import Library
from agent.content.listing import Track
from agent.content.packs import Packs
from agent.content.search import Place
from agent.content.shelf import READY, Item, Shelf, edition_path
from agent.fleet.content.packing import Packed, Source, pack_version
from agent.fleet.content.reuse import Reuse


def page(title: str, body: str, lang: str = "en") -> bytes:
    """One page of HTML."""
    head = (
        f"<!doctype html><html lang={lang} dir={direction(lang)}><meta charset=utf-8><title>{title}</title>"
    )
    return f"{head}<h1>{title}</h1>{body}".encode()


def picture(width: int = 8, height: int = 8) -> bytes:
    """A small grey PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\x80" * width for _ in range(height))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class Maker:
    """Packs files and installs them in the store at ``folder``, without desk, network or worker between."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.packs = Packs(str(folder / "packs"))
        for name in ("packs", "editions", "opened", "sources"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def source(self, path: str, data: bytes, **known: object) -> Source:
        """``data`` as a file to be packed."""
        sha256 = hashlib.sha256(data).hexdigest()
        place = self.folder / "sources" / sha256
        place.write_bytes(data)
        return replace(Source(path, place, len(data), sha256), **known)  # type: ignore[arg-type]

    def page(self, path: str, title: str, body: str, lang: str = "en", order: int = 0) -> Source:
        """A page of HTML to be packed."""
        return self.source(path, page(title, body, lang), title=title, order=order)

    def pack(
        self,
        sources: Sequence[Source],
        form: str = "site",
        entry: str = "index.html",
        reuse: Reuse | None = None,
    ) -> Packed:
        """As the desk does it."""
        return pack_version(sources, form, entry, self.packs, reuse or Reuse())

    def add(
        self, key: str, packed: Packed, title: Mapping[str, str], lang: str = "en", **known: object
    ) -> Item:
        """Install a version and put its item on the shelf, in place of an earlier version."""
        install(self.packs, packed.manifest, edition_path(str(self.folder), key, packed.sha256))
        item = Item(
            key=key,
            id=key.partition(".")[2],
            role=key.partition(".")[0],
            manifest=packed.sha256,
            title=dict(title),
            lang=lang,
            direction=direction(lang) or "ltr",
            size=packed.manifest.size,
            stored=packed.manifest.stored,
            files=packed.manifest.files,
            form=packed.manifest.form,
            entry=packed.manifest.entry,
            state=READY,
            here=packed.manifest.stored,
            edition=packed.sha256,
        )
        item = replace(item, **known)  # type: ignore[arg-type]
        self.put(item)
        return item

    def put(self, item: Item) -> None:
        """Put any item on the shelf, here or not."""
        before = shelf.read(str(self.folder)) or Shelf()
        items = (*(one for one in before.items if one.key != item.key), item)
        self.write(replace(before, items=tuple(sorted(items, key=lambda one: one.key))))

    def write(self, whole: Shelf) -> None:
        """Write a shelf with the index of titles that fits."""
        places = []
        for item in whole.items:
            if not item.edition:
                continue
            places += [Place(item.key, item.edition, "", lang, text) for lang, text in item.title.items()]
            edition = Edition(edition_path(str(self.folder), item.key, item.edition))
            places += [
                Place(item.key, item.edition, file.path, file.lang or item.lang, file.title)
                for file in edition.files()
                if file.title
            ]
            edition.close()
        name = f"search-{os.urandom(6).hex()}.db"
        search.write(str(self.folder / name), places)
        shelf.write(str(self.folder), replace(whole, search=name))


def example_library(folder: Path) -> Library:
    """A site and a book in English, a site in Farsi, a video with captions in Arabic and English, a PDF that
    is still being fetched, and a dictionary for which there is no room."""
    make = Maker(folder)
    site = [
        make.page("index.html", "Fractions", "<a href=halves.html>Halves</a><img src=half.png alt=Half>"),
        make.page("halves.html", "Halves and quarters", "<p>Half of half"),
        make.source("half.png", picture()),
        make.source("style.css", b"body { margin: 2rem }\n"),
    ]
    titles = {"en": "Fractions", "ar": "الكسور"}
    make.add("maths.fractions", make.pack(site), titles, subject="mathematics", grade=("5", "6"))
    farsi = [make.page("index.html", "کسرها", "<p>نصف", "fa"), make.source("half.png", picture())]
    titles = {"fa": "کسرها"}
    make.add("maths.fractions-fa", make.pack(farsi), titles, "fa", subject="mathematics", grade=("5",))
    book = [
        make.page("c1.xhtml", "Down the rabbit-hole", "<p>Alice was beginning", order=1),
        make.page("c2.xhtml", "The pool of tears", "<p>Curiouser", order=2),
        make.source("map.png", picture(16, 16)),
    ]
    titles = {"en": "Alice’s Adventures"}
    make.add("library.alice", make.pack(book, "book", "c1.xhtml"), titles, subject="reading")
    tracks = (Track("water.ar.vtt", "ar", "captions"), Track("water.en.vtt", "en", "captions"))
    begin = "WEBVTT\n\n00:00.000 --> 00:02.000\n"
    video = [
        make.source("water.mp4", bytes(range(256)) * 4096, title="The water cycle", tracks=tracks),
        make.source("water.ar.vtt", f"{begin}ماء\n".encode(), lang="ar"),
        make.source("water.en.vtt", f"{begin}Water\n".encode()),
    ]
    titles = {"en": "The water cycle"}
    packed = make.pack(video, "video", "water.mp4")
    make.add("science.water", packed, titles, subject="science", pinned=True)
    _not_here(make)
    return Library(str(folder))


def _not_here(make: Maker) -> None:
    half = Item(
        key="science.lab-safety",
        id="lab-safety",
        role="science",
        manifest="1" * 64,
        title={"en": "Lab safety"},
        lang="en",
        direction="ltr",
        size=900_000,
        stored=800_000,
        files=1,
        form="document",
        entry="safety.pdf",
        state="fetching",
        here=504_000,
    )
    make.put(half)
    why = "it needs 8.0 GiB, and 2.1 GiB are left for learning content"
    large = replace(half, key="library.dictionary", id="dictionary", role="library", manifest="2" * 64)
    make.put(
        replace(
            large, title={"en": "Dictionary"}, size=9 << 30, stored=8 << 30, state="over-quota", message=why
        )
    )
