"""When learning content is fetched: on a clock that the test turns, with workers that say what the test
wants.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.daemon import fetching
from agent.daemon.control import Call
from agent.daemon.fetching import ASK_AGAIN, ASKED_FACTOR, KEPT_SECONDS, MOST_WANTED, WANTED_SECONDS, Fetching
from agent.daemon.jobs import Job
from agent.daemon.schedule import RETRY_AFTER_CAP

HOUR = 3600.0
ROWS = [{"key": "ict.rivers", "state": "waiting"}, {"key": "ict.maths", "state": "ready"}]
BLOB = ["0" * 64, 1000]
CONFIG: dict[str, object] = {"urls": ["https://one.example/"], "content_rate": 1000, "content_per_day": 5000}


@dataclass
class Timer:
    at: float
    call: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class Stage:
    """The resident's other parts, as far as this one needs them."""

    now: float = 100.0
    timers: list[Timer] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    waits: dict[str, float] = field(default_factory=dict)
    full: bool = False
    said: list[dict[str, object]] = field(default_factory=list)

    # -- loop

    def after(self, seconds: float, call: Callable[[], None]) -> Timer:
        self.timers.append(Timer(self.now + seconds, call))
        return self.timers[-1]

    # -- jobs

    def wait(self, name: str) -> float:
        return self.waits.get(name, 0.0)

    def submit(self, job: Job) -> None:
        if self.full:
            raise BookbagError("too-many", "cannot run it")
        self.jobs.append(job)

    # -- log

    def write(self, level: str, event: str, **fields: str | int) -> None:
        self.said.append({"level": level, "event": event, **fields})

    # -- the test

    @property
    def next_in(self) -> float:
        """Seconds to the next timer."""
        return min(timer.at for timer in self.timers if not timer.cancelled) - self.now

    def turn(self) -> None:
        """On to the next timer."""
        timer = min((one for one in self.timers if not one.cancelled), key=lambda one: one.at)
        self.timers.remove(timer)
        self.now = max(timer.at, self.now)
        timer.call()

    def job(self, name: str) -> Job:
        """The one job that was started."""
        (job,) = self.jobs
        assert job.name == name
        return job

    def ends(self, name: str, result: dict[str, object], code: int = 0, **error: str) -> None:
        """It ends so."""
        job = self.job(name)
        self.jobs.clear()
        job.code, job.result = code, result
        job.error = {"code": "unreachable", "message": "nobody answers", **error} if error else None
        job.on_end(job)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = Stage()
    monkeypatch.setattr(fetching, "boottime", lambda: made.now)
    monkeypatch.setattr(fetching, "chance", lambda: 0.5)
    return made


@pytest.fixture
def part(stage: Stage, tmp_path: Path) -> Fetching:
    layout = Layout(str(tmp_path))
    Path(layout.public).mkdir(parents=True)
    Path(layout.public, "content.json").write_text("{}")
    syncing: Any = SimpleNamespace(config=dict(CONFIG))
    enforcing: Any = SimpleNamespace(trusted_now=1_800_000_000, certain_now=1_800_000_000)
    loop: Any = stage
    made = Fetching(layout, loop, loop, enforcing, syncing, loop, lambda: None)
    made.start()
    return made


def said(*missing: list[object], **more: object) -> dict[str, object]:
    """The content worker's word."""
    return {"items": ROWS, "missing": list(missing), "asked": False, "kept": False, **more}


def look(stage: Stage, *missing: list[object], **more: object) -> dict[str, object]:
    """One look that ends so; what was asked."""
    stage.turn()
    request = stage.job("content").request
    stage.ends("content", said(*missing, **more))
    return request


def test_by_turns_until_nothing_is_missing(stage: Stage, part: Fetching) -> None:
    assert look(stage, BLOB)["op"] == "look"
    request = stage.job("sync").request
    assert (request["blobs"], request["rate"], request["per_day"]) == ([BLOB], 1000, 5000)
    assert (request["urls"], request["from"]) == (CONFIG["urls"], "")
    stage.ends("sync", {"gained": 1000})
    assert stage.next_in == 1.0
    assert look(stage)["op"] == "look"
    assert stage.jobs == []
    assert 5 * HOUR < stage.next_in < 7 * HOUR
    stage.now += 7 * HOUR
    assert look(stage)["op"] == "scrub"
    part.look({})


