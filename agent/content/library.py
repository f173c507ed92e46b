"""The read side of the store, for the portal: another user, who may look and nothing else.

``Library(layout.content)`` sees what the content worker last finished; every call looks whether there is
something newer. Nothing here waits for anybody, and a version that is being read stays until it is closed.
Of damage that reading meets word is left for the content worker, which looks for it and has it fetched again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from agent.content import edition as editions
from agent.content import search, shelf
from agent.content.edition import Edition
from agent.content.languages import best, direction
from agent.content.listing import File, Track
from agent.content.manifest import Piece
from agent.content.marks import DAMAGED, NEWS, WANT, leave
from agent.content.packs import Packs
from agent.content.shelf import Item, Shelf, edition_path
from agent.content.stream import Stream
from agent.content.types import content_type
from agent.core.errors import BookbagError

SHORT = 16  #: characters of a version's hash that stand for it in an address
KEPT_OPEN = 4  #: indexes

__all__ = ["Hit", "Item", "Library", "Page", "Stream", "Track"]


@dataclass(frozen=True, slots=True)
class Page:
    """One file of an item, as it is offered. ``lang`` and ``direction`` are the file's own or else the
    item's."""

    item: str  #: key
    edition: str  #: the version's sha256; its first `SHORT` characters stand for it too
    path: str
    size: int
    type: str
    etag: str  #: sha256 of the content: strong, the same wherever the same bytes are
    title: str
    lang: str
    direction: str
    tracks: tuple[Track, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found. ``path`` is the page to open; "": the item itself."""

    item: Item
    path: str
    title: str
    lang: str
    direction: str


class Library:
    """What there is to read in the store at ``folder``. One thread."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._marks = f"{folder}/opened"
        self._pieces = _Watched(Packs(f"{folder}/packs"), self._marks)
        self._shelf = Shelf()
        self._seen: tuple[int, int, int] = (0, 0, 0)
        self._open: dict[str, Edition] = {}

    def close(self) -> None:
        """Give back what is kept open between calls. Streams stay open until they are closed."""
        for one in self._open.values():
            one.close()
        self._open.clear()

    # -- what there is

    def items(self) -> tuple[Item, ...]:
        """Everything that is meant for this laptop, here or not; `Item.opens` says which can be read now."""
        return self._look().items

    def item(self, key: str) -> Item:
        """One of them. Raises ``not-found``."""
        found = self._look().item(key)
        if found is None:
            raise BookbagError("not-found", f"cannot find {key[:80]!r} among this laptop's learning content")
        return found

    def room(self) -> tuple[int, int]:
        """(bytes that learning content takes, bytes that it may take)."""
        seen = self._look()
        return seen.used, seen.room

    # -- inside an item

    def page(self, key: str, path: str = "", *, edition: str = "") -> Page:
        """One file of an item: of the version that opens now, or of an earlier ``edition`` that is still
        here; ``path`` "" is what to open first. Raises ``not-found``, ``state-corrupt``."""
        item, version = self._version(key, edition)
        wanted = path or (item.entry if version == item.edition else "")
        file = self._file(key, version, wanted)
        if file is None:
            raise BookbagError("not-found", f"cannot find {wanted[:200]!r} in {key}")
        return _page(item, version, file)

    def pages(self, key: str, prefix: str = "", *, edition: str = "") -> Iterator[Page]:
        """Every file of an item whose path begins so, by path."""
        item, version = self._version(key, edition)
        with _watched(self._marks):
            for file in self._edition(key, version).files(prefix):
                yield _page(item, version, file)

    def chapters(self, key: str, *, edition: str = "") -> tuple[Page, ...]:
        """A book's chapters in the order of reading; none where an item has no order."""
        item, version = self._version(key, edition)
        with _watched(self._marks):
            return tuple(_page(item, version, file) for file in self._edition(key, version).chapters())

    def open(self, page: Page, first: int = 0, length: int | None = None) -> Stream:
        """The bytes of ``page`` from ``first`` on, ``length`` of them (None: to the end), a piece at a time.

        Holds the version until it is closed. Raises ``not-found`` (the version is gone: ask for the page
        anew), ``bad-argument`` for a range outside the file, ``state-corrupt`` (also while it is read).
        """
        if not 0 <= first <= page.size or (length is not None and not 0 <= length <= page.size - first):
            raise BookbagError(
                "bad-argument", "cannot open this range: it lies outside the file", place=page.path
            )
        path = edition_path(self._folder, page.item, page.edition)
        release = editions.hold(path)
        try:
            self._mark(page)
            file = self._file(page.item, page.edition, page.path)
            if file is None:
                raise BookbagError("not-found", f"cannot find {page.path!r} in {page.item}")
        except BaseException:
            release()
            raise
        return Stream(self._pieces, file, first, page.size - first if length is None else length, release)

    def want(self, key: str) -> None:
        """Somebody waits for an item that is not here: it is fetched before all others, if it can be. Raises
        ``not-found`` for what is not meant for this laptop."""
        if not self.item(key).opens and leave(self._marks, f"{key}@{WANT}"):
            leave(self._marks, NEWS)

    # -- search

    def search(self, text: str, languages: Sequence[str] = (), most: int = 50) -> list[Hit]:
        """What fits ``text``: titles of items and of pages, the learner's ``languages`` first. [] for no
        words."""
        seen = self._look()
        if not seen.search:
            return []
        items = {item.key: item for item in seen.items}
        found = []
        for place in search.find(f"{self._folder}/{seen.search}", text, languages, most):
            item = items.get(place.item)
            if item is not None and item.edition == place.edition:
                way = item.direction if place.lang == item.lang else direction(place.lang)
                found.append(Hit(item, place.path, place.title, place.lang, way))
        return found

    # -- inside

    def _look(self) -> Shelf:
        try:
            found = os.stat(f"{self._folder}/{shelf.NAME}")
        except OSError:
            self._shelf, self._seen = Shelf(), (0, 0, 0)
            return self._shelf
        now = (found.st_ino, found.st_size, found.st_mtime_ns)
        if now != self._seen:
            self._shelf = shelf.read(self._folder) or Shelf()
            self._seen = now
            self.close()
        return self._shelf

    def _version(self, key: str, edition: str) -> tuple[Item, str]:
        item = self.item(key)
        if not edition and not item.edition:
            raise BookbagError("not-found", f"cannot open {key}: it is not here yet", remedy=item.message)
        if not edition:
            return item, item.edition
        known = [version for one, version in self._look().editions() if one == key]
        for version in known:
            if len(edition) >= SHORT and version.startswith(edition):
                return item, version
        raise BookbagError("not-found", f"cannot open this version of {key}: it is gone")

    def _file(self, key: str, version: str, path: str) -> File | None:
        with _watched(self._marks):
            return self._edition(key, version).file(path)

    def _edition(self, key: str, version: str) -> Edition:
        path = edition_path(self._folder, key, version)
        found = self._open.pop(path, None) or Edition(path)
        self._open[path] = found
        while len(self._open) > KEPT_OPEN:
            self._open.pop(next(iter(self._open))).close()
        return found

    def _mark(self, page: Page) -> None:
        """Leave word of when this version was last opened: room is made by what nobody opens. A file's time,
        no content; where this user may not, nothing is lost."""
        leave(self._marks, f"{page.item}@{page.edition}")


class _Watched:
    """The pieces of the store, as `agent.content.stream.Pieces` has them."""

    def __init__(self, packs: Packs, marks: str) -> None:
        self._packs = packs
        self._marks = marks

    def read(self, sha256: str, first: int, length: int) -> bytes:
        with _watched(self._marks):
            return self._packs.read(sha256, first, length)

    def piece(self, piece: Piece) -> bytes:
        with _watched(self._marks):
            return self._packs.piece(piece)


@contextmanager
def _watched(marks: str) -> Iterator[None]:
    """Leave word of damage that is met within."""
    try:
        yield
    except BookbagError as problem:
        if problem.code == "state-corrupt" and leave(marks, DAMAGED):
            leave(marks, NEWS)
        raise


def title(item: Item, languages: Sequence[str]) -> tuple[str, str]:
    """(language, title) of an item for somebody who reads ``languages``."""
    titles: Mapping[str, str] = item.title
    return best(dict(titles), languages)


def _page(item: Item, version: str, file: File) -> Page:
    lang = file.lang or item.lang
    way = file.direction or (direction(file.lang) if file.lang else item.direction)
    return Page(
        item=item.key,
        edition=version,
        path=file.path,
        size=file.size,
        type=content_type(file.path),
        etag=file.sha256,
        title=file.title,
        lang=lang,
        direction=way,
        tracks=file.tracks,
    )
