"""The spool of reports: bounded whatever happens, honest about what it dropped, and not impressed by
anything.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.telemetry.memory import Memory, MemoryFile
from agent.telemetry.outbox import DAY, Outbox
from agent.telemetry.report import MAX_BYTES, Report
from agent.telemetry.sent import Sent, decoded
from tests.telemetry.samples import AT, COMPLIANCE, report

BOTH = ("compliance", "health")


def names(outbox: Outbox) -> list[tuple[str, str]]:
    return [(one.record, one.name.rpartition("-")[2][30:32]) for one in outbox.waiting()]


def test_the_least_valuable_goes_first_and_the_oldest_of_it(tmp_path: Path) -> None:
    outbox = Outbox(str(tmp_path / "out"), most_files=4)
    for number, record in enumerate(("health", "compliance", "health", "compliance"), 1):
        assert not +outbox.put(report(record, number))
    assert outbox.put(report("compliance", 5)) == {"full": 1}
    assert names(outbox) == [
        ("compliance", "02"),
        ("health", "03"),
        ("compliance", "04"),
        ("compliance", "05"),
    ]
    assert outbox.put(report("compliance", 6)) == {"full": 1}
    assert outbox.put(report("compliance", 7)) == {"full": 1}, "now one of its own kind goes, the oldest"
    assert names(outbox) == [("compliance", f"0{n}") for n in (4, 5, 6, 7)]
    assert outbox.put(report("health", 8)) == {"full": 1}, (
        "the new one, which is worth less than all there is"
    )
    assert names(outbox) == [("compliance", f"0{n}") for n in (4, 5, 6, 7)]


def test_bytes_are_bounded_too(tmp_path: Path) -> None:
    one = len(report("health").to_bytes())
    outbox = Outbox(str(tmp_path / "out"), most_bytes=3 * one + 10)
    lost = sum(sum(outbox.put(report("health", number)).values()) for number in range(1, 9))
    assert (lost, len(outbox.waiting())) == (5, 3)
    assert outbox.size() <= 3 * one + 10
    tiny = Outbox(str(tmp_path / "tiny"), most_bytes=10)
    assert tiny.put(report("health")) == {"full": 1}
    assert tiny.waiting() == []


def test_what_waited_too_long_or_is_no_longer_wanted_goes(tmp_path: Path) -> None:
    outbox = Outbox(str(tmp_path / "out"))
    for number, record in enumerate(BOTH, 1):
        outbox.put(report(record, number))
    assert not +outbox.expire(AT + 13 * DAY, BOTH)
    assert outbox.expire(AT + 15 * DAY, BOTH) == {"old": 1}
    assert outbox.expire(AT, ["health"]) == {"off": 1}
    assert outbox.waiting() == []


@pytest.mark.parametrize("at", [0, -(10**9), AT - 400 * DAY, 946_684_800])
def test_a_clock_in_the_past_ages_nothing(tmp_path: Path, at: int) -> None:
    """In 1970, or put back by a year: what waits is not older for it."""
    outbox = Outbox(str(tmp_path / "out"))
    outbox.put(report("health"))
    assert not +outbox.expire(at, BOTH)
    assert len(outbox.waiting()) == 1


def test_a_clock_in_2099_ages_what_waits_and_says_so(tmp_path: Path) -> None:
    """Trusted time gets there only by signatures; then what waits is too old indeed, and is counted."""
    outbox = Outbox(str(tmp_path / "out"))
    outbox.put(report("health"))
    assert outbox.expire(4_080_000_000, BOTH) == {"old": 1}


def test_a_hundred_thousand_files_are_passed_over(tmp_path: Path) -> None:
    outbox = Outbox(str(tmp_path / "out"))
    outbox.put(report("health", 1))
    for number in range(100_000):
        os.close(os.open(f"{outbox.directory}/x{number}", os.O_CREAT | os.O_WRONLY))
    assert not +outbox.put(report("health", 2))
    assert len(outbox.waiting()) == 2


def test_a_flood_of_its_own_files_is_cut_down_at_once(tmp_path: Path) -> None:
    outbox = Outbox(str(tmp_path / "out"))
    outbox.put(report("compliance", 1))
    for number in range(20_000):
        name = f"{number + 2:012d}-2-health-{number:032x}.json"
        os.close(os.open(f"{outbox.directory}/{name}", os.O_CREAT | os.O_WRONLY))
    assert outbox.put(report("health", 20_001)) == {"full": 20_000 - 398}
    assert len(outbox.waiting()) == 400
    assert names(outbox)[0][0] == "compliance"


def test_names_that_lie_cost_nothing(tmp_path: Path) -> None:
    outbox = Outbox(str(tmp_path / "out"))
    outbox.put(report("health", 1))
    for name in (
        "../../etc/passwd",
        "000000000009-2-health-xyz.json",
        f"{'9' * 30}-2-health-{'0' * 32}.json",
        f"000000000009-9-made-up-{'0' * 32}.json",
        ".hidden",
        "000000000001-2-health-0.json.tmp",
    ):
        (tmp_path / "out" / Path(name).name).write_bytes(b"{}")
    assert {one.record for one in outbox.waiting()} == {"health", "made-up"}
    assert outbox.expire(AT, BOTH) == {"off": 1}
    outbox.put(report("health", 2))
    assert [one.number for one in outbox.waiting()] == [1, 2]


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"null", b"[]", b'{"v":1}', b"\xff\xfe", b"[" * 5000, b"x" * (MAX_BYTES + 1)],
    ids=range(8),
)
def test_a_damaged_file_is_named_and_dropped_when_its_age_is_asked(tmp_path: Path, data: bytes) -> None:
    outbox = Outbox(str(tmp_path / "out"))
    outbox.put(report("health", 1))
    outbox.put(report("health", 2))
    (tmp_path / "out" / outbox.waiting()[0].name).write_bytes(data)
    with pytest.raises(BookbagError) as damaged:
        outbox.read(outbox.waiting()[0])
    assert damaged.value.code in ("bad-json", "too-large")
    assert outbox.expire(AT, BOTH) == {"damaged": 1}
    assert names(outbox) == [("health", "02")]


def test_no_file_gets_past_the_gate(tmp_path: Path) -> None:
    outbox = Outbox(str(tmp_path / "out"))
    leaking = report("compliance", values={**COMPLIANCE, "hostname": "lina-laptop"})
    with pytest.raises(BookbagError) as refused:
        outbox.put(leaking)
    assert refused.value.code == "not-allowed"
    assert not list((tmp_path).rglob("*.json"))
    outbox.put(report("compliance"))
    path = tmp_path / "out" / outbox.waiting()[0].name
    path.write_bytes(leaking.to_bytes())  # whoever is the sync user can write it
    with pytest.raises(BookbagError) as again:
        outbox.read(outbox.waiting()[0])
    assert again.value.code == "not-allowed"


def test_a_full_disk_is_told_and_leaves_what_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outbox = Outbox(str(tmp_path / "out"))
    outbox.put(report("health", 1))

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(BookbagError) as told:
        outbox.put(report("health", 2))
    monkeypatch.undo()
    assert told.value.code == "disk-full"
    assert names(outbox) == [("health", "01")]


def test_a_report_has_one_form(tmp_path: Path) -> None:
    del tmp_path
    one = report("compliance")
    assert Report.from_bytes(one.to_bytes(), "x") == one
    for wrong in (b'"id":"xyz"', b'"id":"' + b"0" * 33 + b'"'):
        with pytest.raises(BookbagError) as refused:
            Report.from_bytes(one.to_bytes().replace(b'"id":"' + one.id.encode() + b'"', wrong), "x")
        assert refused.value.code == "bad-json"
    with pytest.raises(BookbagError) as newer:
        Report.from_bytes(one.to_bytes().replace(b'"v":1', b'"v":2'), "x")
    assert newer.value.code == "format-too-new"


# -- what was sent, and what is remembered


def test_the_last_requests_are_kept_and_no_more(tmp_path: Path) -> None:
    from agent.telemetry.otlp.encode import request

    sent = Sent(str(tmp_path / "sent"), kept=3)
    for number in range(1, 6):
        body = request("metrics", [report("health", number)])
        sent.finish(sent.begin("metrics", body, {"at": AT, "url": "https://x/v1/metrics"}), "taken (200)")
    assert sent.numbers() == [3, 4, 5]
    entry = sent.entry(5)
    assert entry is not None
    assert entry["reports"] == decoded("metrics", request("metrics", [report("health", 5)]))
    assert len(list((tmp_path / "sent").iterdir())) == 6
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o644 for path in (tmp_path / "sent").iterdir())


def test_a_damaged_entry_is_passed_over(tmp_path: Path) -> None:
    sent = Sent(str(tmp_path / "sent"))
    first = sent.begin("logs", b"one", {"at": AT})
    second = sent.begin("logs", b"two", {"at": AT})
    (tmp_path / "sent" / f"{second:012d}-logs.json").write_bytes(b"[" * 100_000)
    assert sent.entry(second) is None
    sent.finish(second, "x")
    sent.take_back(second)
    assert sent.entry(first) is not None
    third = sent.begin("logs", b"two", {"at": AT})
    assert third > second


def test_nothing_remembered_is_better_than_something_wrong(tmp_path: Path) -> None:
    file = MemoryFile(str(tmp_path))
    assert file.read() == Memory()
    file.lose({"full": 3})
    file.lose({})
    assert file.read().dropped == {"full": 3}
    (tmp_path / "state.json").write_bytes(b"{")
    assert MemoryFile(str(tmp_path), stay=True).read().dropped == {"damaged": 1}
    assert (tmp_path / "state.json").exists()
    assert file.read().dropped == {"damaged": 1}
    assert file.read().dropped == {}, "set aside once"


def test_totals_stop_counting_before_they_mean_nothing() -> None:
    assert Memory(dropped={"full": 999_999}).lost({"full": 5}).dropped == {"full": 1_000_000}
