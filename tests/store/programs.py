"""For each store: a program that acknowledges what it stored, and a check of what is found after it ended.

Light on purpose: each of hundreds of child processes imports this module.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.core.clock import BUILD_TIME, DAY
from agent.core.errors import BookbagError
from agent.core.model import Entry
from agent.store import atomic
from agent.store.clockfile import ClockFile
from agent.store.highwater import HighWaterFile
from agent.store.ledger import SqliteLedger
from agent.store.spool import Spool
from agent.store.statefile import StateFile
from agent.store.undo import UndoJournal
from tests.powercut import say


@dataclass(frozen=True, slots=True)
class Note:
    number: int
    text: str


class FixedClock:
    """A machine clock that says what it is told."""

    def __init__(self, wall: int, boottime: int = 100, boot_id: str = "a", *, ntp: bool = False) -> None:
        self.now, self.since, self.boot, self.ntp = wall, boottime, boot_id, ntp

    def wall(self) -> int:
        return self.now

    def boottime(self) -> int:
        return self.since

    def boot_id(self) -> str:
        return self.boot

    def synchronised(self) -> bool:
        return self.ntp


def steps(*actions: Callable[[], object]) -> None:
    """Do each and acknowledge it by its number; an error is told by its code, and ends the program."""
    for number, action in enumerate(actions, 1):
        try:
            action()
        except BookbagError as problem:
            say(f"error {problem.code}")
            sys.exit(1)
        say(str(number))


def acknowledged(said: str) -> int:
    """How many steps were."""
    return sum(1 for line in said.splitlines() if line.isdigit())


# -- atomic


def write_files(directory: Path) -> None:
    steps(
        lambda: atomic.make_dir(f"{directory}/a/b", mode=0o711),
        lambda: atomic.write(f"{directory}/a/b/f", b"1" * 5_000, mode=0o644),
        lambda: atomic.write(f"{directory}/a/b/f", b"2" * 9_000),
        lambda: atomic.remove(f"{directory}/a/b/f"),
    )


def check_files(directory: Path, done: int) -> None:
    data = atomic.read(f"{directory}/a/b/f", max_bytes=10_000)
    mode = (directory / "a/b/f").stat().st_mode & 0o777 if data else 0
    histories = [(None, 0), (None, 0), (b"1" * 5_000, 0o644), (b"2" * 9_000, 0o600), (None, 0)]
    assert (data, mode) in histories[done : done + 2]
    assert done < 1 or (directory / "a/b").is_dir()
    if (directory / "a/b").is_dir():
        atomic.sweep(f"{directory}/a/b")
        assert {path.name for path in (directory / "a/b").iterdir()} <= {"f"}


# -- statefile


def state_file(directory: Path) -> StateFile[Note]:
    return StateFile(f"{directory}/note.json", Note, "note")


def write_state(directory: Path) -> None:
    file = state_file(directory)
    steps(lambda: file.write(Note(1, "first")), lambda: file.write(Note(2, "second" * 500)), file.remove)


def check_state(directory: Path, done: int) -> None:
    history = [None, Note(1, "first"), Note(2, "second" * 500), None]
    assert state_file(directory).read() in history[done : done + 2]


# -- high-water marks


def commit_marks(directory: Path) -> None:
    file = HighWaterFile(f"{directory}/highwater.json")
    steps(
        *(lambda n=n: file.commit({"root": n, "seq.assign": n * n}, {"online": f"k{n}"}) for n in (1, 2, 3))
    )


def check_marks(directory: Path, done: int) -> None:
    file = HighWaterFile(f"{directory}/highwater.json")
    history = [None, *(({"root": n, "seq.assign": n * n}, {"online": f"k{n}"}) for n in (1, 2, 3))]
    assert file.read() in history[done : done + 2]
    file.commit({"root": 9}, {})  # and it can go on from there
    assert HighWaterFile(f"{directory}/highwater.json").read() == ({"root": 9}, {})


# -- clock


def tell_time(directory: Path) -> None:
    for n in range(1, 4):
        file = ClockFile(f"{directory}/clock.json", FixedClock(BUILD_TIME + n * DAY))
        at = file.now().at
        say(f"{file.trouble.code}:{at}" if file.trouble else str(at))


def check_time(directory: Path, said: str) -> None:
    """Time handed out and remembered is never taken back, even if the next boot finds the battery empty."""
    latest = max((int(line) for line in said.splitlines() if line.isdigit()), default=BUILD_TIME)
    file = ClockFile(f"{directory}/clock.json", FixedClock(0, 0, "b"))
    assert file.now().at >= latest
    assert file.trouble is None
    assert all(line.isdigit() or line.startswith("disk-full:") for line in said.splitlines())


# -- undo journal

PRIORS = {f"file:/{n}": {"content": b"prior %d" % n, "mode": 0o644} if n % 2 else None for n in range(4)}
WROTE = {name: {"content": b"ours", "mode": 0o600} for name in PRIORS}
LATER = {"file:/1": {"content": b"ours again", "mode": 0o600}}


def journal(directory: Path) -> None:
    undo = UndoJournal(f"{directory}/undo")
    steps(
        lambda: undo.remember(PRIORS),
        lambda: undo.wrote(WROTE),
        lambda: undo.wrote(LATER),
        lambda: undo.forget("file:/0", "file:/2"),
        lambda: undo.remember({"file:/5": None}),
    )


def check_journal(directory: Path, done: int) -> None:
    undo = UndoJournal(f"{directory}/undo")
    found = {name: undo.prior(name) for name in undo.resources()}
    remembered = {name: (prior, prior) for name, prior in PRIORS.items()}
    wrote = {name: (prior, WROTE[name]) for name, prior in PRIORS.items()}
    later = {**wrote, "file:/1": (PRIORS["file:/1"], LATER["file:/1"])}
    forgot = {name: later[name] for name in ("file:/1", "file:/3")}
    history = [{}, remembered, wrote, later, forgot, {**forgot, "file:/5": (None, None)}]
    assert found in history[done : done + 2]
    undo.remember({"file:/9": None})  # and it can go on from there
    assert UndoJournal(f"{directory}/undo").resources() == (*found, "file:/9")


def big_journal(directory: Path) -> None:
    """So many dead records that the journal is compacted on the way."""
    undo = UndoJournal(f"{directory}/undo")
    steps(
        lambda: undo.remember({"file:/big": None}),
        *(lambda n=n: undo.wrote({"file:/big": {"content": bytes([n]) * 90_000}}) for n in range(1, 5)),
    )


def check_big_journal(directory: Path, done: int) -> None:
    undo = UndoJournal(f"{directory}/undo")
    found = [undo.prior(name)[1] for name in undo.resources()]
    history = [[], [None], *([{"content": bytes([n]) * 90_000}] for n in range(1, 5))]
    assert found in history[done : done + 2]


# -- ledger


def keep_ledger(directory: Path) -> None:
    ledger = SqliteLedger(f"{directory}/ledger/ledger.db")
    steps(
        lambda: ledger.append(Entry("heal", "1", "done", at=7)),
        lambda: ledger.append_all([Entry("heal", "2", "done"), Entry("heal", "3", "done")]),
        ledger.close,
        lambda: ledger.append(Entry("heal", "4", "done", detail={"text": "x" * 9_000})),
    )


def check_ledger(directory: Path, done: int) -> None:
    ledger = SqliteLedger(f"{directory}/ledger/ledger.db")
    assert ledger.verify() is None
    found = [entry.subject for entry in ledger.entries()][::-1]
    history = [[], ["1"], ["1", "2", "3"], ["1", "2", "3"], ["1", "2", "3", "4"]]
    assert found in history[done : done + 2]
    ledger.append(Entry("heal", "next", "done"))  # and it can go on from there
    assert [entry.subject for entry in ledger.entries()][::-1] == [*found, "next"]
    assert ledger.verify() is None
    ledger.close()


# -- spool


def fill_spool(directory: Path) -> None:
    spool = Spool(f"{directory}/outbox")
    steps(
        lambda: spool.put("first", b"1" * 3_000),
        lambda: spool.put("second", b"2"),
        lambda: spool.put("first", b"changed"),
        lambda: spool.remove("second"),
    )


def check_spool(directory: Path, done: int) -> None:
    spool = Spool(f"{directory}/outbox")
    found = [(name, spool.read(name)) for name in spool.names()]
    one, two, new = ("first", b"1" * 3_000), ("second", b"2"), ("first", b"changed")
    assert found in [[], [one], [one, two], [new, two], [new]][done : done + 2]
    spool.put("next", b"n")
    assert spool.names()[-1] == "next"


#: name → (program, check of a directory after so many steps were acknowledged)
STORES = {
    "atomic": (write_files, check_files),
    "statefile": (write_state, check_state),
    "highwater": (commit_marks, check_marks),
    "undo": (journal, check_journal),
    "undo-compacted": (big_journal, check_big_journal),
    "ledger": (keep_ledger, check_ledger),
    "spool": (fill_spool, check_spool),
}
