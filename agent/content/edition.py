"""One version of an item as an index that is never changed once it is there: path → file, in SQLite.

It is written beside, fsynced and renamed, and opened read-only as immutable: no journal, no locks of
SQLite's, so a reader of another user needs nothing but the right to read. A reader holds a shared `flock` on
the file while it reads; whoever wants to remove the version asks for the exclusive one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import struct
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote

from agent.content.bounds import MOST_PATH
from agent.content.listing import Extent, File, Track
from agent.content.manifest import Piece
from agent.core import durable, jsontext
from agent.core.errors import BookbagError
from agent.store.atomic import named_errors

VERSION = 1
_SCHEMA = """
CREATE TABLE pieces (
  n INTEGER PRIMARY KEY, pack BLOB, offset INT, stored INT, raw INT, method INT, crc INT
) STRICT;
CREATE TABLE files (
  path TEXT PRIMARY KEY, size INT, sha256 BLOB, extents BLOB,
  title TEXT, lang TEXT, direction TEXT, place INT, tracks TEXT
) STRICT, WITHOUT ROWID;
"""
#: An extent in a row: number of the piece, from, length.
_EXTENT = struct.Struct("<III")
_FILE = "path, size, sha256, extents, title, lang, direction, place, tracks"


def write(path: str, files: Iterable[File]) -> None:
    """Make the index at ``path``, durably. Raises ``disk-full``; a draft left behind ends in ``.tmp``."""
    with building(path, _SCHEMA, VERSION) as connection:
        numbers: dict[Piece, int] = {}
        for file in files:
            extents = b"".join(
                _EXTENT.pack(_number(connection, numbers, one.piece), one.first, one.length)
                for one in file.extents
            )
            tracks = jsontext.canonical([(one.path, one.lang, one.kind) for one in file.tracks]).decode()
            row = (
                *(file.path, file.size, bytes.fromhex(file.sha256), extents, file.title),
                *(file.lang, file.direction, file.order, tracks),
            )
            connection.execute("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


def _number(connection: sqlite3.Connection, numbers: dict[Piece, int], piece: Piece) -> int:
    if piece not in numbers:
        numbers[piece] = len(numbers)
        row = (piece.offset, piece.stored, piece.raw, piece.method, piece.crc)
        connection.execute(
            "INSERT INTO pieces VALUES (?, ?, ?, ?, ?, ?, ?)",
            (numbers[piece], bytes.fromhex(piece.pack), *row),
        )
    return numbers[piece]


class Edition:
    """The index at ``path``, open for reading. Raises ``not-found``, ``state-corrupt``. One thread."""

    def __init__(self, path: str) -> None:
        self._connection = opened(path, VERSION)
        self.path = path

    def close(self) -> None:
        """Give it back."""
        self._connection.close()

    def file(self, path: str) -> File | None:
        """The file at ``path``; None if there is none."""
        if len(path) > MOST_PATH:
            return None
        with _named(self.path):
            row = self._connection.execute(f"SELECT {_FILE} FROM files WHERE path = ?", (path,)).fetchone()  # noqa: S608
            return None if row is None else self._file(row)

    def files(self, prefix: str = "") -> Iterator[File]:
        """Every file whose path begins so, by path."""
        with _named(self.path):
            found = self._connection.execute(
                f"SELECT {_FILE} FROM files WHERE path >= ? AND substr(path, 1, ?) = ? ORDER BY path",  # noqa: S608
                (prefix, len(prefix), prefix),
            )
            for row in found:
                yield self._file(row)

    def chapters(self) -> Iterator[File]:
        """A book's chapters, in order."""
        with _named(self.path):
            query = f"SELECT {_FILE} FROM files WHERE place > 0 ORDER BY place, path"  # noqa: S608
            for row in self._connection.execute(query):
                yield self._file(row)

    def pieces(self) -> Iterator[Piece]:
        """Every piece that its files need."""
        with _named(self.path):
            for row in self._connection.execute("SELECT pack, offset, stored, raw, method, crc FROM pieces"):
                yield Piece(row[0].hex(), *row[1:])

    def _file(self, row: tuple[object, ...]) -> File:
        path, size, sha256, extents, title, lang, direction, place, tracks = row
        assert isinstance(sha256, bytes) and isinstance(extents, bytes)  # noqa: S101  # the table is strict
        return File(
            path=str(path),
            size=int(str(size)),
            sha256=sha256.hex(),
            extents=tuple(
                Extent(self._piece(number), first, length)
                for number, first, length in _EXTENT.iter_unpack(extents)
            ),
            title=str(title),
            lang=str(lang),
            direction=str(direction),
            order=int(str(place)),
            tracks=_tracks(str(tracks)),
        )

    def _piece(self, number: int) -> Piece:
        row = self._connection.execute(
            "SELECT pack, offset, stored, raw, method, crc FROM pieces WHERE n = ?", (number,)
        ).fetchone()
        return Piece(row[0].hex(), *row[1:])


