"""``public/content.json``: the learning content that is meant for this laptop, as root verified it.

Written by root alone, from the signed catalogues and the signed assignment; read by whoever fetches and keeps
content. What is not in it is not wanted here any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent.content.bounds import MOST_ITEM, MOST_ITEMS, MOST_MANIFEST, MOST_TITLE
from agent.content.manifest import is_hash
from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.trust.fields import Fields

VERSION = 1
NAME = "content.json"
MOST_BYTES = 4 << 20
MOST_NODES = 200_000
MOST_OTHERS = 500


@dataclass(frozen=True, slots=True)
class Wish:
    """One item that is meant for this laptop."""

    id: str
    role: str
    manifest: str
    manifest_size: int
    size: int
    stored: int
    files: int
    title: Mapping[str, str]
    form: str
    lang: str = ""
    subject: str = ""
    grade: tuple[str, ...] = ()
    licence: str = ""
    pin: bool = False
    due: str = ""

    @property
    def key(self) -> str:
        """What it is called on this laptop."""
        return f"{self.role}.{self.id}"


@dataclass(frozen=True, slots=True)
class Other:
    """One that the site offers to other laptops."""

    id: str
    role: str
    title: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Wishes:
    """All of it. ``of``: what it was made from, to tell whether it is still so."""

    of: str
    items: tuple[Wish, ...] = ()
    others: tuple[Other, ...] = ()


def to_bytes(wishes: Wishes) -> bytes:
    """The file's content; ``of`` comes first, so that it can be read without the rest."""
    body = jsontext.canonical(
        {
            "items": [_row(item) for item in wishes.items[:MOST_ITEMS]],
            "others": [
                {"id": one.id, "role": one.role, "title": dict(one.title)}
                for one in wishes.others[:MOST_OTHERS]
            ],
        }
    )
    return begin(wishes.of) + body[1:]


def begin(of: str) -> bytes:
    """How the file begins that was made from ``of``."""
    return b'{"v":%d,"of":%s,' % (VERSION, jsontext.canonical(of))


def read(path: str) -> Wishes | None:
    """The file at ``path``; None if there is none. Raises ``bad-json``, ``bad-content``,
    ``format-too-new``."""
    try:
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return None
    value = jsontext.parse(data, what=path, max_bytes=MOST_BYTES, max_nodes=MOST_NODES)
    top = Fields(value, NAME, code="bad-content")
    top.version(VERSION)
    items = tuple(_wish(one) for one in top.objects("items", MOST_ITEMS))
    others = tuple(
        Other(one.name("id"), one.name("role"), _titles(one)) for one in top.objects("others", MOST_OTHERS)
    )
    if len({item.key for item in items}) != len(items):
        raise BookbagError(
            "bad-content", "cannot use the list of content: an item is twice in it", place=path
        )
    return Wishes(top.text("of", 200), items, others)


def _wish(one: Fields) -> Wish:
    manifest = one.text("manifest", 64)
    if not is_hash(manifest):
        raise BookbagError(
            "bad-content", "cannot use the list of content: a manifest has no hash", place=one.path
        )
    return Wish(
        id=one.name("id"),
        role=one.name("role"),
        manifest=manifest,
        manifest_size=one.integer("manifest_size", 1, MOST_MANIFEST),
        size=one.integer("size", 0, MOST_ITEM),
        stored=one.integer("stored", 0, MOST_ITEM),
        files=one.integer("files", 1, 1 << 20),
        title=_titles(one),
        form=one.text("form", 32),
        lang=one.text("lang", 35, ""),
        subject=one.text("subject", 64, ""),
        grade=one.texts("grade", 32, 32),
        licence=one.text("licence", 100, ""),
        pin=one.boolean("pin", False),
        due=one.text("due", 10, ""),
    )


def _titles(one: Fields) -> dict[str, str]:
    titles = one.inside("title")
    return {lang: titles.text(lang, MOST_TITLE) for lang in titles}


def _row(item: Wish) -> dict[str, object]:
    row: dict[str, object] = {
        name: getattr(item, name)
        for name in ("id", "role", "manifest", "manifest_size", "size", "stored", "files", "form")
    }
    more = {name: getattr(item, name) for name in ("lang", "subject", "licence", "pin", "due")}
    more["grade"] = list(item.grade)
    return {**row, "title": dict(item.title), **{name: value for name, value in more.items() if value}}
