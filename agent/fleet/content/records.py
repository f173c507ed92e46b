"""``content/ROLE/ID.yaml``: one item in IT's folder, reviewed like everything else there; its bytes are blobs
beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.core import schema
from agent.core.errors import BookbagError
from agent.core.ids import is_name
from agent.fleet.emit import emit
from agent.fleet.folder import Folder
from agent.trust.catalogue import Catalogue, CatalogueItem

TOP = "content"
COMMENT = "One item of learning content. What people decide is above `form`; the rest follows from its files."


@dataclass(frozen=True, slots=True)
class ContentRecord:
    """One item. ``made_from``: what its files were called when they came, for people."""

    id: str
    title: Mapping[str, str]
    form: str
    entry: str
    manifest: str
    manifest_size: int
    size: int
    stored: int
    files: int
    lang: str = ""
    subject: str = ""
    grade: tuple[str, ...] = ()
    licence: str = ""
    pin: bool = False
    due: str = ""
    audience: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    made_from: str = ""
    version: int = 1  #: how often its files have changed
    v: int = 1

    def offered(self) -> CatalogueItem:
        """As the signed catalogue names it."""
        return CatalogueItem(
            id=self.id,
            manifest=self.manifest,
            manifest_size=self.manifest_size,
            size=self.size,
            stored=self.stored,
            files=self.files,
            title=dict(self.title),
            form=self.form,
            lang=self.lang,
            subject=self.subject,
            grade=self.grade,
            licence=self.licence,
            pin=self.pin,
            due=self.due,
            audience={key: tuple(values) for key, values in self.audience.items()},
        )


#: The order in which a record is written: what people decide first.
_FIRST = (
    "v",
    "id",
    "title",
    "lang",
    "subject",
    "grade",
    "audience",
    "pin",
    "due",
    "licence",
    "form",
    "entry",
)


def roles(folder: Folder) -> list[str]:
    """Roles that have a folder of content."""
    top = folder.root / TOP
    return [name for name in folder.names(top, "") if (top / name).is_dir() and not (top / name).is_symlink()]


def ids(folder: Folder, role: str) -> list[str]:
    """The items of a role, sorted."""
    return [name.removesuffix(".yaml") for name in folder.names(folder.root / TOP / role, ".yaml")]


def load(folder: Folder, role: str, name: str) -> ContentRecord:
    """One item. Raises ``not-found``, ``bad-yaml`` with line and column."""
    file = f"{TOP}/{role}/{name}.yaml"
    path = folder.root / file
    if not path.exists() and not path.is_symlink():
        known = ", ".join(ids(folder, role)[:10]) or "none yet"
        raise BookbagError(
            "not-found", f"cannot find content {name!r} of {role}", remedy=f"there are: {known}"
        )
    record = folder.load(path, ContentRecord)
    if record.id != name or not is_name(name):
        raise BookbagError(
            "bad-yaml",
            f"cannot use it: it says id: {record.id}",
            place=file,
            remedy="the file's name and the id inside must be the same, of a-z, 0-9 and hyphens",
        )
    return record


def save(folder: Folder, role: str, record: ContentRecord) -> None:
    """Write one item."""
    value = schema.encode(record)
    kept = {key: value[key] for key in value if value[key] or key in _FIRST[:3]}
    first = {key: kept.pop(key) for key in _FIRST if key in kept}
    folder.write(folder.root / TOP / role / f"{record.id}.yaml", emit({**first, **kept}, comment=COMMENT))


def find(folder: Folder, name: str, role: str = "") -> tuple[str, ContentRecord]:
    """(role, item) of that id. Raises ``not-found``, ``bad-argument`` if two roles have one."""
    holders = [one for one in ([role] if role else roles(folder)) if name in ids(folder, one)]
    if len(holders) > 1:
        raise BookbagError(
            "bad-argument",
            f"cannot tell which {name} is meant: {', '.join(holders)} have one",
            remedy="--role ROLE",
        )
    if not holders:
        known = (
            ", ".join(sorted(one for role in roles(folder) for one in ids(folder, role))[:10]) or "none yet"
        )
        raise BookbagError("not-found", f"cannot find content {name!r}", remedy=f"there are: {known}")
    return holders[0], load(folder, holders[0], name)


def catalogue(folder: Folder, site: str, role: str) -> bytes:
    """The catalogue that the folder asks the role to sign. Raises BookbagError for the first bad item."""
    items = tuple(load(folder, role, name).offered() for name in ids(folder, role))
    data = Catalogue(site, role, items).to_bytes()
    Catalogue.from_bytes(data)  # exactly what a laptop would refuse is refused here
    return data
