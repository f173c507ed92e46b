"""Adding an item, or a new version of one: read, describe, pack, and write its record."""

from __future__ import annotations

import dataclasses
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agent.content.bounds import MOST_TITLE
from agent.core.errors import BookbagError
from agent.core.ids import NAME_LENGTH, check_name
from agent.fleet.content import records
from agent.fleet.content.describing import Described, describe
from agent.fleet.content.intake import Brought, take
from agent.fleet.content.packing import Packed, pack_version
from agent.fleet.content.records import ContentRecord
from agent.fleet.content.reuse import Known, Reuse, find, known
from agent.fleet.content.store import Store
from agent.fleet.folder import Folder
from agent.fleet.records import SiteRecord

#: (what is being done, bytes done of it, bytes in all; 0: not known)
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the person who adds it says. None and empty: as it was, or as its files say."""

    id: str = ""
    role: str = ""
    title: Mapping[str, str] = field(default_factory=dict)
    lang: str | None = None
    subject: str | None = None
    grade: tuple[str, ...] | None = None
    licence: str | None = None
    pin: bool | None = None
    due: str | None = None
    audience: Mapping[str, tuple[str, ...]] | None = None
    entry: str = ""
    without_links: bool = False


@dataclass(frozen=True, slots=True)
class Added:
    """What came of it. ``before``: the record that it replaces; ``rebuilt``: the former version's bytes were
    not here, so that nothing of it could be kept."""

    role: str
    record: ContentRecord
    packed: Packed
    before: ContentRecord | None
    rebuilt: bool
    left_out: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Whether its files differ from those that were there before."""
        return self.before is None or self.before.manifest != self.record.manifest


def add(folder: Folder, path: Path, asked: Asked, progress: Progress = lambda what, done, of: None) -> Added:
    """Add ``path`` as an item. The folder's lock is held by the caller. Raises BookbagError with the
    place."""
    site = folder.site()
    role = content_role(site, asked.role)
    name = check_name(asked.id or _named(path), "an item's id")
    before = records.load(folder, role, name) if name in records.ids(folder, role) else None
    store = Store(folder)
    store.prepare()
    folder.make_dir(Path(store.blobs.folder))
    with tempfile.TemporaryDirectory(prefix=".intake-", dir=store.blobs.folder) as scratch:
        counted = _Counting(progress)
        brought = take(path, Path(scratch), without_links=asked.without_links, step=counted("unpacking", 0))
        described = describe(brought, Path(scratch), entry=asked.entry, step=counted("reading", 0))
        former, rebuilt = _former(store, before)
        reuse = _reusable(folder, store, described, former, name)
        total = sum(source.size for source in described.sources)
        step = counted("packing", total)
        packed = pack_version(described.sources, described.form, described.entry, store.blobs, reuse, step)
    record = _record(name, path, asked, described, packed, before)
    records.save(folder, role, record)
    return Added(role, record, packed, before, rebuilt, _left_out(brought))


def content_role(site: SiteRecord, asked: str) -> str:
    """The role that publishes it. Raises ``bad-argument``, ``not-allowed``."""
    able = sorted(name for name, role in site.roles.items() if role.content)
    if asked and asked not in able:
        raise BookbagError(
            "not-allowed",
            f"cannot publish content as {asked!r}: site.yaml does not let that role",
            place="site.yaml: roles",
            remedy=f"these may: {', '.join(able) or 'none; give one `content: true`'}",
        )
    if asked or len(able) == 1:
        return asked or able[0]
    if not able:
        raise BookbagError(
            "not-allowed",
            "cannot publish content: no role may",
            place="site.yaml: roles",
            remedy="give a role `content: true` there, and let two persons publish it",
        )
    raise BookbagError(
        "bad-argument", f"cannot tell who publishes this: {', '.join(able)} may", remedy="--role ROLE"
    )


class _Counting:
    """Sums up what the steps say, for a progress line."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def __call__(self, what: str, of: int) -> Callable[[int], None]:
        done = 0

        def step(size: int) -> None:
            nonlocal done
            done += size
            self._progress(what, done, of)

        return step


def _former(store: Store, before: ContentRecord | None) -> tuple[Known | None, bool]:
    if before is None:
        return None, False
    for blobs in (store.blobs, store.published):
        try:
            return known(blobs, before.manifest), False
        except BookbagError as problem:
            if problem.code not in ("not-found", "state-corrupt"):
                raise
    return None, True


def _reusable(folder: Folder, store: Store, described: Described, former: Known | None, name: str) -> Reuse:
    others = []
    for role in records.roles(folder):
        for other in records.ids(folder, role):
            if other != name:
                try:
                    others.append(known(store.blobs, records.load(folder, role, other).manifest))
                except BookbagError:
                    continue  # what is wrong with another item is `check`'s to say
    wanted = {source.path: source.sha256 for source in described.sources}
    return find(store.blobs, former, others, wanted)


def _record(
    name: str, path: Path, asked: Asked, described: Described, packed: Packed, before: ContentRecord | None
) -> ContentRecord:
    lang = asked.lang if asked.lang is not None else (before.lang if before else described.lang)
    title = dict(before.title) if before else {}
    title |= asked.title
    if not title:
        title = {lang or "und": described.title or path.stem[:MOST_TITLE]}
    facts = {
        "title": title,
        "lang": lang,
        "form": described.form,
        "entry": described.entry,
        "manifest": packed.sha256,
        "manifest_size": len(packed.manifest.to_bytes()),
        "size": packed.manifest.size,
        "stored": packed.manifest.stored,
        "files": packed.manifest.files,
        "made_from": path.name,
    }
    said = {
        key: value
        for key in ("subject", "grade", "licence", "pin", "due", "audience")
        if (value := getattr(asked, key)) is not None
    }
    if before is None:
        return ContentRecord(id=name, **facts, **said)  # type: ignore[arg-type]
    version = before.version + (before.manifest != packed.sha256)
    return dataclasses.replace(before, **facts, **said, version=version)  # type: ignore[arg-type]


def _left_out(brought: Brought) -> tuple[str, ...]:
    return brought.left_out


def _named(path: Path) -> str:
    stem = path.name if path.is_dir() else path.name.partition(".")[0]
    slug = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:NAME_LENGTH].strip("-")
    if not slug:
        raise BookbagError("bad-argument", f"cannot make an id from {path.name!r}", remedy="--id ID")
    return slug
