"""What publishing would change about learning content: which items, on how many laptops, for how many
bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.core.errors import BookbagError
from agent.fleet.content.store import Store, packs_of
from agent.fleet.folder import Folder
from agent.fleet.records import DeviceRecord
from agent.fleet.wanted import Wanted
from agent.trust.catalogue import Catalogue, CatalogueItem
from agent.trust.site.repository import SiteRepository


@dataclass(frozen=True, slots=True)
class ContentChange:
    """One item that differs. ``what``: new, files, facts (title, audience…) or gone. ``fetch``: bytes that a
    laptop of ``laptops`` has to get which has the published version, if there is one; None where they are not
    known here."""

    role: str
    id: str
    title: str
    what: str
    laptops: int
    fetch: int | None
    size: int


def content_changes(
    folder: Folder, repository: SiteRepository, wanted: Wanted, devices: Sequence[DeviceRecord]
) -> tuple[ContentChange, ...]:
    """Compare with what is published."""
    store = Store(folder)
    changes = []
    for role, rule in sorted(wanted.site.roles.items()):
        before = _items(repository.catalogue(role, published=True) if rule.content else None)
        after = _items(wanted.catalogues.get(role)) if role in wanted.catalogues else before
        for name in sorted(before.keys() | after.keys()):
            old, new = before.get(name), after.get(name)
            if old != new:
                changes.append(_change(role, name, old, new, store, devices))
    return tuple(changes)


def _change(
    role: str,
    name: str,
    old: CatalogueItem | None,
    new: CatalogueItem | None,
    store: Store,
    devices: Sequence[DeviceRecord],
) -> ContentChange:
    item = new or old
    assert item is not None  # noqa: S101 - one of them is there
    if new is None:
        return ContentChange(role, name, _title(item), "gone", _laptops(item, devices), 0, -item.stored)
    what = "new" if old is None else "files" if old.manifest != new.manifest else "facts"
    return ContentChange(
        role, name, _title(item), what, _laptops(item, devices), _fetch(old, new, store), new.stored
    )


def _fetch(old: CatalogueItem | None, new: CatalogueItem, store: Store) -> int | None:
    try:
        wanted = packs_of(store.needed(new))
        there = packs_of(store.needed(old)) if old is not None else {}
    except BookbagError:
        return None
    return sum(size for sha256, size in wanted.items() if sha256 not in there)


def _laptops(item: CatalogueItem, devices: Sequence[DeviceRecord]) -> int:
    return sum(
        item.is_for({"school": one.school or "", "year": one.year or "", "class": one.class_ or ""})
        for one in devices
    )


def _items(data: bytes | None) -> dict[str, CatalogueItem]:
    return {item.id: item for item in Catalogue.from_bytes(data).items} if data else {}


def _title(item: CatalogueItem) -> str:
    return item.title.get(item.lang) or next(iter(item.title.values()))
