"""What an item is, read from its files: how it is opened, in which order, in which language, under which
titles."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent.content.languages import is_language
from agent.content.types import TYPES, ending
from agent.core.errors import BookbagError
from agent.fleet.content import captions, pages
from agent.fleet.content.documents import read_pdf
from agent.fleet.content.epub import Book, read_book
from agent.fleet.content.intake import Brought
from agent.fleet.content.packing import Source
from agent.fleet.content.pages import Facts

STEP = 1 << 20
_INDEX = ("index.html", "index.htm", "index.xhtml", "default.html")
_NUMBERS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class Described:
    """An item before it is packed. ``title`` and ``lang`` are "" where nothing says them."""

    sources: tuple[Source, ...]
    form: str
    entry: str
    title: str
    lang: str


@dataclass(slots=True)
class _Shape:
    form: str
    entry: str
    order: list[str] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)
    title: str = ""
    lang: str = ""
    direction: str = ""


def describe(
    brought: Brought, scratch: Path, *, entry: str = "", step: Callable[[int], None] = lambda done: None
) -> Described:
    """Read every file once. ``step`` hears of bytes. Raises ``bad-content``, ``bad-argument`` (no such
    entry)."""
    files, root = list(brought.files), brought.root
    files, places = _captions(files, root, scratch)
    shape = _shape(brought, files, entry)
    sources = []
    for path in files:
        source = _source(path, places.get(path, root / path), step)
        sources.append(_described(source, shape, files))
    first = next(source for source in sources if source.path == shape.entry)
    lang = shape.lang or first.lang or _most_common([source.lang for source in sources])
    return Described(
        sources=tuple(_beside_item(source, lang) for source in sources),
        form=shape.form,
        entry=shape.entry,
        title=shape.title or first.title,
        lang=lang,
    )


def _captions(files: list[str], root: Path, scratch: Path) -> tuple[list[str], dict[str, Path]]:
    """Captions are looked at and, where they must, made into WebVTT: (names, where those made here lie)."""
    places: dict[str, Path] = {}
    names = []
    for path in files:
        if ending(path) not in captions.ENDINGS:
            names.append(path)
            continue
        made = captions.as_vtt((root / path).read_bytes()[: 8 << 20], path)
        name = f"{path[:-4]}.vtt"
        if ending(path) == "srt" and name in files:
            continue  # both forms are there
        place = scratch / f"captions-{len(places)}.vtt"
        place.write_bytes(made)
        places[name] = place
        names.append(name)
    return sorted(names), places


def _shape(brought: Brought, files: list[str], entry: str) -> _Shape:
    if entry and entry not in files:
        raise BookbagError(
            "bad-argument", f"cannot open it at {entry!r}: no such file is in it", remedy="--entry PATH"
        )
    if brought.kind == "epub" and not entry:
        return _book(read_book(brought.root))
    index = entry or next((name for name in _INDEX if name in files), "")
    if index and ending(index) in pages.ENDINGS:
        return _Shape("site", index)
    media = [name for name in files if ending(name) != "vtt"]
    forms = {_form(name) for name in media}
    if len(forms) == 1 and (form := next(iter(forms))) != "site":
        ordered = sorted(media, key=_natural)
        return _Shape(form, entry or ordered[0], ordered if len(ordered) > 1 else [])
    if entry:
        return _Shape(_form(entry), entry)
    raise BookbagError(
        "bad-content",
        "cannot tell how to open this: there is no index.html, and it is not all of one kind",
        remedy="name the page to open first: --entry PATH",
    )


def _book(book: Book) -> _Shape:
    return _Shape(
        form="book",
        entry=book.chapters[0],
        order=list(book.chapters),
        titles=dict(book.titles),
        title=book.title,
        lang=book.lang,
        direction=book.direction,
    )


def _form(path: str) -> str:
    kind = ending(path)
    if kind in pages.ENDINGS:
        return "site"
    if kind == "pdf":
        return "document"
    top = TYPES.get(kind, "").partition("/")[0]
    return top if top in ("video", "audio", "image") else "file"


def _source(path: str, place: Path, step: Callable[[int], None]) -> Source:
    digest = hashlib.sha256()
    size = 0
    with place.open("rb") as file:
        while data := file.read(STEP):
            digest.update(data)
            size += len(data)
            step(len(data))
    return Source(path, place, size, digest.hexdigest())


def _described(source: Source, shape: _Shape, files: list[str]) -> Source:
    facts = _facts(source)
    order = shape.order.index(source.path) + 1 if source.path in shape.order else 0
    video = ending(source.path) in captions.VIDEOS
    tracks = captions.tracks_of(source.path, files) if video else ()
    title = shape.titles.get(source.path) or facts.title
    if not title and (order or source.path == shape.entry) and shape.form not in ("site", "book"):
        title = _spoken(source.path)
    direction = facts.direction or (shape.direction if order else "")
    return replace(source, title=title, lang=facts.lang, direction=direction, order=order, tracks=tracks)


def _facts(source: Source) -> Facts:
    kind = ending(source.path)
    if kind in pages.ENDINGS:
        with source.place.open("rb") as file:
            return pages.read_page(file.read(pages.LOOKED_AT))
    if kind == "pdf":
        return read_pdf(source.place)
    if kind == "vtt":
        words = source.path.rpartition("/")[2].split(".")[1:-1]
        return Facts(lang=next((word for word in words if is_language(word)), ""))
    return Facts()


def _beside_item(source: Source, lang: str) -> Source:
    """Without what is the item's own anyhow."""
    return replace(source, lang="" if source.lang == lang else source.lang)


def _most_common(langs: list[str]) -> str:
    known = sorted(lang for lang in langs if lang)
    return max(known, key=known.count) if known else ""


def _natural(path: str) -> list[tuple[int, str]]:
    """``2 rivers`` before ``10 hills``."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part) for part in _NUMBERS.split(path.lower()) if part
    ]


def _spoken(path: str) -> str:
    """A file's name as a title."""
    name = path.rpartition("/")[2].rpartition(".")[0]
    return pages.tidy(re.sub(r"[_\-.]+", " ", name))
