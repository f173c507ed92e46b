"""The index of titles that goes with a shelf: made anew when what opens has changed, else carried over."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace

from agent.content import search
from agent.content.edition import Edition
from agent.content.search import Place
from agent.content.shelf import Item, Shelf, edition_path
from agent.core import jsontext
from agent.core.errors import BookbagError


def index(store: str, before: Shelf, after: Shelf) -> Shelf:
    """``after`` with the name of an index that fits it. A full disk costs the search, not the shelf."""
    opening = [item for item in after.items if item.edition]
    told = [[item.key, item.edition, item.lang, dict(item.title)] for item in opening]
    name = f"search-{hashlib.sha256(jsontext.canonical(told)).hexdigest()[:32]}.db"
    if before.search == name and os.path.exists(f"{store}/{name}"):
        return replace(after, search=name)
    if not opening:
        return after
    try:
        search.write(f"{store}/{name}", _places(store, opening))
    except BookbagError as problem:
        if problem.code != "disk-full":
            raise
        return after
    return replace(after, search=name)


def _places(store: str, items: list[Item]) -> Iterator[Place]:
    for item in items:
        for lang, title in sorted(item.title.items()):
            yield Place(item.key, item.edition, "", lang, title)
        edition = Edition(edition_path(store, item.key, item.edition))
        try:
            for file in edition.files():
                if file.title:
                    yield Place(item.key, item.edition, file.path, file.lang or item.lang, file.title)
        finally:
            edition.close()
