"""When reports are made and delivered: on a clock that the test turns, with workers that are real
processes.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent.core.layout import Layout
from agent.daemon.enforcing import Enforcing
from agent.daemon.jobs import Job, Jobs
from agent.daemon.log import Log
from agent.daemon.loop import Loop
from agent.daemon.reporting import Reporting
from agent.daemon.schedule import (
    REPORT,
    RETRY_AFTER_CAP,
    first_report,
    least_between_reports,
    next_delivery,
    next_report,
    report_soon,
)
from agent.daemon.syncing import Syncing
from tests.child_workers import ChildWorkers

HOUR, DAY = 3600, 86_400
#: Writes each request down, and says what the file "said" holds.
WORKER = """\
import json, os, sys
request = sys.stdin.readline()
with open("asked", "a") as file: file.write(request)
def say(**event): os.write(1, json.dumps(event).encode() + b"\\n")
with open("said") as file: say(event="result", result=json.load(file))
say(event="exit", code=0, cpu_ms=1, peak_kib=2, ms=3)
"""
CONFIG: dict[str, object] = {
    "site": "north",
    "urls": ["file:///media/stick", "https://one.example/", "https://two.example/"],
    "poll_s": 86_400,
    "telemetry": True,
    "telemetry_url": "",
    "installation": "0" * 32,
}
KNOWN: dict[str, object] = {
    "outcomes": {"in-force": 1},
    "fingerprint": "a",
    "clock": {"at": 1_795_000_000, "floor": 1},
}


@dataclass
class Clockwork:
    """A laptop's resident parts on a clock that only `turn` moves."""

    folder: Path
    loop: Loop
    jobs: Jobs
    enforcing: Enforcing
    syncing: Syncing
    reporting: Reporting
    now: list[float]
    said: dict[str, Any] = field(default_factory=dict)

    def answers(self, **said: Any) -> None:
        """What the telemetry worker will say."""
        self.said = {"wanted": ["health"], "waiting": 1, "due_in_s": REPORT, "dropped": 0, **said}
        (self.folder / "said").write_text(json.dumps(self.said))

    @property
    def asked(self) -> list[dict[str, Any]]:
        try:
            return [json.loads(line) for line in (self.folder / "asked").read_text().splitlines()]
        except FileNotFoundError:
            return []

    def turn(self, seconds: float) -> int:
        """Let time pass, a minute at a time; how many collections there were."""
        before = len(self.asked)
        end = self.now[0] + seconds
        while self.now[0] < end:
            self.now[0] = min(end, self.now[0] + 60)
            self.loop._run_due()
            self._settle()
        return len(self.asked) - before

    def _settle(self) -> None:
        """Hear every worker that runs out, to its end."""
        until = time.monotonic() + 20
        while self.jobs._running:
            assert time.monotonic() < until
            for key, _ in self.loop._selector.select(0.05):
                self.loop._call(key.data)

    def learns(self, **known: object) -> None:
        """The enforce worker has said something."""
        self.enforcing.known = {**KNOWN, **self.enforcing.known, **known}
        self.enforcing.known_since = self.now[0]
        self.reporting.look(self.enforcing.known)

    def round(self, **reports: object) -> None:
        """A sync is over."""
        job = Job("sync", {}, lambda _: None)
        job.result = {"reports": reports}
        self.reporting.round_ended(job)


@pytest.fixture
def laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clockwork]:
    now = [1000.0]
    for module in ("loop", "reporting", "jobs", "enforcing", "syncing"):
        monkeypatch.setattr(f"agent.daemon.{module}.boottime", lambda: now[0])
    (tmp_path / "worker.py").write_text(WORKER)
    monkeypatch.chdir(tmp_path)
    layout = Layout(str(tmp_path))
    os.makedirs(layout.public)
    log = Log(os.open(tmp_path / "log", os.O_CREAT | os.O_WRONLY))
    loop = Loop(log.defect)
    jobs = Jobs(loop, ChildWorkers(layout, [sys.executable, str(tmp_path / "worker.py")]), log)
    enforcing = Enforcing(loop, jobs, None, log, lambda: None)
    syncing = Syncing(loop, jobs, enforcing, log, lambda: None)
    reporting = Reporting(layout, loop, jobs, enforcing, syncing, log, lambda: None)
    made = Clockwork(tmp_path, loop, jobs, enforcing, syncing, reporting, now)
    made.answers()
    syncing.config = dict(CONFIG)
    loop._running = True
    yield made
    jobs.stop()
    loop.close()
    os.close(log._fd)
    assert b"defect" not in (tmp_path / "log").read_bytes()


