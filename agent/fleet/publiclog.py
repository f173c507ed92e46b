"""The desk's own copy of the public log of orders: ``orders/log.json``.

An order that locks or erases is entered when it has all its signatures, at the publication that first files
it. What the brake would stop on laptops is not entered: it waits here, and the desk is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.core import jsontext, schema
from agent.core.errors import BookbagError
from agent.fleet.finding import Finding
from agent.fleet.folder import Folder
from agent.fleet.orders import OrderFile
from agent.trust import floors
from agent.trust.commandlog import MOST_ENTRIES, CommandLog, LogEntry, read_log
from agent.trust.persons import TrustDocument

FILE = "orders/log.json"
_MOST = 8 << 20
#: Hundredths of the log that are full when the desk begins to warn.
WARN_FULL = 80
#: How a log that is full is begun anew: laptops let go of its past when two persons replace the keys that
#: published it.
ANEW = (
    "move orders/log.json out of the folder, run bookbag-fleet rotate online, and publish with two persons:"
    " a new log begins"
)


@dataclass(frozen=True, slots=True)
class _Entry:
    n: int
    prev: str
    sha256: str
    class_: str
    day: int


@dataclass(frozen=True, slots=True)
class _File:
    entries: tuple[_Entry, ...]
    v: int = 1


def read(folder: Folder) -> CommandLog:
    """The log so far. Raises ``bad-metadata`` if its chain was broken: it cannot be made anew, for laptops
    remember it."""
    path = folder.root / FILE
    if not path.exists() and not path.is_symlink():
        return CommandLog()
    data = folder.read(path, most=_MOST)
    value = jsontext.parse(data, what=FILE, max_bytes=_MOST, max_nodes=8 * MOST_ENTRIES)
    found = schema.decode(_File, value, what=FILE).entries
    log = CommandLog(tuple(LogEntry(one.n, one.prev, one.sha256, one.class_, one.day) for one in found))
    try:
        return read_log(log.segments("x").values(), "x")
    except BookbagError as error:
        raise BookbagError(
            error.code, error.message, place=FILE, remedy="restore it from git: laptops know its past"
        ) from None


def write(folder: Folder, log: CommandLog) -> None:
    """Keep it."""
    entries = tuple(_Entry(one.n, one.prev, one.sha256, one.class_, one.day) for one in log.entries)
    folder.write(folder.root / FILE, jsontext.pretty(schema.encode(_File(entries))).encode("utf-8"))


def check_published(log: CommandLog, published: CommandLog) -> None:
    """Refuse to publish on top of a log that is not ours: laptops would take neither. Raises ``conflict``."""
    ours = log.entries[: len(published.entries)]
    if ours != published.entries:
        raise BookbagError(
            "conflict",
            "cannot publish: the published log of orders names orders that this folder did not give",
            place=FILE,
            remedy="get the newest orders/log.json from git; if there is none, somebody else has the online"
            " keys: bookbag-fleet rotate online",
        )


def check(log: CommandLog) -> Iterator[Finding]:
    """That it is full, or will be: then nothing is locked or erased any more."""
    n = len(log.entries)
    if n * 100 >= MOST_ENTRIES * WARN_FULL:
        left = MOST_ENTRIES - n
        why = f"the log of orders has room for {left} more" if left > 0 else "the log of orders is full"
        yield Finding(FILE, "too-many", f"{why}: {n} of {MOST_ENTRIES} entries are used", ANEW, blocks=False)


def enter(
    log: CommandLog, order: OrderFile, persons: Sequence[str], trust: TrustDocument, now: int
) -> CommandLog:
    """The log with ``order`` in it, where its kind belongs there. Raises ``brake`` if laptops would refuse it
    today, ``too-many`` if the log is full: they would refuse all of it."""
    class_ = floors.floor(order.kind).logged
    if not class_ or log.find(order.draft.order.digest) is not None:
        return log
    if len(log.entries) >= MOST_ENTRIES:
        raise BookbagError(
            "too-many",
            f"cannot file it: the log of orders is full, with {MOST_ENTRIES} entries",
            place=order.file,
            remedy=ANEW,
        )
    longer = log.extended(order.draft.order.digest, class_, now)
    most = floors.brake(class_, trust.fleet_size)
    if longer.rank(longer.entries[-1]) <= most:
        return longer
    if class_ == floors.HOLD and len(persons) >= floors.BRAKED_PERSONS:
        return longer
    remedy = "let a second person sign it" if class_ == floors.HOLD else "publish again in two days"
    raise BookbagError(
        "brake",
        f"cannot file it today: {most} such orders were given within a day",
        place=order.file,
        remedy=remedy,
    )
