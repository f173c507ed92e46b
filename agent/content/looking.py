"""One look of the content worker: take what arrived, make whole versions readable, choose what stays, say
what is missing.

The order is what survives a power cut at any moment: packs, then a version's index, then the index of titles,
then the shelf, each durable before the next; what the new shelf no longer names is removed after. A look that
was cut off leaves files that nobody names, and the next one removes them.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from agent.content import keeping, shelf, titles
from agent.content.arrivals import Arrivals
from agent.content.bounds import MOST_MANIFEST
from agent.content.edition import is_held
from agent.content.installing import install
from agent.content.keeping import Kept, Standing
from agent.content.languages import direction
from agent.content.manifest import Manifest
from agent.content.marks import Marks
from agent.content.packs import Packs
from agent.content.shelf import Item, Shelf, edition_path
from agent.content.sizes import spelled
from agent.content.sweeping import sweep
from agent.content.version import read_manifest
from agent.content.wishes import Wish, Wishes
from agent.core import durable
from agent.core.errors import BookbagError

READING = 2 * 3600  #: seconds after which nobody is thought to be in the midst of a version that they opened
WAITING = 600  #: seconds that somebody is thought to wait for what they asked for
MOST_MISSING = 200  #: blobs named at a time
MOST_AHEAD = 256 << 20  #: bytes of them


@dataclass(frozen=True, slots=True)
class Missing:
    """A blob to be fetched."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of a look. ``missing``: what to fetch next, in order; ``asked``: somebody waits for it."""

    shelf: Shelf
    missing: tuple[Missing, ...]
    damaged: tuple[str, ...]  #: blobs in the spool that were not what they should be
    asked: bool
    taken: int  #: bytes that came in
    leftover: bool  #: the spool holds what nobody needs there any more


@dataclass(slots=True)
class _Version:
    """An item on its way through a look."""

    wish: Wish
    manifest: Manifest | None = None
    here: int = 0
    whole: bool = False  #: every blob is here
    opens: bool = False  #: and it has an index
    why: BookbagError | None = None
    missing: list[Missing] = field(default_factory=list)