def test_what_was_copied_is_removed_once_when_nothing_is_to_be_fetched(stage: Stage, part: Fetching) -> None:
    look(stage, leftover=True, damaged=["1" * 64])
    assert stage.job("sync").request == {"op": "prune", "blobs": [], "again": ["1" * 64]}
    stage.ends("sync", {})
    assert stage.jobs == []
    assert stage.next_in > 5 * HOUR, "that which could not be removed is no reason to look sooner"
    look(stage, leftover=True)
    stage.ends("sync", {}, code=1, message="a full disk")
    assert stage.said[-1]["event"] == "fetch"
    assert stage.next_in > 5 * HOUR
    look(stage, leftover=False)
    assert stage.jobs == []


def test_a_fetch_removes_it_by_itself_and_one_that_has_to_wait_does_not_keep_it(
    stage: Stage, part: Fetching
) -> None:
    look(stage, BLOB, leftover=True)
    assert stage.job("sync").request["op"] == "fetch"
    stage.ends("sync", {"gained": 0, "full": True})
    look(stage, BLOB, leftover=True)
    assert stage.job("sync").request == {"op": "prune", "blobs": [BLOB], "again": []}
    stage.ends("sync", {})
    assert stage.next_in == 300.0, "as long as it would have waited anyway"
    look(stage, BLOB)
    assert stage.job("sync").request["op"] == "fetch"


def test_news_that_comes_meanwhile_is_looked_at(stage: Stage, part: Fetching) -> None:
    look(stage, leftover=True)
    part.touched()
    stage.ends("sync", {})
    assert stage.next_in == 1.0


def test_a_sync_worker_that_is_backed_off_is_not_asked_to_remove_either(stage: Stage, part: Fetching) -> None:
    stage.waits["sync"] = 40.0
    look(stage, leftover=True)
    assert stage.jobs == []


def test_without_wishes_nothing_runs(stage: Stage, part: Fetching, tmp_path: Path) -> None:
    wishes = Path(Layout(str(tmp_path)).public, "content.json")
    wishes.unlink()
    stage.turn()
    assert (stage.jobs, stage.timers) == ([], [])
    wishes.write_text("{}")
    part.look({})
    look(stage)
    part.look({})  # the same wishes
    assert stage.next_in > HOUR
    wishes.write_text("{ }")
    part.look({})
    assert stage.next_in == 1.0


def test_a_host_that_gives_nothing_is_asked_ever_more_rarely(stage: Stage, part: Fetching) -> None:
    look(stage, BLOB)
    pauses = []
    for _ in range(9):
        stage.ends("sync", {"gained": 0, "answered": True}, code=1, message="nobody answers")
        pauses.append(stage.next_in)
        look(stage, BLOB)
    assert pauses[:3] == [600.0, 1200.0, 2400.0]
    assert pauses[-1] == 4 * HOUR
    stage.ends("sync", {"gained": 10})
    assert part.failures == 0
    assert stage.next_in == 1.0


def test_without_a_network_it_does_not_back_off_further(stage: Stage, part: Fetching) -> None:
    look(stage, BLOB)
    for _ in range(5):
        stage.ends("sync", {"gained": 0}, code=1, message="nobody answers")
        assert stage.next_in == 300.0
        assert part.error is not None
        look(stage, BLOB)
    assert part.describe()["missing"] == 1


@pytest.mark.parametrize(("says", "waits"), [(1000, 1000), (10, 600), (10**9, RETRY_AFTER_CAP)])
def test_retry_after_is_obeyed_within_reason(says: int, waits: int, stage: Stage, part: Fetching) -> None:
    look(stage, BLOB)
    stage.ends("sync", {"gained": 0, "answered": True, "retry_after": says}, code=1, message="nobody answers")
    assert stage.next_in == waits


def test_somebody_who_waits_is_served_first_and_faster(stage: Stage, part: Fetching) -> None:
    look(stage)
    part.want("ict.rivers")
    assert stage.next_in == 1.0
    assert look(stage, BLOB, asked=True)["first"] == ["ict.rivers"]
    request = stage.job("sync").request
    assert (request["rate"], request["per_day"]) == (1000 * ASKED_FACTOR, 0)
    stage.ends("sync", {"gained": 1})
    stage.now += WANTED_SECONDS
    assert look(stage)["first"] == []


