"""Reports of laptops at the school: one SQLite file, bounded in age and size, read by the fleet page and by
people.

It is a copy of what laptops say, and decides nothing. A report that arrives twice is kept once. Each record
is kept for as many days as its declaration says, and those of a laptop that left the folder go after a month.

The newest is what came last, by our own clock, never by what a report says of itself: nobody proves whose a
report is, and one that claimed a later day would stand in front of all true ones until then.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.core import jsontext
from agent.core.clock import DAY
from agent.core.errors import BookbagError
from agent.store import atomic
from agent.telemetry.declaration import Value
from agent.telemetry.records import records
from agent.telemetry.report import MAX_BYTES, Report

VERSION = 2
PAGE = 4096
MOST_BYTES = 4 << 30  #: of the whole file
MOST_EACH = 2000  #: reports of one record of one laptop
AHEAD = 3600  #: seconds by which a report may be later than we had it: no two clocks are the same
STRANGER_DAYS = 30
UNKNOWN_DAYS = 90  #: that a record is kept which this version does not know
_SCHEMA = """
CREATE TABLE reports (
  installation TEXT NOT NULL, record TEXT NOT NULL, id TEXT NOT NULL,
  at INTEGER NOT NULL, received INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (installation, record, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX latest ON reports (installation, record, received, at);
CREATE INDEX ages ON reports (record, received);
"""
_FROM_1 = """
DROP INDEX newest;
CREATE INDEX latest ON reports (installation, record, received, at);
UPDATE reports SET at = received + 3600 WHERE at > received + 3600
"""
#: Steps from one laptop, and one record of it, to the next in the index: what lies between is not read.
_NEWEST = """
WITH RECURSIVE
laptops (laptop) AS (
  SELECT min(installation) FROM reports
  UNION ALL SELECT (SELECT min(installation) FROM reports WHERE installation > laptop) FROM laptops
  WHERE laptop IS NOT NULL),
kept (laptop, kind) AS (
  SELECT laptop, (SELECT min(record) FROM reports WHERE installation = laptop) FROM laptops
  WHERE laptop IS NOT NULL
  UNION ALL SELECT laptop, (SELECT min(record) FROM reports WHERE installation = laptop AND record > kind)
  FROM kept WHERE kind IS NOT NULL)
SELECT installation, record, at, received, body FROM kept JOIN reports
ON installation = laptop AND record = kind AND id =
  (SELECT id FROM reports WHERE installation = laptop AND record = kind
   ORDER BY received DESC, at DESC LIMIT 1)
"""
_Row = tuple[str, str, int, int, str]


@dataclass(frozen=True, slots=True)
class Kept:
    """One report as it lies here. ``at``: when the laptop says that it was made, at most `AHEAD` after
    ``received``: when it came.
    """

    installation: str
    record: str
    at: int
    received: int
    cause: str
    laptop: Mapping[str, Value]
    values: Mapping[str, Value]

    def to_dict(self) -> dict[str, object]:
        """For programs."""
        return {
            "at": self.at,
            "received": self.received,
            "cause": self.cause,
            "laptop": dict(self.laptop),
            "values": dict(self.values),
        }


class ReportStore:
    """The file at ``path``, made when first needed. For one thread; other processes may read it meanwhile."""

    def __init__(self, path: Path, *, most_bytes: int = MOST_BYTES) -> None:
        """Open it. Raises ``state-corrupt`` (no database of ours) or ``format-too-new``, ``io-error``."""
        self.path = path
        self._parsed: dict[_Row, Kept] = {}  #: what was newest last time: most of it still is
        atomic.make_dir(str(path.parent), mode=0o700)
        ignore = path.parent / ".gitignore"
        if (
            not ignore.exists()
        ):  # what laptops say of themselves has no business in a history that is kept for ever
            atomic.write(str(ignore), b"*\n", mode=0o644)
        with self._explained("open"):
            self._db = sqlite3.connect(path, timeout=5.0, isolation_level=None)
            try:
                self._prepare(most_bytes)
            except BaseException:
                self._db.close()
                raise

    def _prepare(self, most_bytes: int) -> None:
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")  # what was answered with 200 is on the disk
        self._db.execute(f"PRAGMA max_page_count={max(16, most_bytes // PAGE)}")
        self._db.execute("PRAGMA secure_delete=ON")  # what is past its days is gone, not merely unlisted
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise BookbagError(
                "format-too-new",
                f"cannot read the reports: they are of format {version}",
                place=str(self.path),
                remedy="update Bookbag",
            )
        if version < VERSION:
            with self._transaction():
                for statement in (_FROM_1 if version else _SCHEMA).split(";\n"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version={VERSION}")

    def add(self, reports: Sequence[Report], received: int) -> None:
        """Keep them all, durably, or none. Raises ``disk-full``."""
        rows = [
            (
                one.laptop["installation"],
                one.record,
                one.id,
                min(one.at, received + AHEAD),
                received,
                _body(one),
            )
            for one in reports
        ]
        with self._explained("store"), self._transaction():
            self._db.executemany("INSERT OR IGNORE INTO reports VALUES (?, ?, ?, ?, ?, ?)", rows)
            for installation, record in {(row[0], row[1]) for row in rows}:
                self._db.execute(
                    "DELETE FROM reports WHERE installation = ?1 AND record = ?2 AND (received, at, id) < "
                    "(SELECT received, at, id FROM reports WHERE installation = ?1 AND record = ?2 "
                    "ORDER BY received DESC, at DESC, id DESC LIMIT 1 OFFSET ?3)",
                    (installation, record, MOST_EACH - 1),
                )

    def purge(self, now: int, known: Collection[str]) -> int:
        """Drop what is past its days, and what is of a laptop that has not been ``known`` for a month;
        returns how many. (A record that is being edited, or a folder that cannot be read, must not cost a
        laptop its reports.)
        """
        days = {name: one.retention_days for name, one in records().items()}
        gone = 0
        with self._explained("purge"), self._transaction():
            for (record,) in self._db.execute("SELECT DISTINCT record FROM reports").fetchall():
                oldest = now - days.get(record, UNKNOWN_DAYS) * DAY
                gone += self._db.execute(
                    "DELETE FROM reports WHERE record = ? AND received < ?", (record, oldest)
                ).rowcount
            for (installation,) in self._db.execute("SELECT DISTINCT installation FROM reports").fetchall():
                if installation not in known:
                    gone += self._db.execute(
                        "DELETE FROM reports WHERE installation = ? AND received < ?",
                        (installation, now - STRANGER_DAYS * DAY),
                    ).rowcount
        return gone

    def newest(self) -> dict[str, dict[str, Kept]]:
        """Installation → record → its newest report."""
        found: dict[str, dict[str, Kept]] = {}
        parsed: dict[_Row, Kept] = {}
        with self._explained("read"):
            for row in self._db.execute(_NEWEST):
                one = parsed[row] = self._parsed.get(row) or _kept(row)
                found.setdefault(one.installation, {})[one.record] = one
        self._parsed = parsed
        return found

    def of(self, installation: str, most: int = 1000) -> list[Kept]:
        """The newest reports of one laptop, what came last first."""
        with self._explained("read"):
            rows = self._db.execute(
                "SELECT installation, record, at, received, body FROM reports WHERE installation = ? "
                "ORDER BY received DESC, at DESC, record LIMIT ?",
                (installation, most),
            ).fetchall()
        return [_kept(row) for row in rows]

    def close(self) -> None:
        """Let go of the file (idempotent)."""
        self._db.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK") if self._db.in_transaction else None
            raise
        self._db.execute("COMMIT")

    @contextlib.contextmanager
    def _explained(self, verb: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as problem:
            full = getattr(problem, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL
            code = "disk-full" if full else "io-error"
            raise BookbagError(code, f"cannot {verb} reports: {problem}", place=str(self.path)) from problem
        except sqlite3.DatabaseError as problem:
            raise BookbagError(
                "state-corrupt",
                f"cannot {verb} reports: {problem}",
                place=str(self.path),
                remedy="move the file away: laptops go on reporting into a new one",
            ) from problem


def open_existing(path: Path) -> ReportStore | None:
    """The store for whoever only reads; None where no report ever came."""
    return ReportStore(path) if path.exists() else None


def _body(report: Report) -> str:
    value = {"cause": report.cause, "laptop": dict(report.laptop), "values": dict(report.values)}
    return jsontext.canonical(value).decode()


def _kept(row: _Row) -> Kept:
    installation, record, at, received, body = row
    value = jsontext.parse(body.encode(), what=record, max_bytes=MAX_BYTES, max_depth=6, max_nodes=2000)
    if not isinstance(value, dict):
        raise BookbagError("state-corrupt", "cannot read a report: it is no object", place=record)
    laptop, values = value.get("laptop"), value.get("values")
    return Kept(
        installation,
        record,
        at,
        received,
        str(value.get("cause", "")),
        laptop if isinstance(laptop, dict) else {},
        values if isinstance(values, dict) else {},
    )
