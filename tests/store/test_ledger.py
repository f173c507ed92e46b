"""The ledger: what was written reads back, and no row can be edited, removed, reordered or lost unnoticed."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.core.model import Entry
from agent.store import chain
from agent.store.ledger import SqliteLedger
from tests.contract.subject import LeftOut, mounted


def kept(directory: Path, count: int = 5) -> SqliteLedger:
    ledger = SqliteLedger(f"{directory}/ledger.db")
    for n in range(1, count + 1):
        ledger.append(Entry("heal", str(n), "done", at=n, detail={"n": n}))
    return ledger


def tamper(directory: Path, *statements: str) -> None:
    database = sqlite3.connect(directory / "ledger.db")
    for statement in statements:
        database.execute(statement)
    database.commit()
    database.close()


def subjects(ledger: SqliteLedger) -> list[str]:
    return [entry.subject for entry in ledger.entries()]


def test_entries_come_back_newest_first(tmp_path: Path) -> None:
    ledger = kept(tmp_path)
    assert subjects(ledger) == ["5", "4", "3", "2", "1"]
    assert [entry.subject for entry in ledger.entries(newest=2)] == ["5", "4"]
    assert next(ledger.entries()) == Entry("heal", "5", "done", at=5, detail={"n": 5})
    assert ledger.verify() is None
    ledger.close()
    assert subjects(SqliteLedger(f"{tmp_path}/ledger.db")) == ["5", "4", "3", "2", "1"]


def test_an_absent_ledger_is_empty_and_whole_and_is_not_made_by_looking(tmp_path: Path) -> None:
    ledger = SqliteLedger(f"{tmp_path}/none/ledger.db")
    assert subjects(ledger) == []
    assert ledger.verify() is None
    assert not (tmp_path / "none").exists()


def test_the_head_is_that_of_the_chain(tmp_path: Path) -> None:
    ledger = kept(tmp_path, 1)
    head = chain.Head(0, chain.GENESIS)
    row = chain.next_row(head, chain.body_of(Entry("heal", "1", "done", at=1, detail={"n": 1})))
    second = ledger.append(Entry("heal", "2", "done"))
    assert second == chain.next_row(chain.Head(1, row.hash), chain.body_of(Entry("heal", "2", "done"))).hash


@pytest.mark.parametrize(
    ("statements", "row", "why"),
    [
        (["UPDATE entries SET body = replace(body, 'done', 'none') WHERE n = 3"], 3, "content"),
        (["UPDATE entries SET hash = prev WHERE n = 3"], 3, "content"),
        (["UPDATE entries SET prev = hash WHERE n = 3"], 3, "content"),
        (["DELETE FROM entries WHERE n = 3"], 4, "the row before it is 2"),
        (["DELETE FROM entries WHERE n = 1"], 2, "the rows before it are missing"),
        (["DELETE FROM entries WHERE n = 5"], 5, "1 rows are missing at the end"),
        (["DELETE FROM entries WHERE n > 2"], 3, "3 rows are missing at the end"),
        (["DELETE FROM entries"], 1, "5 rows are missing at the end"),
        (
            [
                "UPDATE entries SET n = 99 WHERE n = 2",
                "UPDATE entries SET n = 2 WHERE n = 3",
                "UPDATE entries SET n = 3 WHERE n = 99",
            ],
            2,
            "content",
        ),
        (["INSERT INTO entries SELECT 6, hash, body, hash FROM entries WHERE n = 5"], 6, "content"),
    ],
)
def test_each_way_of_tampering_is_found(tmp_path: Path, statements: list[str], row: int, why: str) -> None:
    ledger = kept(tmp_path)
    ledger.close()
    tamper(tmp_path, *statements)
    broken = ledger.verify()
    assert broken is not None
    assert broken.row == row
    assert why in broken.why


def test_a_chain_rewritten_from_the_middle_is_found_by_the_head_file(tmp_path: Path) -> None:
    ledger = kept(tmp_path)
    ledger.close()
    database = sqlite3.connect(tmp_path / "ledger.db")
    n, digest = database.execute("SELECT n, hash FROM entries WHERE n = 3").fetchone()
    database.execute("DELETE FROM entries WHERE n > 3")
    last = chain.Head(n, digest)
    for subject in ("forged", "also forged"):
        row = chain.next_row(last, chain.body_of(Entry("heal", subject, "done")))
        database.execute("INSERT INTO entries VALUES (?, ?, ?, ?)", row)
        last = chain.Head(row.n, row.hash)
    database.commit()
    database.close()
    broken = ledger.verify()
    assert broken is not None
    assert (broken.row, broken.why) == (5, "it is not the row that the head file names")


@pytest.mark.parametrize("damage", [b"", b"{}", None])
def test_a_lost_or_damaged_head_file_is_told(tmp_path: Path, damage: bytes | None) -> None:
    ledger = kept(tmp_path)
    head = tmp_path / "ledger.db.head"
    if damage is None:
        head.unlink()
    else:
        head.write_bytes(damage)
    broken = ledger.verify()
    assert broken is not None
    assert broken.row == 5
    assert ledger.verify() == broken  # looking changes nothing
    ledger.append(Entry("heal", "6", "done"))
    assert subjects(ledger)[:3] == ["6", "ledger", "5"]
    assert [entry.kind for entry in ledger.entries(newest=2)] == ["heal", chain.DAMAGED]
    assert ledger.verify() is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:2_000],
        lambda data: b"\0" * len(data),
        lambda data: b"not a database" * 1_000,
        lambda data: data[:100] + b"\xff" * (len(data) - 100),
        None,
    ],
)
def test_a_damaged_database_is_set_aside_and_a_new_one_goes_on(tmp_path: Path, damage: object) -> None:
    ledger = kept(tmp_path)
    ledger.close()
    path = tmp_path / "ledger.db"
    if callable(damage):
        path.write_bytes(damage(path.read_bytes()))
    else:
        path.unlink()
    broken = ledger.verify()
    assert broken is not None
    assert broken.row == 1
    ledger.append(Entry("heal", "6", "done"))
    assert [(entry.kind, entry.subject) for entry in ledger.entries()] == [
        ("heal", "6"),
        (chain.DAMAGED, "ledger"),
    ]
    assert ledger.verify() is None
    rows = sqlite3.connect(path).execute("SELECT n FROM entries ORDER BY n").fetchall()
    assert rows == [(6,), (7,)]


def test_a_chain_that_ends_too_early_is_set_aside_too(tmp_path: Path) -> None:
    ledger = kept(tmp_path)
    ledger.close()
    tamper(tmp_path, "DELETE FROM entries WHERE n = 5")
    ledger.append(Entry("heal", "6", "done"))
    assert (tmp_path / "ledger.db.corrupt").exists()
    assert [entry.kind for entry in ledger.entries()] == ["heal", chain.DAMAGED]


def test_readers_are_not_held_up_by_a_writer(tmp_path: Path) -> None:
    ledger = kept(tmp_path)
    writer = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM entries WHERE n = 5")
    reader = SqliteLedger(f"{tmp_path}/ledger.db")
    assert subjects(reader) == ["5", "4", "3", "2", "1"]
    assert reader.verify() is None
    writer.execute("ROLLBACK")
    writer.close()
    reader.close()
    ledger.close()


def test_several_writers_make_one_chain(tmp_path: Path) -> None:
    kept(tmp_path, 1).close()
    program = (
        "import sys; from agent.core.model import Entry; from agent.store.ledger import SqliteLedger\n"
        "ledger = SqliteLedger(sys.argv[1])\n"
        "for n in range(10): ledger.append(Entry('heal', f'{sys.argv[2]}-{n}', 'done'))"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, f"{tmp_path}/ledger.db", name]) for name in "abc"
    ]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    ledger = SqliteLedger(f"{tmp_path}/ledger.db")
    assert ledger.verify() is None
    assert len(list(ledger.entries())) == 31
    ledger.close()


def test_an_entry_without_a_json_form_is_refused_and_nothing_is_stored(tmp_path: Path) -> None:
    ledger = kept(tmp_path)
    with pytest.raises(BookbagError):
        ledger.append_all([Entry("a", "b", "c"), Entry("a", "b", "c", detail={"x": b"bytes"})])
    assert len(list(ledger.entries())) == 5


def test_an_entry_of_a_newer_format_says_so(tmp_path: Path) -> None:
    ledger = kept(tmp_path, 1)
    row = chain.Row(1, chain.GENESIS, '{"kind":"x","outcome":"y","subject":"z","v":2}', "")
    with pytest.raises(BookbagError) as caught:
        chain.entry_of(row, ledger.path)
    assert caught.value.code == "format-too-new"


def test_it_may_be_used_by_one_thread_after_another(tmp_path: Path) -> None:
    ledger = kept(tmp_path)
    thread = threading.Thread(target=ledger.append, args=(Entry("heal", "6", "done"),))
    thread.start()
    thread.join()
    assert subjects(ledger)[0] == "6"
    ledger.close()


def test_files_are_private(tmp_path: Path) -> None:
    ledger = kept(tmp_path)
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()} == dict.fromkeys(
        ["ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.head"], "0o600"
    )
    ledger.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_every_way_in_which_a_disk_runs_full_is_called_that(tmp_path: Path) -> None:
    """On a real disk of 512 KiB, filled up to each of its pages in turn: SQLite stumbles over the log, the
    shared memory or the database, and says "disk I/O error" for some of them.
    """
    said = set()
    stored = 0
    try:
        with mounted(str(tmp_path), "tmpfs", "size=512k"):
            for page in range(0, 128, 3):
                folder = tmp_path / "ledger"
                shutil.rmtree(folder, ignore_errors=True)
                (tmp_path / "ballast").write_bytes(b"x" * ((128 - page) * 4096 - 4096))
                try:
                    folder.mkdir()
                    ledger = kept(folder, 3)
                except OSError:
                    continue  # not even room for the folder
                except BookbagError as problem:
                    said.add(problem.code)
                else:
                    stored += 1
                    ledger.close()
    except LeftOut as problem:
        pytest.skip(str(problem))
    assert said == {"disk-full"}
    assert stored, "with room enough it works"