def _tracks(text: str) -> tuple[Track, ...]:
    value = jsontext.parse(text.encode(), what="tracks")
    return tuple(Track(*track) for track in value) if isinstance(value, list) else ()


@contextlib.contextmanager
def building(path: str, schema: str, version: int) -> Iterator[sqlite3.Connection]:
    """A new SQLite file that gets the name ``path`` when the block ends well, readable by the group."""
    temporary = f"{path}.{os.urandom(6).hex()}{durable.UNFINISHED}"
    try:
        with named_errors("index learning content", path):
            connection = sqlite3.connect(temporary)
            try:
                connection.execute("PRAGMA journal_mode = OFF")  # a draft: what dies half-way is thrown away
                connection.execute("PRAGMA synchronous = OFF")
                connection.executescript(schema)
                connection.execute(f"PRAGMA user_version = {version}")
                with connection:
                    yield connection
            finally:
                connection.close()
            _finish(temporary, path)
    except sqlite3.Error as problem:
        _drop(temporary)
        full = getattr(problem, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
        code = "disk-full" if full else "io-error"
        raise BookbagError(code, f"cannot index learning content: {problem}", place=path) from None
    except BaseException:
        _drop(temporary)
        raise


def _finish(temporary: str, path: str) -> None:
    fd = os.open(temporary, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.fchmod(fd, 0o640)
        os.fsync(fd)
    finally:
        os.close(fd)
    os.rename(temporary, path)
    durable.sync_directory(os.path.dirname(path))


def opened(path: str, version: int) -> sqlite3.Connection:
    """An index made by `building`, read-only. Raises ``not-found``, ``state-corrupt``."""
    if not os.path.isfile(path):
        raise BookbagError("not-found", "cannot read this index of learning content: it is gone", place=path)
    with _named(path):
        connection = sqlite3.connect(
            f"file:{quote(path)}?mode=ro&immutable=1", uri=True, check_same_thread=False
        )
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA query_only = ON")
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found != version:
            connection.close()
            raise BookbagError("state-corrupt", "cannot read this index: it is another's", place=path)
        return connection


@contextlib.contextmanager
def held(path: str) -> Iterator[None]:
    """Keep the index at ``path``, and so the packs it names, from being removed while the block runs."""
    release = hold(path)
    try:
        yield
    finally:
        release()


def hold(path: str) -> Callable[[], None]:
    """The same, until the returned function is called. Raises ``not-found``."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        raise BookbagError("not-found", "cannot open this version: it is gone", place=path) from None
    fcntl.flock(fd, fcntl.LOCK_SH)
    return lambda: os.close(fd)


def is_held(path: str) -> bool:
    """Whether somebody reads the version whose index is at ``path``."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


@contextlib.contextmanager
def _named(path: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, struct.error, ValueError, TypeError) as problem:
        raise BookbagError(
            "state-corrupt", f"cannot read this index of learning content: {problem}", place=path
        ) from None


def _drop(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