class Look:
    """A look at the store at ``store``. ``room`` is asked for with the bytes that content takes now;
    ``first``: items that somebody waits for."""

    def __init__(
        self,
        store: str,
        arrivals: Callable[[Packs], Arrivals],
        room: Callable[[int], int],
        today: str,
        step: Callable[[int], None] = lambda done: None,
        first: Collection[str] = (),
    ) -> None:
        self._store = store
        self._room = room
        self._today = today
        self._step = step
        self._first = frozenset(first)
        for name in ("packs", "editions", "opened"):
            if not os.path.isdir(f"{store}/{name}"):
                durable.make_directories(f"{store}/{name}", mode=0o750)
        self.packs = Packs(f"{store}/packs")
        self._arrivals = arrivals(self.packs)
        self._marks = Marks(f"{store}/opened")
        self._before = _last_shelf(store)

    def run(self, wishes: Wishes) -> Looked:
        """Bring the store in line with ``wishes``. Raises ``disk-full`` when there is not even room for the
        shelf."""
        self.packs.sweep()
        used = sum(self.packs.size(name) or 0 for name in self.packs.all())
        room = self._room(used)
        versions = {wish.key: _Version(wish) for wish in wishes.items}
        for version in versions.values():
            self._measure(version)
        kept = self._decide(versions, room)
        for key in kept.order:
            self._advance(versions[key])
        after = self._shelf(versions, kept, used, room)
        after = titles.index(self._store, self._before, after)
        self._write(after)
        self._clean(after, [versions[key] for key in kept.order])
        asked = [key for key in kept.order if self._is_asked(key) and versions[key].missing]
        self._marks.forget(set(versions))
        missing = tuple(self._missing(versions, kept))
        return Looked(
            shelf=after,
            missing=missing,
            damaged=tuple(self._arrivals.damaged),
            asked=bool(asked),
            taken=self._arrivals.taken,
            leftover=self._arrivals.leftover(one.sha256 for one in missing),
        )

    # -- what is here

    def _measure(self, version: _Version) -> None:
        """How much of it is in the store, nothing taken yet."""
        wish = version.wish
        if self.packs.size(wish.manifest) != wish.manifest_size:
            return
        try:
            version.manifest = read_manifest(self.packs, wish.manifest)
        except BookbagError as problem:
            self._unreadable(version, problem)
            return
        packs = version.manifest.packs
        version.here = sum(pack.size for pack in packs if self.packs.size(pack.sha256) == pack.size)

    def _unreadable(self, version: _Version, problem: BookbagError) -> None:
        """A manifest that is damaged here is fetched again; one that its editor made wrong is refused."""
        if self.packs.is_whole(version.wish.manifest):
            version.why = problem
        else:
            self.packs.remove(version.wish.manifest)

    def _decide(self, versions: Mapping[str, _Version], room: int) -> Kept:
        standings = {
            key: Standing(version.here, self._former_size(key), self._marks.last(key), self._is_asked(key))
            for key, version in versions.items()
        }
        return keeping.decide([one.wish for one in versions.values()], standings, room, self._today)

    def _is_asked(self, key: str) -> bool:
        return key in self._first or self._marks.wanted.get(key, WAITING + 1) <= WAITING

    # -- one version

    def _advance(self, version: _Version) -> None:
        """Take what came for it; make it readable if it is whole. A full disk stops this one, not the
        others."""
        try:
            self._take(version)
            if version.whole:
                self._install(version)
        except BookbagError as problem:
            if problem.code not in ("disk-full", "bad-content", "bad-json", "too-large", "format-too-new"):
                raise
            version.why = problem
        if version.opens:
            self._marks.served(version.wish.key)

    def _take(self, version: _Version) -> None:
        wish = version.wish
        if version.why is not None:
            return
        if version.manifest is None:
            if not self._arrivals.take(wish.manifest, wish.manifest_size):
                version.missing.append(Missing(wish.manifest, wish.manifest_size))
                return
            version.manifest = read_manifest(self.packs, wish.manifest)
        self._check(version.manifest, wish)
        version.here = 0
        for pack in version.manifest.packs:
            if self._arrivals.take(pack.sha256, pack.size):
                version.here += pack.size
            else:
                version.missing.append(Missing(pack.sha256, pack.size))
        version.whole = not version.missing

    @staticmethod
    def _check(manifest: Manifest, wish: Wish) -> None:
        """What was signed in the catalogue is what it costs: room was made for that, not for what it says
        here."""
        told = (manifest.stored, manifest.size, manifest.files)
        if told != (wish.stored, wish.size, wish.files):
            raise BookbagError(
                "bad-content",
                f"cannot take {wish.id}: its manifest has other sizes than its catalogue",
                place=wish.manifest,
            )

    def _install(self, version: _Version) -> None:
        assert version.manifest is not None  # noqa: S101 - whole
        path = edition_path(self._store, version.wish.key, version.wish.manifest)
        if not os.path.exists(path):
            try:
                install(self.packs, version.manifest, path, self._step)
            except BookbagError as problem:
                if problem.code != "state-corrupt":
                    raise
                self._mend(version)
                return
        version.opens = True

    def _mend(self, version: _Version) -> None:
        """Something in its packs is damaged: find which, and have those fetched again."""
        assert version.manifest is not None  # noqa: S101 - it was whole
        for pack in version.manifest.packs:
            if not self.packs.is_whole(pack.sha256):
                self.packs.remove(pack.sha256)
                version.here -= pack.size
                version.missing.append(Missing(pack.sha256, pack.size))
        version.whole = False
        if (
            not version.missing
        ):  # whole by their hashes, and yet they do not unpack: that is how they were made
            raise BookbagError("bad-content", f"cannot open {version.wish.id}: it cannot be unpacked")

    # -- the shelf

    def _shelf(self, versions: Mapping[str, _Version], kept: Kept, used: int, room: int) -> Shelf:
        before = {item.key: item for item in self._before.items}
        items = []
        old: dict[str, tuple[str, ...]] = {}
        for key in sorted(versions):
            items.append(self._item(versions[key], kept, before.get(key), room))
        now = {item.key: item.edition for item in items}
        for key, edition in sorted(self._before.editions()):
            if edition != now.get(key) and self._is_read(key, edition, offered=key in now):
                old[key] = (*old.get(key, ()), edition)
        return Shelf(tuple(items), old, "", used + self._arrivals.taken, room)

    def _item(self, version: _Version, kept: Kept, before: Item | None, room: int) -> Item:
        wish, manifest = version.wish, version.manifest
        item = Item(
            key=wish.key,
            id=wish.id,
            role=wish.role,
            manifest=wish.manifest,
            title=dict(wish.title),
            lang=wish.lang,
            direction=direction(wish.lang) or "ltr",
            size=wish.size,
            stored=wish.stored,
            files=wish.files,
            subject=wish.subject,
            grade=wish.grade,
            licence=wish.licence,
            pinned=wish.pin,
            due=wish.due,
            form=wish.form,
            entry=manifest.entry if manifest else "",
            here=version.here,
        )
        if version.opens:
            return replace(item, state=shelf.READY, edition=wish.manifest)
        former = self._former(before)
        if former is not None and (wish.key in kept.order or wish.key in kept.staying):
            # Until the new version is whole, what opens is the old one: at its entry, in its form.
            item = replace(item, edition=former.edition, form=former.form, entry=former.entry)
        lacking = kept.lacking.get(wish.key)
        if lacking is None and before is not None and _was_open(before, wish.manifest):
            return replace(item, state=shelf.MENDING, edition="", message="a part of it was damaged")
        return _explained(item, version, lacking, room)

    def _former_size(self, key: str) -> int:
        """Bytes of an older version that opens, or 0."""
        former = self._former(self._before.item(key))
        if former is None:
            return 0
        with contextlib.suppress(BookbagError):
            return read_manifest(self.packs, former.edition).stored
        return 0

    def _former(self, before: Item | None) -> Item | None:
        """The item as it was, if what opened then still does."""
        if before is None or not before.edition:
            return None
        return before if self._opens(before.key, before.edition) else None

    def _opens(self, key: str, edition: str) -> bool:
        """Whether every byte of a version is here, its index too."""
        if not os.path.exists(edition_path(self._store, key, edition)):
            return False
        try:
            manifest = read_manifest(self.packs, edition)
        except BookbagError:
            return False
        return all(self.packs.size(pack.sha256) == pack.size for pack in manifest.packs)

    def _is_read(self, key: str, edition: str, *, offered: bool) -> bool:
        """Whether somebody may be in the midst of a version. Of an item that is ``offered`` no more, no page
        that is not open already can be asked for."""
        lately = offered and self._marks.opened.get((key, edition), READING + 1) <= READING
        held = is_held(edition_path(self._store, key, edition))
        return (held or lately) and self._opens(key, edition)

    # -- afterwards

    def _write(self, after: Shelf) -> None:
        """Put the shelf on the disk. Where there is no room even for that, what was fetched of versions that
        do not open yet makes some."""
        try:
            shelf.write(self._store, after)
        except BookbagError as problem:
            if problem.code != "disk-full":
                raise
            sweep(self._store, self.packs, (self._before, after))
            shelf.write(self._store, after)

    def _clean(self, after: Shelf, versions: list[_Version]) -> None:
        sweep(self._store, self.packs, (after,), (one for version in versions for one in _blobs(version)))

    def _missing(self, versions: Mapping[str, _Version], kept: Kept) -> Iterator[Missing]:
        """What to fetch next, the most valuable first, no more than is worth naming at a time."""
        seen: set[str] = set()
        ahead = 0
        for key in kept.order:
            for one in versions[key].missing:
                if one.sha256 in seen:
                    continue
                if len(seen) >= MOST_MISSING or (ahead and ahead + one.size > MOST_AHEAD):
                    return
                seen.add(one.sha256)
                ahead += one.size
                yield one


