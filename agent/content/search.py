"""One search over everything that opens: titles of items and of their pages, the learner's languages first.

An SQLite FTS5 index over words as `agent.content.words` folds them, never changed once it is there; a new
shelf comes with a new one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.content.edition import building, opened
from agent.content.languages import closeness
from agent.content.words import MOST_WORDS, words
from agent.core.errors import BookbagError

VERSION = 1
LOOKED_AT = 1000  #: matches that are ranked at most
_SCHEMA = """
CREATE TABLE places (n INTEGER PRIMARY KEY, item TEXT, edition TEXT, path TEXT, lang TEXT, title TEXT) STRICT;
CREATE VIRTUAL TABLE words USING fts5(title, content='', tokenize='unicode61 remove_diacritics 0');
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Something that can be found: an item (``path`` "") or a page of one."""

    item: str  #: key
    edition: str
    path: str
    lang: str
    title: str


def write(path: str, places: Iterable[Place]) -> None:
    """Make the index at ``path``, durably. Raises ``disk-full``."""
    with building(path, _SCHEMA, VERSION) as connection:
        for number, place in enumerate(places):
            row = (number, place.item, place.edition, place.path, place.lang, place.title)
            connection.execute("INSERT INTO places VALUES (?, ?, ?, ?, ?, ?)", row)
            connection.execute(
                "INSERT INTO words (rowid, title) VALUES (?, ?)", (number, " ".join(words(place.title)))
            )


def find(path: str, text: str, languages: Sequence[str], most: int) -> list[Place]:
    """What fits ``text`` best: the learner's ``languages`` first, items before pages, then the closest match.

    Every word has to be there, the last one at least in its beginning; if nothing has them all, any will do.
    Raises ``not-found``, ``state-corrupt``.
    """
    asked = words(text)[:MOST_WORDS]
    if not asked:
        return []
    quoted = [f'"{word}"' for word in asked]
    quoted[-1] += "*"
    connection = opened(path, VERSION)
    try:
        found = _match(connection, " AND ".join(quoted)) or _match(connection, " OR ".join(quoted))
    except sqlite3.Error as problem:
        raise BookbagError(
            "state-corrupt", f"cannot search learning content: {problem}", place=path
        ) from None
    finally:
        connection.close()
    found.sort(key=lambda row: (closeness(row[0].lang, languages), bool(row[0].path), row[1]))
    return [place for place, _ in found[:most]]


def _match(connection: sqlite3.Connection, query: str) -> list[tuple[Place, float]]:
    rows = connection.execute(
        "SELECT item, edition, path, lang, places.title, rank"
        " FROM words JOIN places ON places.n = words.rowid WHERE words MATCH ? ORDER BY rank LIMIT ?",
        (query, LOOKED_AT),
    )
    return [(Place(*row[:5]), row[5]) for row in rows]
