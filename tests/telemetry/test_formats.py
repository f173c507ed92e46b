"""Golden files of telemetry's formats (docs/formats.md): written exactly so, and read by every version."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.fleet.reports import ReportStore
from agent.policy.resources.telemetry import Telemetry
from agent.telemetry import view
from agent.telemetry.memory import Memory, MemoryFile, Strikes, Tally
from agent.telemetry.otlp.encode import request
from agent.telemetry.outbox import Outbox
from agent.telemetry.sent import Sent
from agent.telemetry.wanted import wanted
from tests.telemetry.samples import AT, report

GOLDEN = Path(__file__).parents[1] / "cases" / "formats" / "telemetry"
MEMORY = Memory(
    collected={"health": AT},
    dropped={"full": 3, "old": 1},
    collectors={"battery": Strikes(1, 0, 12, "PermissionError: no"), "disk": Strikes(cpu_ms=1)},
    today=Tally(20_779, 2, 5_000, 60_000),
    yesterday=Tally(20_778, 1, 900, 40_000),
    boot="0f1e2d3c",
    busy=1000,
    whole=9000,
)


def write_out(directory: Path) -> None:
    outbox = Outbox(str(directory / "out"))
    outbox.put(report("compliance", 1))
    outbox.put(report("health", 2, cause="change"))


def write_sent(directory: Path) -> None:
    sent = Sent(str(directory / "sent"))
    for signal, record in (("logs", "compliance"), ("metrics", "health")):
        body = request("logs" if signal == "logs" else "metrics", [report(record)])
        where = {"at": AT, "url": f"https://host.example/v1/{signal}", "line-bytes": 400}
        sent.finish(sent.begin(signal, body, where), "taken (200)")


def write_state(directory: Path) -> None:
    MemoryFile(str(directory)).write(MEMORY)


WRITERS = {"out": write_out, "sent": write_sent, "state": write_state}


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_written_today_is_the_golden_file(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path)
    written = {
        path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    }
    golden = GOLDEN / "laptop"
    mine = [
        path
        for path in golden.rglob("*")
        if path.is_file() and path.relative_to(golden).parts[0].startswith(name)
    ]
    assert mine
    assert written == {path.relative_to(golden): path.read_bytes() for path in mine}


def test_what_waits_is_read() -> None:
    outbox = Outbox(str(GOLDEN / "laptop" / "out"))
    found = [outbox.read(one) for one in outbox.waiting()]
    assert found == [report("compliance", 1), report("health", 2, cause="change")]


def test_what_was_sent_is_read() -> None:
    sent = Sent(str(GOLDEN / "laptop" / "sent"))
    assert sent.numbers() == [1, 2]
    entry = sent.entry(2)
    assert entry is not None and (entry["signal"], entry["outcome"]) == ("metrics", "taken (200)")
    assert sent.raw(2) == request("metrics", [report("health")])


def test_what_is_remembered_is_read() -> None:
    assert MemoryFile(str(GOLDEN / "laptop"), stay=True).read() == MEMORY


def test_what_policy_wants_is_written_and_read(tmp_path: Path) -> None:
    golden = (GOLDEN / "telemetry.json").read_bytes()
    assert Telemetry(records=["compliance", "health"]).desired()["content"] == golden  # type: ignore[index]
    layout = Layout(str(tmp_path))
    path = Path(layout.public) / "telemetry.json"
    assert wanted(layout) == ()
    path.parent.mkdir(parents=True)
    path.write_bytes(golden)
    assert [one.name for one in wanted(layout)] == ["compliance", "health"]
    for said, names in (
        (b'{"records":[],"v":1}', []),
        (b'{"records":["health","of-the-future"],"v":1,"new":5}', ["health"]),
        (b'{"records":["health"],"v":2}', []),
        (b'{"records":"health","v":1}', []),
        (b'{"records":[5,null],"v":1}', []),
        (b"[]", []),
    ):
        path.write_bytes(said)
        assert [one.name for one in wanted(layout)] == names
    for damaged in (b"", b"{", b"x" * 5000):
        path.write_bytes(damaged)
        with pytest.raises(BookbagError):
            wanted(layout)


def test_the_school_keeps_rows_as_the_golden_ones(tmp_path: Path) -> None:
    store = ReportStore(tmp_path / "t" / "reports.db")
    store.add([report("compliance", 1), report("health", 2)], AT + 60)
    store.close()
    database = sqlite3.connect(store.path)
    rows = [list(row) for row in database.execute("SELECT * FROM reports ORDER BY record")]
    assert database.execute("PRAGMA user_version").fetchone() == (2,)
    database.close()
    assert rows == json.loads((GOLDEN / "rows.json").read_bytes())


def test_a_golden_database_is_read_and_extended(tmp_path: Path) -> None:
    path = tmp_path / "t" / "reports.db"
    path.parent.mkdir()
    path.write_bytes((GOLDEN / "reports.db").read_bytes())
    store = ReportStore(path)
    newest = store.newest()["00112233445566778899aabbccddeeff"]
    assert dict(newest["health"].values) == dict(report("health").values)
    store.add([report("health", 3, at=AT + 9)], AT + 99)
    assert store.newest()["00112233445566778899aabbccddeeff"]["health"].at == AT + 9
    store.close()


def test_the_students_view_has_a_form(tmp_path: Path) -> None:
    layout = Layout(str(tmp_path))
    assert view.overview(layout) == {
        "v": 1,
        "records": [],
        "decided": False,
        "waiting": 0,
        "dropped": {},
        "sent": [],
    }
    assert view.last(layout) == {"v": 1, "sent": []}
    with pytest.raises(BookbagError) as none:
        view.raw(layout)
    assert none.value.code == "not-found"
    fields = view.fields(layout)
    assert set(fields) == {"v", "laptop", "records"}
