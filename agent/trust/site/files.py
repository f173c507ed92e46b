"""Where a site repository's files lie in IT's folder, and reading them back.

repository.json              site, profile, lives, mail bins
staged/metadata/ROLE.json    next versions, gathering signatures (kept in git, so that several persons can
sign) staged/targets/PATH          what those versions name staged/mail/MAILBOX          sealed mail to be
filed at the next publication (empty: to be removed) published/metadata/…         the static host's document
root, as laptops read it published/targets/…
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

from agent.core import batch, durable
from agent.core.errors import BookbagError
from agent.trust import metadata
from agent.trust.paths import MOST_METADATA, MOST_TIMESTAMP, target_place

_ROOT = re.compile(r"([1-9][0-9]{0,8})\.root\.json")


class RepositoryFiles:
    """IT's folder: paths, reading and durable writing. Trusts its own files (they are IT's, in git), not
    their signatures, and follows no link: one committed by somebody without any key would publish what it
    leads to, such as a private key of the publishing machine."""

    def __init__(self, path: str) -> None:
        self.path = path

    def at(self, *parts: str) -> str:
        """A path in the folder."""
        return os.path.join(self.path, *parts)

    def plain(self, *parts: str) -> str:
        """The same path, none of its ``parts`` a link. Raises ``bad-path``."""
        path = self.path
        for part in parts:
            path = os.path.join(path, part)
            if os.path.islink(path):
                raise BookbagError(
                    "bad-path",
                    "cannot use it: it is a link, and what it leads to could be published",
                    place=os.path.relpath(path, self.path),
                    remedy="look in git who put it there, and delete it",
                )
        return path

    @property
    def docroot(self) -> str:
        """What a static host serves."""
        return self.at("published")

    def read(self, *parts: str) -> bytes | None:
        """A file's bytes; None if it is not there. Raises ``bad-path`` for a link."""
        try:
            with open(self.plain(*parts), "rb") as file:
                return file.read(16 << 20)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, data: bytes, *parts: str, mode: int = 0o644) -> None:
        """Write a file durably, with its folders. Raises ``bad-path`` if one of them is a link."""
        path = os.path.join(self.plain(*parts[:-1]), parts[-1])
        durable.make_directories(os.path.dirname(path), mode=0o755)
        durable.write(path, data, mode=mode)

    def write_many(self, files: Mapping[str, bytes], *parts: str) -> None:
        """Write files by name, which may have slashes, below a folder, in any order, all of them durable when
        this returns. Raises ``bad-path`` if a folder is a link."""
        folders = dict.fromkeys(os.path.dirname(name) for name in files)
        places = {one: self.plain(*parts, *filter(None, one.split("/"))) for one in folders}
        for place in places.values():
            durable.make_directories(place, mode=0o755)
        paths = {name: os.path.join(places[os.path.dirname(name)], os.path.basename(name)) for name in files}
        batch.write([(paths[name], data) for name, data in files.items()], mode=0o644)

    def remove_many(self, names: Iterable[str], *parts: str) -> None:
        """Remove files of one folder (absent: nothing to do). Raises ``bad-path`` if it is a link."""
        folder = self.plain(*parts)
        batch.remove([os.path.join(folder, name) for name in names])

    def remove(self, *parts: str) -> None:
        """Remove a file (absent: nothing to do). Raises ``bad-path`` if one of its folders is a link."""
        folder = self.plain(*parts[:-1])
        try:
            os.unlink(os.path.join(folder, parts[-1]))
        except FileNotFoundError:
            return
        durable.sync_directory(folder)

    def names(self, *parts: str) -> tuple[str, ...]:
        """Sorted names in a folder; none if it is not there. Raises ``bad-path`` for a link."""
        try:
            return tuple(sorted(os.listdir(self.plain(*parts))))
        except FileNotFoundError:
            return ()

    # -- what is published

    def roots(self) -> tuple[int, ...]:
        """Versions of published roots, oldest first."""
        found = (_ROOT.fullmatch(name) for name in self.names("published", "metadata"))
        return tuple(sorted(int(match[1]) for match in found if match))

    def root(self) -> Metadata[Root] | None:
        """The newest published root."""
        versions = self.roots()
        return cast("Metadata[Root]", self.metadata(f"{versions[-1]}.root.json")) if versions else None

    def timestamp(self) -> Metadata[Timestamp] | None:
        """The published timestamp."""
        return cast("Metadata[Timestamp] | None", self.metadata("timestamp.json"))

    def snapshot(self, version: int | None = None) -> Metadata[Snapshot] | None:
        """The published snapshot, or an earlier one."""
        if version is None:
            timestamp = self.timestamp()
            if timestamp is None:
                return None
            version = timestamp.signed.snapshot_meta.version
        return cast("Metadata[Snapshot] | None", self.metadata(f"{version}.snapshot.json"))

    def published(self, role: str) -> Metadata[Targets] | None:
        """The published metadata of targets or of a delegated role."""
        snapshot = self.snapshot()
        found = snapshot.signed.meta.get(f"{role}.json") if snapshot else None
        return (
            cast("Metadata[Targets] | None", self.metadata(f"{found.version}.{role}.json")) if found else None
        )

    def metadata(self, name: str) -> Metadata[Any] | None:
        """Published metadata by file name; None if it is not there."""
        data = self.read("published", "metadata", name)
        return metadata.parse(data, f"published/metadata/{name}") if data is not None else None

    def target(self, path: str, info: TargetFile) -> bytes | None:
        """The bytes that signed metadata means by ``path``, staged or published; None if neither copy is
        they."""
        place = target_place(path, info.hashes["sha256"])
        for parts in (("staged", "targets", *path.split("/")), ("published", *place.split("/"))):
            data = self.read(*parts)
            if data is not None and hashlib.sha256(data).hexdigest() == info.hashes["sha256"]:
                return data
        return None

    # -- what is staged

    def staged(self, role: str) -> Metadata[Any] | None:
        """The next version of ``role``, if there is one."""
        data = self.read("staged", "metadata", f"{role}.json")
        return metadata.parse(data, f"staged/metadata/{role}.json") if data is not None else None

    def staged_roles(self) -> tuple[str, ...]:
        """Roles with a next version, sorted."""
        names = self.names("staged", "metadata")
        return tuple(name.removesuffix(".json") for name in names if name.endswith(".json"))

    def stage(self, role: str, signed: Metadata[Any]) -> None:
        """Write the next version of ``role``."""
        self.write(to_bytes(signed, role, compact=False), "staged", "metadata", f"{role}.json")


def to_bytes(signed: Metadata[Any], name: str, *, compact: bool = True) -> bytes:
    """Metadata as written. Raises ``too-large`` beyond what laptops accept."""
    data = signed.to_bytes(JSONSerializer(compact=compact))
    most = MOST_TIMESTAMP if name == "timestamp" else MOST_METADATA
    if len(data) > most:
        raise BookbagError(
            "too-large", f"cannot write {name}: {len(data)} bytes; laptops accept {most}", place=name
        )
    return data
