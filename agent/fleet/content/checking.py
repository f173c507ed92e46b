"""Everything that is wrong with the folder's learning content, each with its place and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.content.version import read_files, read_manifest
from agent.core.errors import BookbagError
from agent.fleet.content import records
from agent.fleet.content.records import TOP, ContentRecord
from agent.fleet.content.store import Store
from agent.fleet.finding import Finding
from agent.fleet.folder import Folder
from agent.fleet.records import DeviceRecord, SiteRecord
from agent.trust.catalogue import GROUPS


def check(folder: Folder, site: SiteRecord, devices: Sequence[DeviceRecord]) -> Iterator[Finding]:
    """Every finding in ``content/``; bytes are counted, not read."""
    store = Store(folder)
    for role in records.roles(folder):
        rule = site.roles.get(role)
        if rule is None or not rule.content:
            yield Finding(
                f"{TOP}/{role}",
                "not-allowed",
                f"cannot publish it: site.yaml does not let {role} publish content",
                "give the role `content: true` there, or move the files to a role that has it",
            )
        for name in records.ids(folder, role):
            file = f"{TOP}/{role}/{name}.yaml"
            try:
                record = records.load(folder, role, name)
            except BookbagError as problem:
                yield Finding.of(problem, place=file)
                continue
            yield from _check_item(file, record, store)
            yield from _check_audience(file, record, devices)
        yield from _check_catalogue(folder, site, role)
    yield from _check_strays(folder)


def check_bytes(folder: Folder) -> Iterator[Finding]:
    """The same as a laptop looks: every blob that an item needs is read, every listing taken apart."""
    store = Store(folder)
    seen: dict[str, bool] = {}
    for role in records.roles(folder):
        for name in records.ids(folder, role):
            file = f"{TOP}/{role}/{name}.yaml"
            try:
                item = records.load(folder, role, name).offered()
                for blob in store.needed(item):
                    if blob.sha256 not in seen:
                        seen[blob.sha256] = store.blobs.is_whole(blob.sha256)
                    if not seen[blob.sha256]:
                        yield _damaged(file, blob.sha256)
                for _ in read_files(store.blobs, read_manifest(store.blobs, item.manifest)):
                    pass
            except BookbagError as problem:
                yield Finding.of(problem, place=file)


def _damaged(file: str, sha256: str) -> Finding:
    return Finding(
        file,
        "state-corrupt",
        f"cannot publish it: blob {sha256[:16]} is missing or damaged here",
        "add the item again, or copy blobs/ from another desk",
    )


def _check_item(file: str, record: ContentRecord, store: Store) -> Iterator[Finding]:
    try:
        missing = store.missing(store.needed(record.offered()))
    except BookbagError as problem:
        if problem.code != "not-found":
            yield Finding.of(problem, place=file)
            return
        missing = []
        yield Finding(
            file,
            "not-found",
            "cannot publish it: its files are not on this machine",
            "copy blobs/ from the desk that added it, or add it again here",
        )
    if missing:
        yield Finding(
            file,
            "not-found",
            f"cannot publish it: {len(missing)} of its blobs are not on this machine",
            "copy blobs/ from the desk that added it, or add it again here",
        )
    if not record.licence:
        yield Finding(
            file, "bad-yaml", "nobody wrote down its licence", "write it: licence: CC-BY-4.0", blocks=False
        )
    if "und" in record.title or not record.lang:
        yield Finding(
            file,
            "bad-yaml",
            "its language is not known, so it is found and read aloud badly",
            "write it: lang: en, and the title under that language",
            blocks=False,
        )


def _check_audience(file: str, record: ContentRecord, devices: Sequence[DeviceRecord]) -> Iterator[Finding]:
    known = {
        "school": {one.school for one in devices},
        "year": {one.year for one in devices},
        "class": {one.class_ for one in devices},
    }
    for key, values in record.audience.items():
        if key not in GROUPS:
            yield Finding(
                f"{file}: audience.{key}",
                "bad-yaml",
                f"cannot choose laptops by {key!r}: it would be for nobody",
                f"one of {', '.join(GROUPS)}",
            )
            continue
        for value in values:
            if value not in known[key] and any(known[key]):
                yield Finding(
                    f"{file}: audience.{key}",
                    "not-found",
                    f"no laptop is of {key} {value!r}",
                    f"there are: {', '.join(sorted(one for one in known[key] if one))}",
                    blocks=False,
                )


def _check_catalogue(folder: Folder, site: SiteRecord, role: str) -> Iterator[Finding]:
    """What only all items of a role together can show."""
    try:
        records.catalogue(folder, site.site, role)
    except BookbagError as problem:
        if not problem.place.startswith(TOP):  # what one item says was found above
            yield Finding.of(problem, place=f"{TOP}/{role}")


def _check_strays(folder: Folder) -> Iterator[Finding]:
    top = folder.root / TOP
    for name in folder.names(top, ""):
        path = top / name
        if path.is_symlink() or not path.is_dir():
            yield Finding(
                f"{TOP}/{name}",
                "bad-path",
                "cannot publish a file outside a role's folder",
                "bookbag-fleet content add PATH makes items",
                blocks=False,
            )
            continue
        for inner in folder.names(path, ""):
            if not inner.endswith(".yaml"):
                yield Finding(
                    f"{TOP}/{name}/{inner}",
                    "bad-path",
                    "cannot publish this: only items lie here",
                    "bookbag-fleet content add PATH makes an item of it",
                    blocks=False,
                )
