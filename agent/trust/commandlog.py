"""The public log: every lock and every order to erase, as a hash, in one chain that all laptops of a site
read.

The log is published by the online keys, so it proves nothing about who decided. It makes what was decided
visible and countable: an order that it does not name is not obeyed, an order too many in a day is not either,
and who keeps the online keys cannot show a laptop one past today and another tomorrow. An entry is
``{n, prev, sha256, class, day}``: its number, the hash of the entry before (SHA-256 of the canonical JSON),
the SHA-256 of the signed payload, ``hold`` or ``erase``, and the day (unix seconds / 86400) on which it was
published. Entries lie in segments of `SEGMENT`, so that a laptop that knows the older ones fetches only the
newest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.core import jsontext
from agent.core.clock import DAY
from agent.core.errors import BookbagError
from agent.trust import floors
from agent.trust.fields import Fields

VERSION = 1
GENESIS = "0" * 64
SEGMENT = 32  #: entries in one file: about 6 KiB
MOST_SEGMENTS = 512
#: In one log: what a laptop reads anew at each word (3 MiB, most of a second). A full one is begun anew with
#: other online keys.
MOST_ENTRIES = SEGMENT * MOST_SEGMENTS
CLASSES = (floors.HOLD, floors.ERASE)
_MOST_DAY = 1 << 24


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One order that was given to some laptop of the site; which one, nobody can tell from it."""

    n: int
    prev: str
    sha256: str
    class_: str
    day: int

    @property
    def hash(self) -> str:
        """What the next entry names as ``prev``."""
        return hashlib.sha256(jsontext.canonical(self.to_json())).hexdigest()

    def to_json(self) -> dict[str, object]:
        """As published."""
        return {
            "n": self.n,
            "prev": self.prev,
            "sha256": self.sha256,
            "class": self.class_,
            "day": self.day,
        }


@dataclass(frozen=True, slots=True)
class CommandLog:
    """All entries, oldest first; the chain holds."""

    entries: tuple[LogEntry, ...] = ()

    @property
    def head(self) -> tuple[int, str]:
        """Number and hash of the newest entry."""
        return (self.entries[-1].n, self.entries[-1].hash) if self.entries else (0, GENESIS)

    def hash_at(self, n: int) -> str:
        """The hash of entry ``n``; "" if the log is not that long."""
        if n == 0:
            return GENESIS
        return self.entries[n - 1].hash if n <= len(self.entries) else ""

    def find(self, sha256: str) -> LogEntry | None:
        """The entry of the order with that payload."""
        return next((one for one in self.entries if one.sha256 == sha256), None)

    def rank(self, entry: LogEntry) -> int:
        """The how-manieth of its class ``entry`` is within a day: counted with all of the day before, for
        days are all that the log tells of time."""
        return sum(
            1 for one in self.entries[: entry.n] if one.class_ == entry.class_ and one.day >= entry.day - 1
        )

    def extended(self, sha256: str, class_: str, at: int) -> CommandLog:
        """With one more entry, published at ``at`` (unix seconds); unchanged if the order is in it
        already."""
        if self.find(sha256) is not None:
            return self
        n, prev = self.head
        day = max(at // DAY, self.entries[-1].day if self.entries else 0)
        return CommandLog((*self.entries, LogEntry(n + 1, prev, sha256, class_, day)))

    def segments(self, site: str) -> dict[str, bytes]:
        """The log as files, by target name below ``mail/``."""
        made = {}
        for number in range((len(self.entries) + SEGMENT - 1) // SEGMENT):
            part = self.entries[number * SEGMENT : (number + 1) * SEGMENT]
            value = {"v": VERSION, "site": site, "entries": [one.to_json() for one in part]}
            made[segment_name(number)] = jsontext.canonical(value)
        return made


def segment_name(number: int) -> str:
    """What the ``number``-th segment (from 0) is called."""
    return f"log-{number}.json"


def read_log(segments: Iterable[bytes], site: str) -> CommandLog:
    """The log in ``segments``, in order, if its chain holds. Raises ``bad-metadata`` or ``wrong-site``."""
    entries: list[LogEntry] = []
    seen: set[str] = set()
    prev = GENESIS
    for number, data in enumerate(segments):
        what = segment_name(number)
        if len(entries) != number * SEGMENT:
            raise _broken("a segment before the last one is not full", what)
        for entry in read_segment(data, what, site):
            last = entries[-1].day if entries else 0
            if entry.n != len(entries) + 1 or entry.prev != prev:
                raise _broken(f"entry {entry.n} does not follow from the one before", what)
            if entry.day < last or entry.sha256 in seen:
                raise _broken(f"entry {entry.n} goes back in time, or names an order twice", what)
            seen.add(entry.sha256)
            entries.append(entry)
            prev = entry.hash
    return CommandLog(tuple(entries))


def read_segment(data: bytes, what: str, site: str) -> tuple[LogEntry, ...]:
    """The entries of one segment, whose chain is not judged. Raises ``bad-metadata`` or ``wrong-site``."""
    top = Fields(jsontext.parse(data, what=what), what)
    top.version(VERSION)
    if top.name("site") != site:
        raise BookbagError(
            "wrong-site", f"cannot accept the log of orders: {what} is of another site", place=what
        )
    found = tuple(
        LogEntry(
            n=one.integer("n", 1, MOST_ENTRIES),
            prev=one.hex("prev", 32).hex(),
            sha256=one.hex("sha256", 32).hex(),
            class_=one.choice("class", CLASSES),
            day=one.integer("day", 0, _MOST_DAY),
        )
        for one in top.objects("entries", SEGMENT)
    )
    if not found:
        raise _broken("it is empty", what)
    return found


def check_extends(log: CommandLog, *, known: tuple[int, str], looked_at: int, at: int) -> None:
    """Refuse a log that is not the one seen before, only longer.

    ``known``: number and hash of the newest entry at ``looked_at`` (unix seconds, 0: never looked). What was
    not there then was not published before then, and nothing is published after ``at``. Raises ``rollback``
    (another past) or ``bad-metadata`` (an impossible day).
    """
    n, hash_ = known
    if log.hash_at(n) != hash_:
        raise BookbagError(
            "rollback",
            "cannot accept the log of orders: it is not the one that this laptop saw before",
            place="mail/log",
            remedy="tell the school: somebody shows different laptops different logs",
        )
    for entry in log.entries[n:]:
        if entry.day < looked_at // DAY - 1 or entry.day > at // DAY + 1:
            raise _broken(f"entry {entry.n} is of a day on which it was not published", "mail/log")


def _broken(why: str, place: str) -> BookbagError:
    return BookbagError("bad-metadata", f"cannot accept the log of orders: {why}", place=place)


def to_json(log: CommandLog) -> Mapping[str, object]:
    """The whole log as one value, for the desk's own copy."""
    return {"v": VERSION, "entries": [one.to_json() for one in log.entries]}
