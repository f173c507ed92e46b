"""One collection: who fails alone, what the gate stops, what a day comes to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.core.layout import Layout
from agent.host.choose import open_readings
from agent.telemetry import collect, tally
from agent.telemetry.collect import REST, STRIKES, Collected, Collection
from agent.telemetry.collectors import Collector, collectors
from agent.telemetry.declaration import Value
from agent.telemetry.memory import Memory, MemoryFile, Tally
from agent.telemetry.outbox import Outbox
from agent.telemetry.records import records
from agent.telemetry.seen import Seen
from tests.telemetry.samples import AT, LAPTOP

DAY = 86_400
STATUS: dict[str, object] = {
    "outcomes": {"in-force": 3, "failed": 1, "healed": 1},
    "exceptions": [
        {
            "setting": "screen-lock.after",
            "kind": "dconf",
            "outcome": "not-effective",
            "code": "not-effective",
        },
        {"setting": "", "kind": "file", "outcome": "failed", "code": "disk-full"},
        {"setting": "lina.secret", "kind": "lina", "outcome": "failed", "code": "disk-full"},
        {"setting": "accessibility.text-size", "kind": "dconf", "outcome": "failed", "code": "disk-full"},
        {"setting": "", "kind": "policy", "outcome": "refused", "code": "root-power"},
    ],
    "healed": [
        {"setting": "screen-lock.after", "kind": "dconf", "times": 39},
        {"setting": "", "kind": "file", "times": 9},
        {"setting": "lina.secret", "kind": "lina", "times": 5000},
        {"setting": "accessibility.text-size", "kind": "dconf", "times": 12},
        {"setting": "", "kind": "dconf", "times": 20},
    ],
    "refusals": [{"code": "root-power"}, {"code": "root-power"}, {"code": "made-up-by-a-newer-version"}],
    "fingerprint": "0123456789abcdef" * 4,
    "word": {"signed_at": AT - 7300, "expires": AT + 10, "versions": {"policy-ict": 3}},
    "clock": {"at": AT, "floor": AT, "quality": "good"},
    "overdue": 1,
    "recovering": False,
    "paused": True,
    "sync": {"good_ago_s": 4000},
    "failures": {"sync": 2, "brand-new": 1},
}


@dataclass
class Laptop:
    layout: Layout
    file: MemoryFile
    outbox: Outbox
    status: Mapping[str, object]
    at: int = AT

    def run(self, *wanted: str) -> Collected:
        seen = Seen(
            self.layout,
            open_readings(self.layout),
            self.at,
            self.status,
            self.file.read(),
            ("screen-lock.after", "file", "dconf").__contains__,
        )
        chosen = tuple(records()[name] for name in wanted or tuple(records()))
        return Collection(seen, str(LAPTOP["installation"]), self.file, self.outbox).run(chosen, "schedule")

    def values(self, record: str) -> Mapping[str, Value]:
        return self.run(record).reports[0].values


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    layout = Layout(str(tmp_path))
    for folder in (layout.telemetry, layout.public):
        Path(folder).mkdir(parents=True)
    return Laptop(layout, MemoryFile(layout.telemetry), Outbox(f"{layout.telemetry}/out"), STATUS)


def test_compliance_is_counts_and_codes(laptop: Laptop) -> None:
    values = laptop.values("compliance")
    assert values["outcomes"] == {"failed": 1, "in-force": 4}
    assert values["exceptions"] == [
        "dconf disk-full",
        "file disk-full",
        "screen-lock.after not-effective",
    ], "no word but known ones"
    assert values["healed"] == ["dconf 20", "screen-lock.after 30"], (
        "whole tens, and nobody who tried it once"
    )
    assert values["refusals"] == {"internal": 1, "root-power": 3}
    assert values["fingerprint"] == "0123456789abcdef"
    assert values["word-age"] == 7200 and values["word-expired"] is False
    assert values["worker-failures"] == {"other": 1, "sync": 2}
    assert (values["clock"], values["paused"], values["overdue"]) == ("good", True, 1)
    assert "locked" not in values and "content-here" not in values, "what is not known is not said"


def test_health_is_figures_made_coarse(laptop: Laptop) -> None:
    values = laptop.values("health")
    assert values["sync-age"] == 3600
    for name, step in (("battery-level", 5), ("disk-free", 1 << 30), ("temperature", 5)):
        assert isinstance(values[name], int) and values[name] % step == 0  # type: ignore[operator]
    assert "cpu-day" not in values, "the day is not over"


def test_a_status_that_makes_no_sense_says_nothing(laptop: Laptop) -> None:
    for status in (
        {},
        dict.fromkeys(STATUS),
        dict.fromkeys(STATUS, "Lina"),
        {name: ["Lina"] for name in STATUS},
        {name: {"Lina": "Lina"} for name in STATUS},
        {"outcomes": {"in-force": 10**12}, "exceptions": [{"setting": ["x"]}, 5], "refusals": [{"code": 5}]},
        {
            "outcomes": {"in-force": 1},
            "healed": [{"setting": "dconf", "times": "Lina"}, {"times": 20}, "Lina"],
        },
    ):
        laptop.status = status
        for one in laptop.run().reports:
            assert "Lina" not in one.to_bytes().decode()


def test_the_lock_is_told_and_nothing_else_of_it(laptop: Laptop) -> None:
    path = Path(laptop.layout.public) / "lock.json"
    path.write_text(
        '{"v":1,"locked":true,"grade":2,"message":{"en":"Call Mrs Haddad"},"challenge":"K7M2-QXD4"}'
    )
    values = laptop.values("compliance")
    assert (values["locked"], values["lock-grade"]) == (True, 2)
    assert "Haddad" not in str(values) and "K7M2" not in str(values)
    path.write_text('{"v":1,"locked":false,"grade":2}')
    assert laptop.values("compliance")["locked"] is False
    for damaged in ("", "[]", '{"v":2,"locked":true}', '{"v":1,"locked":"yes"}', "{" * 5000):
        path.write_text(damaged)
        assert "locked" not in laptop.values("compliance")


# -- each is judged alone


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[Seen], Mapping[str, Value]]], None]]:
    """Put one more collector, called odd, among the others."""

    def put(what: Callable[[Seen], Mapping[str, Value]]) -> None:
        one = Collector("odd", "health", what)
        monkeypatch.setattr(collect, "collectors", lambda: (one, *collectors()))

    monkeypatch.setattr(collect, "SECONDS", 0.3)
    yield put


def fails(_: Seen) -> Mapping[str, Value]:
    raise PermissionError("/home/lina/secret")


def hangs(_: Seen) -> Mapping[str, Value]:
    time.sleep(1.5)
    return {}


def burns(_: Seen) -> Mapping[str, Value]:
    until = time.thread_time() + 0.27
    while time.thread_time() < until:
        pass
    return {"battery-level": 5}


@pytest.mark.parametrize("what", [fails, hangs, burns], ids=["fails", "hangs", "burns"])
def test_one_that_misbehaves_costs_its_own_fields_and_is_rested(
    laptop: Laptop, odd: Callable[..., None], what: Callable[[Seen], Mapping[str, Value]]
) -> None:
    odd(what)
    if what is burns:  # slow in CPU, not in time
        collect.SECONDS = 5.0
    for number in range(STRIKES):
        values = laptop.values("health")
        assert "disk-free" in values
        strikes = laptop.file.read().collectors["odd"]
        assert (strikes.count, strikes.rest) == ((number + 1, 0) if number + 1 < STRIKES else (0, REST))
    asked: list[int] = []

    def asks(_: Seen) -> Mapping[str, Value]:
        asked.append(1)
        return {}

    odd(asks)
    assert laptop.values("compliance")["collectors-resting"] == ["odd"]
    for _ in range(REST):
        laptop.run("health")
    assert not asked
    laptop.run("health")
    assert asked == [1]
    assert laptop.file.read().collectors["odd"].count == 0
    assert laptop.values("compliance")["collectors-resting"] == []


def test_once_well_is_forgiven(laptop: Laptop, odd: Callable[..., None]) -> None:
    for _ in range(4):
        odd(fails)
        laptop.run("health")
        odd(lambda _: {})
        laptop.run("health")
    assert laptop.file.read().collectors["odd"].rest == 0


def test_one_that_ends_the_whole_process_is_blamed_at_the_next_run(
    laptop: Laptop, odd: Callable[..., None]
) -> None:
    class End(BaseException):
        """Stands for a crash: nothing after it runs."""

    def dies(_: Seen) -> Mapping[str, Value]:
        return {}

    odd(dies)
    mark = Collection._mark

    def crash(self: Collection, name: str) -> None:
        mark(self, name)
        if name == "odd":
            raise End

    for number in range(1, STRIKES + 1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Collection, "_mark", crash)
            with pytest.raises(End):
                laptop.run("health")
        if number > 1:
            assert laptop.file.read().collectors["odd"].count == number - 1
    laptop.run("health")
    assert laptop.file.read().collectors["odd"].rest == REST - 1
    assert "disk-free" in laptop.values("health")
    (Path(laptop.layout.telemetry) / "running").write_text("no collector of ours")
    laptop.run("health")


def test_what_is_not_declared_is_withheld_counted_and_named(laptop: Laptop, odd: Callable[..., None]) -> None:
    """Not the name of the machine, not a battery of 300 %, not a text where a number is declared."""
    odd(lambda _: {"hostname": "lina-laptop", "temperature": 999, "uptime": "long", "boots-day": True})
    made = laptop.run("health")
    wrong = {"health.hostname", "health.boots-day"}  # the others' right values come later and stand
    assert set(made.withheld) == wrong
    (one,) = made.reports
    assert "lina" not in one.to_bytes().decode()
    assert laptop.values("compliance")["dropped"] == {"withheld": len(made.withheld)}


def test_each_is_metered(laptop: Laptop) -> None:
    made = laptop.run()
    assert set(made.cpu_ms) == {one.name for one in collectors()}
    assert set(laptop.file.read().collectors) == set(made.cpu_ms)


def test_nothing_known_makes_no_report(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "collectors", tuple)
    assert laptop.run().reports == ()
    assert laptop.outbox.waiting() == []


# -- days


def test_a_day_is_told_once_it_is_over(laptop: Laptop) -> None:
    laptop.at = AT - AT % DAY + 3600
    laptop.run("health")
    memory = laptop.file.read()
    assert (memory.today.boots, memory.yesterday) == (1, Tally())
    laptop.at += DAY
    told = laptop.values("health")
    assert isinstance(told["cpu-day"], int) and told["cpu-day"] <= 30
    assert told["boots-day"] == 1
    laptop.at += 3 * DAY
    assert "cpu-day" not in laptop.values("health"), "it was off yesterday"


def test_tallies() -> None:
    day = AT // DAY
    first = tally.count(Memory(), AT, "a", (100, 1000))
    assert first.today == Tally(day, 1, 100, 1000)
    same = tally.count(first, AT + 60, "a", (150, 1500))
    assert same.today == Tally(day, 1, 150, 1500)
    again = tally.count(same, AT + 120, "b", (20, 100))
    assert again.today == Tally(day, 2, 170, 1600)
    back = tally.count(again, AT + 180, "b", (10, 50))  # a counter that ran back
    assert back.today == Tally(day, 2, 170, 1600)
    unknown = tally.count(again, AT + 180, "b", None)
    assert unknown.today == again.today
    tomorrow = tally.count(again, AT + DAY, "b", (30, 200))
    assert (tomorrow.yesterday, tomorrow.today) == (again.today, Tally(day + 1, 0, 10, 100))


@pytest.mark.parametrize("jump", [-20_000 * DAY, -2 * DAY, 2 * DAY, 30_000 * DAY])
def test_a_clock_that_jumps_tells_no_day_that_was_none(jump: int) -> None:
    memory = tally.count(Memory(), AT, "a", (100, 1000))
    moved = tally.count(memory, max(0, AT + jump), "a", (150, 1500))
    assert moved.yesterday == Tally()
    assert tally.count(moved, AT, "a", (160, 1600)).yesterday == Tally()
