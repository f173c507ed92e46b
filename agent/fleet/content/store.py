"""Where the desk keeps blobs: ``blobs/`` holds everything that was packed here, ``published/blobs/`` what is
served.

Neither is for git: they can be gigabytes. A published blob is the same file under a second name, where the
file system can; nothing is published that is not whole here.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from agent.content.packs import Packs
from agent.content.version import read_manifest
from agent.core import durable
from agent.core.errors import BookbagError
from agent.core.faults import explained
from agent.fleet.folder import Folder
from agent.trust.catalogue import Catalogue, CatalogueItem, catalogue_path
from agent.trust.paths import BLOBS, CONTENT
from agent.trust.site.files import RepositoryFiles
from agent.trust.site.prune import KEPT

IGNORED = ("/blobs/", "/published/blobs/")


@dataclass(frozen=True, slots=True)
class Blob:
    """One that an item needs."""

    sha256: str
    size: int


class Store:
    """The blobs of one folder."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self.blobs = Packs(str(folder.root / BLOBS))
        self.published = Packs(str(folder.published / BLOBS))

    def prepare(self) -> None:
        """Keep what will be made out of git, also in a folder from before there was content."""
        path = self._folder.root / ".gitignore"
        with contextlib.suppress(BookbagError):
            lines = self._folder.read(path).decode("utf-8", "replace").splitlines()
            if missing := [line for line in IGNORED if line not in lines]:
                said = [
                    "# Learning content: large, and named by its hash; reviewed are the files in content/.",
                    *missing,
                ]
                self._folder.write(path, ("\n".join([*lines, *said]) + "\n").encode())

    def needed(self, item: CatalogueItem) -> list[Blob]:
        """Everything that an item needs, its manifest first. Raises ``not-found`` if that is nowhere here."""
        where = self.blobs if self.blobs.size(item.manifest) is not None else self.published
        manifest = read_manifest(where, item.manifest)
        packs = [Blob(pack.sha256, pack.size) for pack in manifest.packs]
        return [Blob(item.manifest, item.manifest_size), *packs]

    def missing(self, blobs: Iterable[Blob]) -> list[Blob]:
        """Those that are neither kept nor published here, or are not of their size."""
        return [
            blob
            for blob in blobs
            if blob.size not in (self.blobs.size(blob.sha256), self.published.size(blob.sha256))
        ]

    def offer(self, items: Iterable[tuple[str, CatalogueItem]]) -> int:
        """Publish what these (role, item) need; returns how many blobs are new. Raises ``not-found`` naming
        the item whose bytes are not here; nothing that is published already is touched."""
        new = 0
        for role, item in items:
            blobs = self._complete(role, item)
            new += sum(self._offer(blob) for blob in blobs)
        return new

    def _complete(self, role: str, item: CatalogueItem) -> list[Blob]:
        try:
            blobs = self.needed(item)
        except BookbagError as problem:
            if problem.code != "not-found":
                raise
            blobs = []
        if not blobs or self.missing(blobs):
            raise BookbagError(
                "not-found",
                f"cannot publish {item.id}: its files are not on this machine",
                place=f"{CONTENT}/{role}/{item.id}.yaml",
                remedy="copy blobs/ from the desk that added it, or add it again here",
            )
        return blobs

    def _offer(self, blob: Blob) -> bool:
        if self.published.size(blob.sha256) == blob.size:
            return False
        source, target = self.blobs.path(blob.sha256), self.published.path(blob.sha256)
        durable.make_directories(os.path.dirname(target), mode=0o755)
        temporary = f"{target}.{os.urandom(6).hex()}{durable.UNFINISHED}"
        try:
            _same_file(source, temporary)
            os.rename(temporary, target)
        except OSError as problem:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise explained(problem, "publish learning content", target) from None
        durable.sync_directory(os.path.dirname(target))
        return True

    def prune(self) -> int:
        """Withdraw what none of the last publications names; returns how many blobs went."""
        keep = {blob.sha256 for item in self._lately() for blob in self._perhaps(item)}
        gone = [name for name in self.published.all() if name not in keep]
        for name in gone:
            self.published.remove(name)
        self.published.sweep()
        return len(gone)

    def tidy(self, items: Iterable[CatalogueItem]) -> tuple[int, int]:
        """Drop blobs that neither these items nor what is published needs: (how many, bytes)."""
        keep = {blob.sha256 for item in items for blob in self._perhaps(item)} | set(self.published.all())
        count, size = 0, 0
        for name in list(self.blobs.all()):
            if name not in keep:
                count, size = count + 1, size + (self.blobs.size(name) or 0)
                self.blobs.remove(name)
        self.blobs.sweep()
        return count, size

    def _perhaps(self, item: CatalogueItem) -> list[Blob]:
        try:
            return self.needed(item)
        except BookbagError:
            return [Blob(item.manifest, item.manifest_size)]

    def _lately(self) -> Iterator[CatalogueItem]:
        """Every item that the last `KEPT` snapshots offer: a slow reader may still be on the way to it."""
        files = RepositoryFiles(str(self._folder.root))
        newest = files.snapshot()
        if newest is None:
            return
        seen = set()
        for version in range(max(1, newest.signed.version - KEPT + 1), newest.signed.version + 1):
            snapshot = files.snapshot(version)
            for name, meta in (snapshot.signed.meta if snapshot else {}).items():
                file = f"{meta.version}.{name}"
                if name.startswith(f"{CONTENT}-") and file not in seen:
                    seen.add(file)
                    yield from _items(files, file, name.removeprefix(f"{CONTENT}-").removesuffix(".json"))


def _items(files: RepositoryFiles, file: str, role: str) -> tuple[CatalogueItem, ...]:
    signed = files.metadata(file)
    info = signed.signed.targets.get(catalogue_path(role)) if signed else None
    data = files.target(catalogue_path(role), info) if info else None
    return Catalogue.from_bytes(data).items if data else ()


def packs_of(blobs: Iterable[Blob]) -> Mapping[str, int]:
    """Hash → bytes."""
    return {blob.sha256: blob.size for blob in blobs}


def _same_file(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copyfile(source, target, follow_symlinks=False)
        with open(target, "rb+") as file:
            os.fsync(file.fileno())
