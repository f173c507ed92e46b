"""catalogue.json of a content role: which learning content its editors offer, to whom, and by which hash.

The catalogue is signed; everything else of an item (its manifest, its packs) is trusted by hash alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.core.ids import is_name
from agent.trust.fields import Fields
from agent.trust.paths import CATALOGUE, CONTENT

VERSION = 1
MOST_ITEMS = 400  #: of one role
#: Whom an item may be for; a laptop that fits every key that is there gets it.
GROUPS = ("school", "year", "class")
_MOST_SIZE = 16 << 30
_MOST_TITLES = 32
_MOST_GROUPS = 64
_LANGUAGE = re.compile(r"([A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3})?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_DATE = re.compile(r"([0-9]{4}-[01][0-9]-[0-3][0-9])?")
_NOTHING: Mapping[str, tuple[str, ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class CatalogueItem:
    """One item as its editor signed it. Sizes are bytes; the manifest's own hash and size find it."""

    id: str
    manifest: str  #: SHA-256
    manifest_size: int
    size: int  #: of all its files
    stored: int  #: of the packs that it needs
    files: int
    title: Mapping[str, str]  #: language → title
    form: str  #: how it is opened: site, book, video…
    lang: str = ""  #: of the content
    subject: str = ""
    grade: tuple[str, ...] = ()
    licence: str = ""
    pin: bool = False  #: room is made for it before all others
    due: str = ""  #: date by which it is needed
    audience: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NOTHING)

    def is_for(self, groups: Mapping[str, str]) -> bool:
        """Whether a laptop of these groups is meant. One that was not assigned yet has none: then only what
        is for everybody."""
        return all(groups.get(key, "") in values for key, values in self.audience.items())


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that one role offers, by id."""

    site: str
    role: str
    items: tuple[CatalogueItem, ...] = ()
    v: int = VERSION

    def to_bytes(self) -> bytes:
        """As signed: canonical, items by id, so that the same catalogue gives the same bytes."""
        return jsontext.canonical(
            {
                "v": self.v,
                "site": self.site,
                "role": self.role,
                "items": [_row(item) for item in sorted(self.items, key=lambda one: one.id)],
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Catalogue:
        """Parse and check. Raises ``bad-metadata``, ``bad-json``, ``too-large``, ``format-too-new``."""
        top = Fields(jsontext.parse(data, what=CATALOGUE), CATALOGUE)
        top.version(VERSION)
        items = tuple(_item(one) for one in top.objects("items", MOST_ITEMS))
        ids = [item.id for item in items]
        if ids != sorted(set(ids)):
            raise BookbagError(
                "bad-metadata",
                f"cannot accept {CATALOGUE}: items are out of order or twice there",
                place="items",
            )
        return cls(top.name("site"), top.name("role"), items)


def catalogue_path(role: str) -> str:
    """The target's path."""
    return f"{CONTENT}/{role}/{CATALOGUE}"


def _item(one: Fields) -> CatalogueItem:
    titles = one.inside("title")
    audience = one.inside("audience") if one.has("audience") else Fields({}, CATALOGUE)
    item = CatalogueItem(
        id=one.name("id"),
        manifest=one.hex("manifest", 32).hex(),
        manifest_size=one.integer("manifest_size", 1, 1 << 20),
        size=one.integer("size", 0, _MOST_SIZE),
        stored=one.integer("stored", 0, _MOST_SIZE),
        files=one.integer("files", 1, 1 << 20),
        title=MappingProxyType({lang: titles.text(lang, 300) for lang in titles}),
        form=one.name("form"),
        lang=one.text("lang", 35, ""),
        subject=one.text("subject", 64, ""),
        grade=one.texts("grade", 32, 32),
        licence=one.text("licence", 100, ""),
        pin=one.boolean("pin", False),
        due=one.text("due", 10, ""),
        audience=MappingProxyType({key: audience.texts(key, _MOST_GROUPS, 64) for key in audience}),
    )
    _check(item, one.path)
    return item


def _check(item: CatalogueItem, place: str) -> None:
    """What the fields' own types do not say. An audience key that is not known here cannot be fitted by
    anybody, so the item is for nobody rather than for all."""
    tags = (item.lang, *item.title)
    if not item.title or len(item.title) > _MOST_TITLES or not all(_LANGUAGE.fullmatch(tag) for tag in tags):
        raise _bad("it needs a title in a language, and languages are tags such as pt-BR", place)
    texts = (
        *item.title.values(),
        item.subject,
        item.licence,
        *item.grade,
        *(one for listed in item.audience.values() for one in listed),
    )
    if any(_CONTROL.search(text) for text in texts):
        raise _bad("its texts hold control characters, and terminals obey those", place)
    if not _DATE.fullmatch(item.due):
        raise _bad("due is a date such as 2027-03-01", place)
    if not all(item.audience.values()) or not all(is_name(key) for key in item.audience):
        raise _bad("an audience names at least one group for each of its keys", place)


def _bad(why: str, place: str) -> BookbagError:
    return BookbagError("bad-metadata", f"cannot accept {CATALOGUE}: {why}", place=place)


def _row(item: CatalogueItem) -> dict[str, object]:
    row: dict[str, object] = {
        "id": item.id,
        "manifest": item.manifest,
        "manifest_size": item.manifest_size,
        "size": item.size,
        "stored": item.stored,
        "files": item.files,
        "title": dict(item.title),
        "form": item.form,
    }
    more = {
        "lang": item.lang,
        "subject": item.subject,
        "grade": list(item.grade),
        "licence": item.licence,
        "pin": item.pin,
        "due": item.due,
        "audience": {key: list(values) for key, values in sorted(item.audience.items())},
    }
    return {**row, **{key: value for key, value in more.items() if value}}
