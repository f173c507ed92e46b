"""A store as the content worker sees it: versions packed by the desk's packer, blobs that arrive in a
spool."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from agent.content import shelf
from agent.content.arrivals import Arrivals
from agent.content.library import Library
from agent.content.looking import Look, Looked
from agent.content.packs import Packs
from agent.content.shelf import Item, Shelf
from agent.content.version import read_manifest
from agent.content.wishes import Wish, Wishes
from agent.fleet.content.packing import Packed, Source, pack_version
from agent.fleet.content.reuse import Reuse, find, known

PLENTY = 1 << 40


class Bench:
    """``folder/store``, ``folder/spool``, and the desk's blobs in ``folder/desk``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = folder / "store"
        self.spool = folder / "spool"
        self.desk = Packs(str(folder / "desk"))
        for path in (self.store, self.spool, folder / "files"):
            path.mkdir(parents=True, exist_ok=True)

    # -- the desk

    def pack(self, files: Mapping[str, bytes], before: Packed | None = None, form: str = "site") -> Packed:
        """A version; ``before``: the former one."""
        sources = []
        for path, data in files.items():
            sha256 = hashlib.sha256(data).hexdigest()
            place = self.folder / "files" / sha256
            place.write_bytes(data)
            sources.append(Source(path, place, len(data), sha256, title=f"Title of {path}"))
        wanted = {source.path: source.sha256 for source in sources}
        reuse = find(self.desk, known(self.desk, before.sha256), [], wanted) if before else Reuse()
        return pack_version(sources, form, min(files), self.desk, reuse)

    def wish(self, name: str, packed: Packed, **more: object) -> Wish:
        """An item of that version."""
        manifest = packed.manifest
        wish = Wish(
            id=name,
            role="ict",
            manifest=packed.sha256,
            manifest_size=len(manifest.to_bytes()),
            size=manifest.size,
            stored=manifest.stored,
            files=manifest.files,
            title={"en": name.title()},
            form=manifest.form,
            lang="en",
        )
        return replace(wish, **more)  # type: ignore[arg-type]

    # -- the line

    def deliver(self, *packed: Packed, most: int = 1 << 30) -> int:
        """The blobs of these versions arrive, the first ``most`` of them; returns how many."""
        names = [name for one in packed for name in self.blobs(one)]
        for name in names[:most]:
            shutil.copyfile(self.desk.path(name), self.spool / name)
        return len(names[:most])

    def blobs(self, packed: Packed) -> list[str]:
        return [packed.sha256, *(pack.sha256 for pack in packed.manifest.packs)]

    # -- the laptop

    def look(
        self, *wishes: Wish, room: int = PLENTY, today: str = "2027-01-01", first: tuple[str, ...] = ()
    ) -> Looked:
        """One look of the content worker."""

        def arrivals(packs: Packs) -> Arrivals:
            return Arrivals(str(self.spool), packs, os.geteuid())

        return Look(str(self.store), arrivals, lambda used: room, today, first=first).run(Wishes("x", wishes))

    def fetch(self, *wishes: Wish, **more: object) -> Looked:
        """Look, deliver what is missing, and so on until nothing is."""
        for _ in range(20):
            looked = self.look(*wishes, **more)  # type: ignore[arg-type]
            if not looked.missing:
                return looked
            for one in looked.missing:
                shutil.copyfile(self.desk.path(one.sha256), self.spool / one.sha256)
        raise AssertionError("it never ends")

    def shelf(self) -> Shelf:
        found = shelf.read(str(self.store))
        assert found is not None
        return found

    def item(self, name: str) -> Item:
        found = self.shelf().item(f"ict.{name}")
        assert found is not None
        return found

    def read(self, name: str, edition: str = "") -> dict[str, bytes]:
        """Every file of an item, through the library."""
        library = Library(str(self.store))
        found = {}
        for page in list(library.pages(f"ict.{name}", edition=edition)):
            with library.open(page) as stream:
                data = b""
                while more := stream.read(1 << 16):
                    data += more
            assert hashlib.sha256(data).hexdigest() == page.etag
            found[page.path] = data
        library.close()
        return found

    def blobs_of(self, name: str) -> list[str]:
        """Blobs that the version needs which opens."""
        edition = self.item(name).edition
        packs = read_manifest(Packs(str(self.store / "packs")), edition).packs
        return [edition, *(pack.sha256 for pack in packs)]

    def packs(self) -> set[str]:
        """Blobs that are in the store."""
        return set(Packs(str(self.store / "packs")).all())


def check_store(store: Path) -> None:
    """What must hold at any moment: whatever the shelf says opens, does, to its last byte."""
    found = shelf.read(str(store))
    if found is None:
        return
    library = Library(str(store))
    for key, edition in found.editions():
        pages = list(library.pages(key, edition=edition))
        assert pages, f"{key} is listed and is empty"
        for page in pages:
            with library.open(page) as stream:
                digest = hashlib.sha256()
                while data := stream.read(1 << 16):
                    digest.update(data)
            assert digest.hexdigest() == page.etag, f"{key}: {page.path} is listed and is another"
    if found.search:
        library.search("title")
    library.close()