def test_nothing_at_the_start_then_every_six_hours(laptop: Clockwork) -> None:
    laptop.learns()
    laptop.reporting.configured()
    assert laptop.turn(179) == 0
    assert laptop.turn(540) == 1
    first = laptop.asked[0]
    assert (first["cause"], first["on"], first["installation"]) == ("schedule", True, "0" * 32)
    assert first["every"] == least_between_reports()
    assert laptop.turn(REPORT - HOUR) == 0
    made = laptop.turn(7 * DAY)
    assert 22 <= made <= 28, "four a day"


def test_as_often_as_policy_decides_and_at_once_when_it_decides_anew(laptop: Clockwork) -> None:
    laptop.learns()
    laptop.syncing.config["report_s"] = DAY
    laptop.answers(due_in_s=DAY)
    laptop.reporting.configured()
    assert laptop.turn(720) == 1
    assert laptop.asked[0]["every"] == least_between_reports(DAY) == DAY * 9 // 10
    assert laptop.turn(20 * HOUR) == 0
    laptop.reporting.configured()
    assert laptop.turn(HOUR) == 0, "the control: nothing new"
    laptop.syncing.config["report_s"] = HOUR
    laptop.reporting.configured()
    assert laptop.turn(HOUR // 2) == 1
    assert laptop.asked[-1]["every"] == HOUR * 9 // 10


def test_what_is_handed_over_has_no_message_name_or_path(laptop: Clockwork) -> None:
    laptop.learns(
        exceptions=[
            {"resource": "file:/home/lina/x", "outcome": "failed", "code": "disk-full", "message": "lina"},
            {"resource": "dconf:a", "setting": "screen-lock.after", "outcome": "not-effective"},
            "lina",
        ],
        refusals=[{"subject": "policy:lina", "code": "bad-policy", "message": "lina", "place": "lina:1"}],
        groups={"class": "lina"},
        problem={"message": "lina"},
    )
    laptop.reporting.configured()
    laptop.turn(700)
    (asked,) = laptop.asked
    assert "lina" not in json.dumps(asked)
    assert asked["status"]["exceptions"] == [
        {"setting": "", "kind": "file", "outcome": "failed", "code": "disk-full"},
        {"setting": "screen-lock.after", "kind": "dconf", "outcome": "not-effective", "code": ""},
    ]
    assert asked["status"]["refusals"] == [{"code": "bad-policy"}]


def test_switched_off_it_looks_once_so_that_what_waits_is_removed_and_then_never(laptop: Clockwork) -> None:
    laptop.answers(wanted=[], waiting=0, due_in_s=0)
    laptop.syncing.config["telemetry"] = False
    laptop.learns()
    laptop.reporting.configured()
    assert laptop.turn(30 * DAY) == 1
    assert laptop.asked[0]["on"] is False
    assert laptop.reporting.for_round() == {"reports": ""}


def test_where_reports_go(laptop: Clockwork) -> None:
    assert laptop.reporting.url == "https://one.example/", "the first address that is no folder"
    laptop.syncing.config["telemetry_url"] = "https://otlp.example/x"
    assert laptop.reporting.url == "https://otlp.example/x"
    for off in (
        {"telemetry": False},
        {"installation": ""},
        {"telemetry_url": "", "urls": ["file:///x"]},
        {"urls": 5},
    ):
        laptop.syncing.config = {**CONFIG, **off}
        assert laptop.reporting.url == ""
    laptop.syncing.config = {}
    assert laptop.reporting.url == ""


def test_a_lock_is_told_within_seconds_but_not_again_and_again(laptop: Clockwork) -> None:
    laptop.learns()
    laptop.reporting.configured()
    laptop.turn(700)
    lock = Path(Layout(str(laptop.folder)).public) / "lock.json"
    for number in range(5):
        lock.write_text("x" * number)
        laptop.learns()
        laptop.turn(60)
    causes = [one["cause"] for one in laptop.asked]
    assert causes == ["schedule", "change"]
    laptop.turn(HOUR)
    assert [one["cause"] for one in laptop.asked] == ["schedule", "change", "change"], "the rest in one"


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ({"outcomes": {"in-force": 2}}, False),
        ({"outcomes": {"in-force": 1, "failed": 1}}, True),
        ({"outcomes": {"in-force": 1, "healed": 3}}, False),
        ({"recovering": True}, True),
        ({"pause": {"left_s": 5}}, False),
    ],
)
def test_what_is_worth_telling_at_once(laptop: Clockwork, known: dict[str, object], told: bool) -> None:
    laptop.learns()
    laptop.reporting.configured()
    laptop.turn(700)
    laptop.learns(**known)
    assert laptop.turn(120) == int(told)


