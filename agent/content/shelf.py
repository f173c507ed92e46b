"""The shelf: what is meant for this laptop, what of it is here, and why the rest is not yet.

``shelf.json`` in the store, replaced as a whole by the content worker, read by anyone: it alone says which
version of an item is the one to open. An item that it calls open has all its bytes here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from agent.content.bounds import MOST_ITEMS
from agent.core import durable, jsontext, schema
from agent.core.errors import BookbagError

MOST_BYTES = 8 << 20
MOST_NODES = 200_000
NAME = "shelf.json"

READY = "ready"  #: the newest version is here
UPDATING = "updating"  #: an older version is here and opens; the newest is on its way
WAITING = "waiting"  #: nothing of it is here yet: it waits for a network or a stick
FETCHING = "fetching"  #: a part of it is here
OVER_QUOTA = "over-quota"  #: it does not fit into the room that learning content may take
MENDING = "mending"  #: a part of it was damaged and is fetched again
REFUSED = "refused"  #: it breaks the rules of its format: its editor has to publish it again
STATES = (READY, UPDATING, WAITING, FETCHING, OVER_QUOTA, MENDING, REFUSED)


@dataclass(frozen=True, slots=True)
class Item:
    """One item that is meant for this laptop. Sizes are bytes."""

    key: str  #: ``ROLE.ID``: what it is called on this laptop, in addresses and file names
    id: str
    role: str  #: whose editors published it
    manifest: str  #: sha256 of the newest version
    title: Mapping[str, str]  #: language → title
    lang: str  #: of the content; "" where it does not say
    direction: str  #: ``ltr`` or ``rtl``, of the content
    size: int  #: of all files
    stored: int  #: what it costs to fetch and keep
    files: int
    subject: str = ""
    grade: tuple[str, ...] = ()
    licence: str = ""
    pinned: bool = False
    due: str = ""  #: date, ``2027-03-01``: needed by then
    form: str = ""  #: see `agent.content.manifest.FORMS`; "" before anything is known of it
    entry: str = ""  #: the path to open first
    state: str = WAITING
    here: int = 0  #: bytes of the newest version that are here
    edition: str = ""  #: sha256 of the version that opens; "" while none does
    why: str = ""  #: error code, where something went wrong
    message: str = ""

    @property
    def opens(self) -> bool:
        """Whether it can be read now."""
        return bool(self.edition)

    @property
    def percent(self) -> int:
        """How much of the newest version is here: 100 only if all of it is."""
        if self.state == READY or not self.stored:
            return 100 if self.state == READY else 0
        return min(99, 100 * self.here // self.stored)


@dataclass(frozen=True, slots=True)
class Shelf:
    """All of it. ``kept``: versions that stay only because somebody may be reading them (key → sha256).
    ``search`` names the index of titles that fits. Bytes: ``used`` of ``room``."""

    items: tuple[Item, ...] = ()
    kept: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    search: str = ""
    used: int = 0
    room: int = 0
    v: int = 1
    extra: Mapping[str, object] = field(default_factory=dict)

    def item(self, key: str) -> Item | None:
        """The item of that key."""
        return next((item for item in self.items if item.key == key), None)

    def editions(self) -> set[tuple[str, str]]:
        """(key, version) of everything that may be read."""
        found = {(item.key, item.edition) for item in self.items if item.edition}
        return found | {(key, one) for key, listed in self.kept.items() for one in listed}


def edition_path(store: str, key: str, manifest: str) -> str:
    """Where a version's index lies."""
    return f"{store}/editions/{key}@{manifest}.db"


def read(store: str) -> Shelf | None:
    """The shelf of the store; None if there is none. Raises ``state-corrupt``, ``format-too-new``."""
    path = f"{store}/{NAME}"
    try:
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return None
    try:
        value = jsontext.parse(data, what=path, max_bytes=MOST_BYTES, max_nodes=MOST_NODES)
        shelf = schema.decode(Shelf, value, what=path, keep_unknown=True)
    except BookbagError as problem:
        if problem.code == "format-too-new":
            raise
        raise BookbagError("state-corrupt", f"cannot read the shelf: {problem.message}", place=path) from None
    if len(shelf.items) > MOST_ITEMS or any(item.state not in STATES for item in shelf.items):
        raise BookbagError("state-corrupt", "cannot read the shelf: it holds what no shelf does", place=path)
    return shelf


def write(store: str, shelf: Shelf) -> None:
    """Replace the shelf, durably. Raises ``disk-full``."""
    path = f"{store}/{NAME}"
    data = jsontext.canonical(schema.encode(shelf))
    if os.path.exists(path):
        with open(path, "rb") as file:
            if file.read(MOST_BYTES + 1) == data:
                return
    durable.write(path, data, mode=0o644)
