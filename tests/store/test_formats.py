"""Golden files of the stores' formats (docs/formats.md): written exactly so, and read by every version."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.core.clock import ClockState
from agent.core.errors import BookbagError
from agent.core.model import Entry
from agent.store import chain
from agent.store.highwater import HighWaterFile
from agent.store.ledger import SqliteLedger
from agent.store.spool import Spool
from agent.store.statefile import StateFile
from agent.store.undo import UndoJournal

GOLDEN = Path(__file__).parents[1] / "cases" / "formats" / "store"

CLOCK = ClockState(floor=1_795_305_600, boottime=4711, boot_id="0f1e2d3c", ceiling=1_826_668_800)
MARKS = {"root": 3, "role.policy-ict": 7, "seq.assign": 1}
NOTES = {"online": "5f0c…"}
ENTRIES = (
    Entry("policy", "secondary-school", "in-force", at=1_795_305_600, detail={"changes": 3}),
    Entry("heal", "file:/etc/motd", "healed", "flapping", "repaired for the third time", at=1_795_305_700),
)


def write_clock(directory: Path) -> None:
    StateFile(f"{directory}/clock.json", ClockState, "clock").write(CLOCK)


def write_marks(directory: Path) -> None:
    HighWaterFile(f"{directory}/highwater.json").commit(MARKS, NOTES)


def write_undo(directory: Path) -> None:
    undo = UndoJournal(str(directory))
    undo.remember(
        {
            "file:/etc/motd": {"content": b"Welcome\n", "mode": 0o644, "xattrs": (("user.a", b"\0"),)},
            "file:/etc/new": None,
            'dconf:/org/gnome/"é"': {"base64": "a text that is not bytes"},
        }
    )
    undo.wrote({"file:/etc/motd": {"content": b"Ours\n", "mode": 0o644, "xattrs": ()}})
    undo.forget("file:/etc/new")


def write_spool(directory: Path) -> None:
    spool = Spool(str(directory))
    spool.put("enrol-00112233445566778899aabbccddeeff", b"sealed")
    spool.put("receipt-1", b"sealed too")


WRITERS = {"clock": write_clock, "highwater": write_marks, "undo": write_undo, "spool": write_spool}


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_written_today_is_the_golden_file(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_bytes() for path in (GOLDEN / name).iterdir()}


def copy(name: str, directory: Path) -> str:
    for path in (GOLDEN / name).iterdir():
        (directory / path.name).write_bytes(path.read_bytes())
    return str(directory)


def test_the_clock_is_read(tmp_path: Path) -> None:
    assert StateFile(f"{copy('clock', tmp_path)}/clock.json", ClockState, "clock").read() == CLOCK


def test_high_water_marks_are_read(tmp_path: Path) -> None:
    assert HighWaterFile(f"{copy('highwater', tmp_path)}/highwater.json").read() == (MARKS, NOTES)


def test_the_undo_journal_is_read(tmp_path: Path) -> None:
    undo = UndoJournal(copy("undo", tmp_path))
    assert undo.resources() == ("file:/etc/motd", 'dconf:/org/gnome/"é"')
    assert undo.prior("file:/etc/motd") == (
        {"content": b"Welcome\n", "mode": 0o644, "xattrs": (("user.a", b"\0"),)},
        {"content": b"Ours\n", "mode": 0o644, "xattrs": ()},
    )
    assert undo.prior('dconf:/org/gnome/"é"')[0] == {"base64": "a text that is not bytes"}


def test_the_spool_is_read(tmp_path: Path) -> None:
    spool = Spool(copy("spool", tmp_path))
    assert spool.names() == ("enrol-00112233445566778899aabbccddeeff", "receipt-1")
    assert spool.read("receipt-1") == b"sealed too"


def rows(path: str) -> list[list[object]]:
    import sqlite3

    database = sqlite3.connect(path)
    found = [list(row) for row in database.execute("SELECT n, prev, body, hash FROM entries ORDER BY n")]
    database.close()
    return found


def test_ledger_rows_and_head_are_the_golden_ones(tmp_path: Path) -> None:
    ledger = SqliteLedger(f"{tmp_path}/ledger.db")
    ledger.append_all(ENTRIES)
    assert rows(ledger.path) == json.loads((GOLDEN / "ledger" / "rows.json").read_bytes())
    assert Path(f"{ledger.path}.head").read_bytes() == (GOLDEN / "ledger" / "ledger.db.head").read_bytes()
    ledger.close()


def test_a_golden_ledger_database_is_read_verified_and_extended(tmp_path: Path) -> None:
    for name in ("ledger.db", "ledger.db.head"):
        (tmp_path / name).write_bytes((GOLDEN / "ledger" / name).read_bytes())
    ledger = SqliteLedger(f"{tmp_path}/ledger.db")
    assert tuple(ledger.entries())[::-1] == ENTRIES
    assert ledger.verify() is None
    ledger.append(ENTRIES[0])
    assert ledger.verify() is None
    ledger.close()


def test_entries_keep_what_a_newer_version_adds() -> None:
    body = '{"at":1,"kind":"k","newer":[1],"outcome":"o","subject":"s","v":1}'
    assert chain.entry_of(chain.Row(1, chain.GENESIS, body, ""), "x") == Entry("k", "s", "o", at=1)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("clock.json", lambda d: StateFile(f"{d}/clock.json", ClockState, "clock").read()),
        ("highwater.json", lambda d: HighWaterFile(f"{d}/highwater.json").read()),
        ("undo.log", lambda d: UndoJournal(d).resources()),
    ],
)
def test_golden_files_of_a_newer_major_version_are_refused_and_left_alone(
    name: str, read: object, tmp_path: Path
) -> None:
    golden = (GOLDEN / "too-new" / name).read_bytes()
    (tmp_path / name).write_bytes(golden)
    assert callable(read)
    with pytest.raises(BookbagError) as caught:
        read(str(tmp_path))
    assert caught.value.code == "format-too-new"
    assert (tmp_path / name).read_bytes() == golden
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_newer_minor_version_of_a_state_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "highwater.json").write_bytes((GOLDEN / "newer-minor" / "highwater.json").read_bytes())
    file = HighWaterFile(f"{tmp_path}/highwater.json")
    assert file.read() == (MARKS, NOTES)
    file.commit({"root": 4}, {})
    kept = json.loads((tmp_path / "highwater.json").read_bytes())["data"]
    assert kept["newer-key"] == {"kept": True}


def test_a_clock_written_before_told_time_was_kept_apart_is_read(tmp_path: Path) -> None:
    assert StateFile(f"{copy('older', tmp_path)}/clock.json", ClockState, "clock").read() == CLOCK