def _was_open(before: Item, manifest: str) -> bool:
    """Whether this very version opened, or has been mended since."""
    return before.edition == manifest or (before.state == shelf.MENDING and before.manifest == manifest)


def _explained(item: Item, version: _Version, lacking: int | None, room: int) -> Item:
    """Why the newest version does not open yet."""
    if lacking is not None:
        why = f"it needs {spelled(item.stored)}, {spelled(lacking)} more than there is room for"
        return replace(item, state=shelf.OVER_QUOTA, message=f"{why} ({spelled(room)} in all)")
    if version.why is not None:
        full = version.why.code == "disk-full"
        state = shelf.OVER_QUOTA if full else shelf.REFUSED
        return replace(item, state=state, why=version.why.code, message=version.why.message[:500])
    if item.edition:
        return replace(item, state=shelf.UPDATING)
    return replace(item, state=shelf.FETCHING if item.here else shelf.WAITING)


def _blobs(version: _Version) -> Iterator[str]:
    yield version.wish.manifest
    if version.manifest is not None:
        yield from (pack.sha256 for pack in version.manifest.packs)


def _last_shelf(store: str) -> Shelf:
    """The shelf as it was; an unreadable one counts as none: what opens is found out again."""
    try:
        return shelf.read(store) or Shelf()
    except BookbagError as problem:
        if problem.code == "format-too-new":
            raise
        return Shelf()


assert MOST_MANIFEST < MOST_AHEAD  # noqa: S101 - the largest manifest can always be named