def test_whoever_waits_cannot_make_the_laptop_knock_all_the_time(stage: Stage, part: Fetching) -> None:
    look(stage, BLOB)
    knocks = [stage.now]
    for _ in range(200):
        if stage.jobs and stage.jobs[0].name == "sync":
            stage.ends("sync", {"gained": 0, "answered": True}, code=1, message="nobody answers")
        part.want("ict.rivers")
        stage.turn()
        if stage.jobs and stage.jobs[0].name == "content":
            stage.ends("content", said(BLOB, asked=True))
        if stage.jobs and stage.jobs[0].name == "sync":
            knocks.append(stage.now)
    assert len(knocks) > 3
    assert min(later - sooner for sooner, later in itertools.pairwise(knocks)) >= ASK_AGAIN


def test_nor_knock_before_the_host_said(stage: Stage, part: Fetching) -> None:
    look(stage, BLOB)
    stage.ends("sync", {"gained": 0, "answered": True, "retry_after": 1000}, code=1, message="nobody answers")
    until = stage.now + 1000
    part.want("ict.rivers")
    look(stage, BLOB, asked=True)
    assert stage.jobs == []
    stage.turn()
    assert stage.now >= until


def test_only_what_is_meant_for_this_laptop_can_be_asked_for(stage: Stage, part: Fetching) -> None:
    look(stage)
    with pytest.raises(BookbagError, match="not among") as caught:
        part.want("ict.tides")
    assert caught.value.code == "not-found"


def test_nobody_asks_for_more_than_a_few_at_once(stage: Stage, part: Fetching) -> None:
    rows = [{"key": f"ict.item-{number}"} for number in range(50)]
    stage.turn()
    stage.ends("content", {**said(), "items": rows})
    for row in rows:
        part.want(row["key"])
    first = look(stage)["first"]
    assert isinstance(first, list)
    assert len(first) == MOST_WANTED


def test_a_full_day_waits_for_the_next_except_for_who_asks(stage: Stage, part: Fetching) -> None:
    look(stage, BLOB)
    stage.ends("sync", {"gained": 0, "full": True})
    assert part.describe()["full_today"] is True
    look(stage, BLOB)
    assert stage.jobs == []
    part.want("ict.rivers")
    look(stage, BLOB, asked=True)
    assert stage.job("sync").request["per_day"] == 0


def test_rate_zero_fetches_only_what_is_asked_for(stage: Stage, part: Fetching) -> None:
    syncing = cast("Any", part)._syncing
    syncing.config["content_rate"] = 0
    look(stage, BLOB)
    assert stage.jobs == []
    part.want("ict.rivers")
    look(stage, BLOB, asked=True)
    assert stage.job("sync").request["blobs"] == [BLOB]


def clock_shows(part: Fetching, hour: int, minute: int = 0) -> None:
    """In UTC, which `utc` makes the laptop's own zone."""
    cast("Any", part)._enforcing.trusted_now = 1_799_971_200 + hour * 3600 + minute * 60  # a midnight


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("utc")
def test_by_itself_it_fetches_and_scrubs_only_in_the_hours_of_the_school(
    stage: Stage, part: Fetching
) -> None:
    cast("Any", part)._syncing.config |= {"work_begin": 22 * 60, "work_minutes": 8 * 60}
    clock_shows(part, 20)
    stage.now += 7 * HOUR  # a scrub is due
    assert look(stage, BLOB)["op"] == "look"
    assert stage.jobs == []
    assert 2 * HOUR <= stage.next_in <= 2.5 * HOUR, "when they begin, spread"
    part.want("ict.rivers")
    look(stage, BLOB, asked=True)
    assert stage.job("sync").request["blobs"] == [BLOB], "who asks waits for no hours"
    stage.ends("sync", {"gained": 0})
    clock_shows(part, 5, 59)
    assert look(stage, BLOB)["op"] == "scrub"
    assert stage.job("sync").request["blobs"] == [BLOB], "the control: nobody asks, and it is within them"


@pytest.mark.usefixtures("utc")
def test_an_idle_laptop_looks_when_the_hours_begin(stage: Stage, part: Fetching) -> None:
    cast("Any", part)._syncing.config |= {"work_begin": 22 * 60, "work_minutes": 60}
    clock_shows(part, 21)
    look(stage)
    assert HOUR <= stage.next_in <= 1.5 * HOUR


