"""The harness itself: what is missing is said and fails, and is told from what is over its budget."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from agent.policy.compile import compile_site
from tests.bench import processes, table
from tests.bench.__main__ import BENCHES, main
from tests.bench.measures import decide, drift, resident
from tests.bench.rows import Bench, Budget, Measured, NotMeasured, Promise, Results, Row, Samples, Verdict
from tests.bench.world import World
from tests.policy.machine import DEVICE

SPEED = Promise("speed", "speed of it", "ms", Budget(10))
SHARE = Promise("share", "beside a floor", "ms", Budget(2, times_peer=True))


def bench(*values: float, floor: tuple[float, ...] = (5.0,)) -> Bench:
    def measure(_: World) -> Results:
        found = Measured(Samples(values), {"floor": Samples(floor)})
        return {"speed": found, "share": found}

    return Bench("both", (SPEED, SHARE), measure)


def failing(problem: Exception) -> Bench:
    def measure(_: World) -> Results:
        raise problem

    return Bench("none", (SPEED,), measure)


def ran(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, *benches: Bench, words: tuple[str, ...] = ()
) -> tuple[int, str]:
    code = main([*words, "--folder", str(tmp_path)], benches)
    return code, capsys.readouterr().out


def test_kept_budgets_end_with_zero(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out = ran(capsys, tmp_path, bench(9.0, 8.0, 10.0))
    assert code == 0
    line = next(line for line in out.splitlines() if line.startswith("speed of it"))
    shown = "speed of it  9.00 ms  n=3 8.00..10.00  ≤ 10 ms  floor 5.00 ms  1.80×  ok"
    assert line.split() == shown.split()
    assert not list(tmp_path.iterdir())


def test_over_and_missing_both_fail_and_are_told_apart(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert ran(capsys, tmp_path, bench(11.0))[0] == 4
    assert "over" in ran(capsys, tmp_path, bench(11.0))[1]
    code, out = ran(capsys, tmp_path, failing(NotMeasured("needs root")))
    assert code == 4 and "not measured: needs root" in out and "over" not in out
    code, out = ran(capsys, tmp_path, failing(OSError("no such disk")))
    assert code == 4 and "not measured: OSError: no such disk" in out


def test_a_promised_row_that_does_not_come_fails(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    silent = Bench("silent", (SPEED,), lambda _: {})
    code, out = ran(capsys, tmp_path, silent)
    assert code == 4 and "not measured: its benchmark did not return it" in out


def test_without_root_the_rows_of_the_lab_are_not_measured(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    code, out = ran(capsys, tmp_path, resident.BENCH, drift.BENCH)
    assert code == 4 and out.count("not measured: needs root") == 5


@pytest.mark.parametrize(
    ("value", "floor", "verdict"),
    [(10.0, 5.0, Verdict.OK), (10.1, 5.0, Verdict.OVER), (1.0, 0.0, Verdict.NOT_MEASURED)],
)
def test_a_budget_in_times_of_a_floor(value: float, floor: float, verdict: Verdict) -> None:
    row = Row(SHARE, Measured(Samples((value,)), {"floor": Samples((floor,))}))
    assert row.verdict == verdict
    assert Row(SHARE, Measured(Samples((value,)), {})).verdict == Verdict.NOT_MEASURED


def test_the_worst_decides_where_the_worst_is_meant() -> None:
    many = Samples(tuple(float(number) for number in range(1, 201)))
    assert (many.median, many.p99) == (100.5, 198.0)
    worst = Row(Promise("w", "worst", "ms", Budget(5), "p99"), Measured(Samples((1.0, 1.0, 6.0)), {}))
    assert worst.verdict == Verdict.OVER
    with pytest.raises(NotMeasured):
        Samples(())
    with pytest.raises(NotMeasured):
        Samples((float("nan"),))


def test_columns_stand_below_each_other_and_more_peers_below_the_first() -> None:
    peers = {"one": Samples((2.0,)), "another": Samples((0.5,))}
    rows = [Row(SPEED, Measured(Samples((4.0,)), peers, "read so")), Row(SHARE, None, "why")]
    lines = table.text(rows).splitlines()
    at = lines[0].index("beside")
    assert lines[1][at:].startswith("one 2.00 ms") and lines[2][at:].startswith("another 0.500 ms")
    assert not lines[2][:at].strip()
    assert lines[-1] == "speed of it: read so"
    page = table.markdown(rows, ["a machine"], "the command")
    assert (
        "one 2.00 ms <br> another 0.500 ms" in page and "- a machine" in page and "not measured: why" in page
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (1234.5, "1234"), (12.346, "12.35"), (0.1234, "0.123"), (0.00042, "0.00042")],
)
def test_numbers_are_short(value: float, shown: str) -> None:
    assert table.number(value) == shown


def test_one_row_alone_an_unknown_one_and_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    code, out = ran(capsys, tmp_path, bench(8.0), words=("--only", "share", "--json", str(file)))
    assert code == 0 and "beside a floor" in out and "speed of it" not in out
    (row,) = json.loads(file.read_text())["rows"]
    assert (row["verdict"], row["samples"], row["ratios"]) == ("ok", [8.0], {"floor": 1.6})
    assert main(["--only", "nothing"], (bench(1.0),)) == 64
    assert "cannot measure nothing" in capsys.readouterr().err


def test_every_promise_has_its_own_name_and_all_but_comparisons_a_budget() -> None:
    promises = [one for each in BENCHES for one in each.promises]
    names = [one.name for one in promises]
    assert len(set(names)) == len(names)
    assert {one.name for one in promises if one.budget is None} == {"full-audit", "compile", "take-news"}


def test_a_process_is_charged_with_what_it_used() -> None:
    cost = processes.run(
        [sys.executable, "-I", "-S", "-c", "sum(range(3_000_000)); print(input())"], stdin=b"x\n"
    )
    assert cost.out == b"x\n" and 0.02 < cost.cpu < 20 and cost.wall > 0
    with pytest.raises(RuntimeError, match="ended with 3"):
        processes.run([sys.executable, "-I", "-S", "-c", "raise SystemExit(3)"])


def test_things_are_run_in_turns_after_a_warm_up() -> None:
    seen: list[str] = []

    def thing(name: str) -> processes.Cost:
        seen.append(name)
        return processes.Cost(1.0, 1.0, 1, 0, b"")

    found = processes.in_turns(2, lambda: thing("a"), lambda: thing("b"))
    assert seen == ["a", "b"] * 3 and [len(costs) for costs in found] == [2, 2]


def test_what_is_decided_again_and_again_can_be_decided() -> None:
    compiled = compile_site(decide.documents(), DEVICE)
    assert not compiled.refusals and not compiled.conflicts
    assert len(compiled.settings) > 50
