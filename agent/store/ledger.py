"""The ledger: an append-only, hash-chained record of what was decided and done on this laptop.

SQLite with a write-ahead log and ``synchronous=FULL``: one fsync for the rows of a call, and readers while
another process writes. The head of the chain is kept in a small file of its own as well, so that rows missing
at the end are noticed. It is written after the rows: when the power goes between, it lags behind the chain,
never ahead of it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from agent.core import durable
from agent.core.errors import BookbagError
from agent.core.faults import full
from agent.core.model import Entry
from agent.store import atomic, chain
from agent.store.chain import Broken, Head, Row
from agent.store.statefile import StateFile

_WAIT = 10.0  # seconds for another process's write
_PIECE = 64 << 10  # bytes: more than the piece by which the shared-memory file grows
_TABLE = """
CREATE TABLE IF NOT EXISTS entries (
    n INTEGER PRIMARY KEY, prev TEXT NOT NULL, body TEXT NOT NULL, hash TEXT NOT NULL
) STRICT
"""


class SqliteLedger:
    """`agent.core.ports.Ledger` in the database at ``path``; the head is kept in ``path.head``.

    A ledger found damaged when something is appended is set aside, and a new one goes on from the last known
    head; its first entry says so. The database stays open between calls, until `close`. Not for several
    threads at once.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._head_file = StateFile(f"{path}.head", Head, "ledger-head")
        self._open: sqlite3.Connection | None = None

    def append(self, entry: Entry) -> str:
        """Store one entry durably; returns the new head hash (64 hex). Raises ``disk-full``: then it is not
        stored."""
        return self.append_all((entry,))

    def append_all(self, entries: Iterable[Entry]) -> str:
        """Store several in one transaction, all or none; returns the new head hash."""
        bodies = [chain.body_of(entry) for entry in entries]
        atomic.make_dir(os.path.dirname(self.path))
        head, trouble = self._read_head(self._head_file)
        try:
            last = self._insert(bodies, head, trouble)
        except _Damaged as damage:
            self._set_aside()
            last = self._insert(bodies, head, str(damage))
        # The rows are durable, so the call succeeded; a head that lags is caught up by the next one.
        with suppress(BookbagError):
            if head is None or head.n < last.n:
                self._head_file.write(last)
        return last.hash

    def entries(self, *, newest: int = 100) -> Iterator[Entry]:
        """The newest entries, newest first. Raises ``state-corrupt`` if the database cannot be read."""
        rows = self._select("SELECT n, prev, body, hash FROM entries ORDER BY n DESC LIMIT ?", newest)
        return (chain.entry_of(row, self.path) for row in rows)

    def verify(self) -> Broken | None:
        """The first row that was edited, removed, reordered or lost; None if the whole chain holds, to its
        head."""
        head, trouble = self._read_head(StateFile(self._head_file.path, Head, "ledger-head", stay=True))
        seen = 0

        def counted() -> Iterator[Row]:
            nonlocal seen
            for row in self._select("SELECT n, prev, body, hash FROM entries ORDER BY n"):
                yield row
                seen = row.n

        try:
            broken = chain.first_broken(counted(), head or Head(0, chain.GENESIS))
        except BookbagError as problem:
            return Broken(seen + 1, problem.message)
        if broken is None and head is None and (seen or trouble):
            return Broken(seen, trouble or "the head file is missing")
        return broken

    def close(self) -> None:
        """Close the database (idempotent); it opens again when needed."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _insert(self, bodies: list[str], head: Head | None, trouble: str) -> Head:
        with self._errors():
            database = self._connect()
            database.execute("BEGIN IMMEDIATE")
            try:
                last, missing = _last(database, head)
                if trouble := trouble or missing:
                    note = Entry(chain.DAMAGED, "ledger", "restarted", "state-corrupt", trouble)
                    bodies = [chain.body_of(note), *bodies]
                for body in bodies:
                    row = chain.next_row(last, body)
                    database.execute("INSERT INTO entries (n, prev, body, hash) VALUES (?, ?, ?, ?)", row)
                    last = Head(row.n, row.hash)
                database.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # the first error is the one to tell about
                    database.execute("ROLLBACK")
                raise
            return last

    def _connect(self) -> sqlite3.Connection:
        if self._open is None:
            if not os.path.exists(self.path):
                # The head first, so that a ledger without one has lost it; private from its first byte.
                if self._head_file.read() is None:
                    self._head_file.write(Head(0, chain.GENESIS))
                os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
            database = sqlite3.connect(
                self.path, timeout=_WAIT, isolation_level=None, check_same_thread=False
            )
            try:
                database.execute("PRAGMA journal_mode=WAL")
                database.execute("PRAGMA synchronous=FULL")
                database.execute(_TABLE)
            except BaseException:
                database.close()
                raise
            self._open = database
        return self._open

    def _set_aside(self) -> None:
        """Out of the way, write-ahead log first: left behind, it would be replayed into the new database."""
        self.close()
        for suffix in ("-wal", "-shm", ""):
            if os.path.lexists(self.path + suffix):
                os.rename(self.path + suffix, f"{self.path}.corrupt{suffix}")
        durable.sync_directory(os.path.dirname(self.path))

    def _read_head(self, file: StateFile[Head]) -> tuple[Head | None, str]:
        """The head, or what is wrong with its file."""
        try:
            return file.read(), ""
        except BookbagError as problem:
            if problem.code != "state-corrupt":
                raise
            return None, problem.message

    def _select(self, query: str, *values: object) -> Iterator[Row]:
        if not os.path.exists(self.path):
            return
        try:
            with self._errors():
                for row in self._connect().execute(query, values):
                    yield Row(*row)
        except _Damaged as damage:
            raise BookbagError(
                "state-corrupt", f"cannot read the ledger: {damage}", place=self.path
            ) from None

    @contextmanager
    def _errors(self) -> Iterator[None]:
        with atomic.named_errors("use the ledger", self.path):
            try:
                yield
            except sqlite3.Error as problem:
                self.close()  # whatever state it is in, the next call starts afresh
                primary = getattr(problem, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
                if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                    raise _Damaged(str(problem)) from problem
                # SQLite keeps the system's reason to itself where it makes its shared-memory file or syncs.
                silent = primary == sqlite3.SQLITE_IOERR and _no_room(os.path.dirname(self.path))
                if primary == sqlite3.SQLITE_FULL or silent:
                    raise full("use the ledger", self.path) from problem
                raise BookbagError(
                    "io-error", f"cannot use the ledger: {problem}", place=self.path
                ) from problem


def _no_room(directory: str) -> bool:
    """Whether the disk has less left than SQLite takes at a time."""
    try:
        found = os.statvfs(directory)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < _PIECE or (found.f_files > 0 and found.f_favail == 0)


class _Damaged(Exception):
    """The database cannot be believed, and why."""


def _last(database: sqlite3.Connection, head: Head | None) -> tuple[Head, str]:
    """The row to go on from, and what is missing beside it. Raises `_Damaged` if head file and rows
    contradict."""
    row = database.execute("SELECT n, hash FROM entries ORDER BY n DESC LIMIT 1").fetchone()
    if head is None:
        return (Head(*row), "the head file is missing") if row else (Head(0, chain.GENESIS), "")
    if row is None:
        return head, f"all {head.n} rows are missing" if head.n else ""
    named = database.execute("SELECT hash FROM entries WHERE n = ?", (head.n,)).fetchone()
    if head.n and (named is None or named[0] != head.hash):
        raise _Damaged(f"row {head.n}, which the head file names, is not there")
    return Head(*row), ""