def test_other_hours_and_other_room_count_at_once(stage: Stage, part: Fetching) -> None:
    config = cast("Any", part)._syncing.config
    part.configured()
    look(stage)
    part.configured()
    assert stage.next_in > 5 * HOUR, "the control: nothing new"
    config["content_room"] = 1000
    part.configured()
    assert stage.next_in == 1.0
    assert look(stage)["quota"] == 1000


def test_a_worker_that_is_backed_off_is_left_alone(stage: Stage, part: Fetching) -> None:
    stage.waits["content"] = 40.0
    stage.turn()
    assert stage.jobs == []
    assert stage.next_in == 40.0


def test_a_full_lane_is_tried_later(stage: Stage, part: Fetching) -> None:
    stage.full = True
    stage.turn()
    assert stage.next_in == 60.0


def test_an_old_version_that_is_kept_is_looked_at_when_its_readers_are_gone(
    stage: Stage, part: Fetching
) -> None:
    look(stage, kept=True)
    assert stage.next_in == KEPT_SECONDS


def test_damage_is_told(stage: Stage, part: Fetching) -> None:
    look(stage, scrubbed=["0" * 64])
    (line,) = stage.said
    assert (line["level"], line["code"]) == ("warning", "bad-content")


def test_a_worker_that_fails_is_told_and_tried_later(stage: Stage, part: Fetching) -> None:
    stage.turn()
    stage.ends("content", {}, code=1, message="nobody answers")
    assert part.error is not None
    assert stage.next_in == 60.0


# -- a stick


class Caller:
    """Somebody who asked."""

    def __init__(self) -> None:
        self.code: int | None = None
        self.errors: list[dict[str, str]] = []

    def event(self, event: dict[str, object]) -> None: ...

    def error(self, error: dict[str, str]) -> None:
        self.errors.append(error)

    def end(self, code: int) -> None:
        self.code = code


def from_stick(part: Fetching) -> Caller:
    caller = Caller()
    part.from_folder("/media/stick", cast("Call", caller), 0)
    return caller


def test_a_stick_is_read_until_it_has_no_more(stage: Stage, part: Fetching) -> None:
    caller = from_stick(part)
    for gained in (500, 400):
        stage.ends("content", said(BLOB))
        request = stage.job("sync").request
        assert (request["urls"], request["from"]) == ([], "/media/stick")
        assert (request["rate"], request["per_day"]) == (0, 0)
        stage.ends("sync", {"gained": gained})
    stage.ends("content", said(BLOB))
    stage.ends("sync", {"gained": 0})
    assert caller.code is None
    stage.ends("content", said(BLOB))
    assert caller.code == 0


@pytest.mark.parametrize("missing", [[], [BLOB]])
def test_what_a_stick_brought_is_removed_before_it_ends(
    missing: list[list[object]], stage: Stage, part: Fetching
) -> None:
    caller = from_stick(part)
    stage.ends("content", said(BLOB))
    stage.ends("sync", {"gained": 0 if missing else 1000})
    stage.ends("content", said(*missing, leftover=True))
    assert stage.job("sync").request == {"op": "prune", "blobs": missing, "again": []}
    assert caller.code is None
    stage.ends("sync", {}, code=1, message="a full disk")
    assert stage.jobs == []
    assert caller.code == 0, "the content is here all the same"


def test_a_stick_for_a_laptop_that_wants_nothing_ends_at_once(
    stage: Stage, part: Fetching, tmp_path: Path
) -> None:
    Path(Layout(str(tmp_path)).public, "content.json").unlink()
    assert from_stick(part).code == 0
    assert stage.jobs == []


def test_a_stick_ends_with_an_error_where_no_worker_can_run(stage: Stage, part: Fetching) -> None:
    stage.full = True
    caller = from_stick(part)
    assert caller.code == 1
    assert caller.errors[0]["code"] == "too-many"


def test_requests_fit_a_workers_line(stage: Stage, part: Fetching) -> None:
    look(stage, *[[f"{number:064x}", 8 << 20] for number in range(200)])
    assert len(json.dumps(stage.job("sync").request)) < 64 << 10