def test_the_state_at_the_start_is_no_change(laptop: Clockwork) -> None:
    laptop.enforcing.known = {**KNOWN, "outcomes": {"failed": 3}, "recovering": True}
    laptop.enforcing.known_since = laptop.now[0]
    laptop.reporting.look(laptop.enforcing.known)
    laptop.reporting.configured()
    assert laptop.turn(170) == 0


def test_a_new_policy_is_looked_at_soon_for_it_may_want_none(laptop: Clockwork) -> None:
    laptop.learns()
    laptop.reporting.configured()
    laptop.turn(700)
    laptop.learns(fingerprint="b")
    assert laptop.turn(60) == 1
    assert laptop.asked[-1]["cause"] == "schedule"


def test_without_trusted_time_nothing_is_made(laptop: Clockwork) -> None:
    laptop.reporting.configured()
    assert laptop.turn(HOUR) == 0
    laptop.learns()
    assert laptop.turn(HOUR) == 1


def test_a_worker_that_dies_is_left_alone_for_longer_and_longer(laptop: Clockwork) -> None:
    (laptop.folder / "said").write_text("no json")
    laptop.learns()
    laptop.reporting.configured()
    laptop.turn(DAY)
    assert 3 <= len(laptop.asked) <= 6


def test_a_receiver_that_answers_badly_is_left_alone_for_longer_and_longer(laptop: Clockwork) -> None:
    """One that is not reached is not: that costs nobody anything."""
    error = {"code": "network", "message": "cannot deliver"}
    for answered, waits in ((False, False), (True, True)):
        laptop.round(error=error, answered=answered, left=3)
        assert (laptop.reporting.for_round()["reports"] == "") == waits
        assert laptop.reporting.waiting == 3
    assert laptop.reporting.error is not None and laptop.reporting.error["code"] == "network"
    laptop.now[0] += 20 * 60
    assert laptop.reporting.for_round()["reports"]
    laptop.round(error=error, answered=True, retry_after=4 * HOUR, left=3)
    laptop.now[0] += 4 * HOUR - 10
    assert not laptop.reporting.for_round()["reports"]
    laptop.now[0] += 20
    assert laptop.reporting.for_round()["reports"]
    laptop.round(taken=3, left=0)
    assert laptop.reporting.describe()["waiting"] == 0
    assert not laptop.reporting.error and not laptop.reporting.failures


def test_nonsense_from_the_sync_worker_is_no_news(laptop: Clockwork) -> None:
    nonsense: tuple[object, ...] = ("x", 5, None, [], {"left": "many"}, {"error": "x"})
    for odd in (*nonsense, {"error": {"code": 5, "message": ["x"]}}):
        job = Job("sync", {}, lambda _: None)
        job.result = {"reports": odd}
        laptop.reporting.round_ended(job)
    status = laptop.reporting.describe()
    assert status["waiting"] == 0
    assert json.dumps(status)


# -- the rules


def test_reports_are_spread_and_about_six_hours_apart() -> None:
    assert first_report(0.0) == 180 and first_report(0.999) < 600
    low, high = next_report(least_between_reports(), 0.0), next_report(least_between_reports(), 0.999)
    assert (low, round(high)) == (REPORT * 0.9, round(REPORT * 0.9 * 1.2, -1)) or high <= REPORT * 1.1
    assert next_report(0, 0.5) >= 60


def test_changes_are_told_soon_but_ten_minutes_apart() -> None:
    assert 5 <= report_soon(1e9, 0.5) <= 15
    assert 600 <= report_soon(0, 0.0) <= 610


@pytest.mark.parametrize(
    ("failures", "retry_after", "seconds"),
    [
        (1, 0, 900),
        (2, 0, 1800),
        (3, 0, 3600),
        (9, 0, RETRY_AFTER_CAP),
        (500, 0, RETRY_AFTER_CAP),
        (1, 7200, 7200),
        (1, 10**9, RETRY_AFTER_CAP),
    ],
)
def test_the_next_delivery(failures: int, retry_after: float, seconds: float) -> None:
    assert next_delivery(failures, retry_after, 0.5) == pytest.approx(seconds)
    assert next_delivery(failures, 0, 0.0) < next_delivery(failures, 0, 0.9)
