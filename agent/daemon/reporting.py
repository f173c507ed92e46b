"""Has reports made: on a schedule, soon after a change of state, when somebody asks; never while policy or
agent.yaml has them off. They leave with the next sync.

What is due is known to the worker, whose memory outlives this process; here are only timers.
"""

from __future__ import annotations

import os

from agent.core.errors import BookbagError
from agent.daemon.jobs import Job
from agent.daemon.loop import boottime, chance
from agent.daemon.schedule import (
    REPORT,
    REPORT_GAP,
    first_report,
    least_between_reports,
    next_delivery,
    next_report,
    report_soon,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.core.layout import Layout
    from agent.daemon.control import Call
    from agent.daemon.enforcing import Enforcing
    from agent.daemon.jobs import Jobs
    from agent.daemon.log import Log
    from agent.daemon.loop import Loop, Timer
    from agent.daemon.syncing import Syncing

MOST_ROWS = 50


class Reporting:
    """One part of the supervisor. ``look`` is called when a part has news."""

    name = "telemetry"  #: in the status

    def __init__(
        self,
        layout: Layout,
        loop: Loop,
        jobs: Jobs,
        enforcing: Enforcing,
        syncing: Syncing,
        log: Log,
        changed: Callable[[], None],
    ) -> None:
        self._lock = f"{layout.public}/lock.json"
        self._loop = loop
        self._jobs = jobs
        self._enforcing = enforcing
        self._syncing = syncing
        self._log = log
        self._changed = changed
        self._timer: Timer | None = None  #: the next look at what is due
        self._soon: Timer | None = None  #: a report because something changed
        self._due = 0.0
        self._changed_at = -1e9  #: boottime of the last report because something changed
        self._state: object = None  #: what a change is measured against; None: nothing is known yet
        self._policy: object = None  #: its fingerprint
        self._not_before = 0.0  #: boottime before which nothing is delivered
        self._asked = False  #: a collection of our own waits or runs
        self._planned_every = REPORT  #: seconds between reports when the next look was planned
        self.failures = 0  #: deliveries in a row
        self.wanted: list[str] | None = None  #: records; None: not known since the start
        #: Bytes of learning content that are ``here`` and that are ``missing``; from whatever fetches it.
        self.content: Callable[[], dict[str, object]] = dict
        self.waiting = 0
        self.dropped = 0
        self.made_at = 0.0  #: boottime of the last collection; 0: none since the start
        self.taken_at = 0.0  #: of the last delivery that went well
        self.error: dict[str, str] | None = None

    @property
    def url(self) -> str:
        """Where reports go; "": nowhere."""
        config = self._syncing.config
        if config.get("telemetry") is not True or not config.get("installation"):
            return ""
        given = config.get("telemetry_url")
        if isinstance(given, str) and given:
            return given
        urls = config.get("urls")
        known = [one for one in urls if isinstance(one, str)] if isinstance(urls, list) else []
        return next((one for one in known if one.startswith(("https://", "http://"))), "")

    @property
    def _every(self) -> int:
        """Seconds from one report to the next."""
        decided = self._syncing.config.get("report_s")
        return decided if isinstance(decided, int) else REPORT

    def configured(self) -> None:
        """agent.yaml was read: begin, or go on. Switched off, one last look removes what waits."""
        other, self._planned_every = self._every != self._planned_every, self._every
        if self._timer is None and not self._asked and (self.url or self.wanted is None):
            self._plan(first_report(chance()))
        elif other and self._timer is not None:
            self._plan(report_soon(REPORT_GAP, chance()))  # what is due by now is known to the worker

    def look(self, known: dict[str, object]) -> None:
        """Something may have changed: if it is worth telling, tell it soon, but not again and again."""
        state = _worth_telling(known)
        if state is None:
            return
        state = (*state, _stamp(self._lock))
        policy = known.get("fingerprint")
        before, policy_before = self._state, self._policy
        self._state, self._policy = state, policy
        if before is None or not self.url:
            return
        if policy != policy_before and self._timer is not None:
            self._plan(report_soon(REPORT_GAP, chance()))  # it may want other reports, or none
        if state != before and self.wanted and self._soon is None:
            wait = report_soon(boottime() - self._changed_at, chance())
            self._soon = self._loop.after(wait, self._tell_change)

    def now(self, call: Call) -> None:
        """Report now; ``call`` hears how it went, delivery included."""
        if not self.url:
            raise BookbagError(
                "not-allowed",
                "cannot report: it is switched off on this laptop, or there is nobody to report to",
                remedy="see `telemetry` and `telemetry-url` in agent.yaml",
            )
        self._not_before = 0.0

        def ended(job: Job) -> None:
            self._ended(job)
            if job.code != 0 or not self.waiting:
                call.end(1 if job.code is None else job.code)
                return
            try:
                self._syncing.now(None, call)
            except BookbagError as problem:
                call.error(problem.to_dict())
                call.end(1)

        self._collect("asked", ended, call)

    def for_round(self) -> dict[str, object]:
        """What a sync is told: where to deliver reports; "" while they wait."""
        return {"reports": self.url if boottime() >= self._not_before else ""}

    def round_ended(self, job: Job) -> None:
        """A sync is over: what came of the reports it was to deliver."""
        said = job.result.get("reports")
        if not isinstance(said, dict):
            return
        left = said.get("left")
        self.waiting = left if isinstance(left, int) else self.waiting
        error = said.get("error")
        if not isinstance(error, dict):
            self.failures, self.error = 0, None
            self.taken_at = boottime()
            return
        self.error = BookbagError.from_dict(
            {str(name): str(value)[:1000] for name, value in error.items()}
        ).to_dict()
        after = said.get("retry_after")
        # A laptop without network costs nobody anything; whoever did answer is left alone for longer each
        # time.
        self.failures = self.failures + 1 if said.get("answered") is True else 0
        if self.failures:
            wait = next_delivery(self.failures, float(after) if isinstance(after, int) else 0.0, chance())
            self._not_before = boottime() + wait
        self._log.write("warning", "reports", code=self.error["code"], msg=self.error["message"])

    def describe(self) -> dict[str, object]:
        """For the status."""
        return {
            "on": bool(self.url),
            "url": self.url,
            "records": self.wanted,
            "waiting": self.waiting,
            "dropped": self.dropped,
            "made_ago_s": _ago(self.made_at),
            "taken_ago_s": _ago(self.taken_at),
            "next_in_s": None if self._timer is None else max(0, round(self._due - boottime())),
        }

    def _tell_change(self) -> None:
        self._soon = None
        self._changed_at = boottime()
        self._collect("change", self._ended)

    def _look_whether_due(self) -> None:
        self._timer = None
        wait = self._jobs.wait("telemetry")
        if wait:
            self._plan(wait)
            return
        self._collect("schedule", self._ended)

    def _collect(self, cause: str, on_end: Callable[[Job], None], call: Call | None = None) -> None:
        at = self._enforcing.trusted_now
        if at is None:  # no run has judged the clock yet
            self._plan(first_report(chance()))
            if call is not None:
                call.end(1)
            return
        self._cancel()
        self._asked = True
        request: dict[str, object] = {
            "op": "collect",
            "at": at,
            "cause": cause,
            "every": least_between_reports(self._every),
            "on": bool(self.url),
            "installation": self._syncing.config.get("installation", ""),
            "status": self._digest(),
        }
        try:
            self._jobs.submit(Job("telemetry", request, on_end, call.event if call else None))
        except BookbagError:
            self._asked = False
            self._plan(first_report(chance()))
            if call is not None:
                raise

    def _ended(self, job: Job) -> None:
        self._asked = False
        rest = 0
        if job.code == 0:
            wanted, waiting = job.result.get("wanted"), job.result.get("waiting")
            self.wanted = [one for one in wanted if isinstance(one, str)] if isinstance(wanted, list) else []
            more = isinstance(waiting, int) and waiting > self.waiting
            self.waiting = waiting if isinstance(waiting, int) else 0
            lost = job.result.get("dropped")
            self.dropped = lost if isinstance(lost, int) else 0
            due = job.result.get("due_in_s")
            rest = due if isinstance(due, int) else 0
            if more:
                self.made_at = boottime()
                if job.request["cause"] != "asked":
                    self._syncing.soon()
        elif job.error:
            self._log.write("warning", "telemetry", code=job.error["code"], msg=job.error["message"])
        if self.url:
            self._plan(next_report(float(rest or least_between_reports(self._every)), chance()))
        self._changed()

    def _digest(self) -> dict[str, object]:
        """The part of our own state that records are made of: counts, codes, ages. No message, no name, no
        path.
        """
        known = self._enforcing.known
        good = self._syncing.last_good
        return {
            "outcomes": known.get("told", known.get("outcomes", {})),
            "exceptions": [_row(one) for one in _told(known.get("exceptions"))],
            "healed": [{**_row(one), "times": one.get("times", 0)} for one in _told(known.get("healed"))],
            "refusals": [{"code": one.get("code", "")} for one in _rows(known.get("refusals"))],
            "fingerprint": known.get("fingerprint", ""),
            "word": known.get("word"),
            "clock": known.get("clock"),
            "overdue": known.get("overdue"),
            "recovering": known.get("recovering", False),
            "paused": self._enforcing.pause is not None,
            "sync": {"good_ago_s": _ago(good)},
            "content": self.content(),
            "failures": {name: one.failures for name, one in self._jobs.health.items() if one.failures},
        }

    def _plan(self, seconds: float) -> None:
        self._cancel()
        self._due = boottime() + seconds
        self._timer = self._loop.after(seconds, self._look_whether_due)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _worth_telling(known: dict[str, object]) -> tuple[object, ...] | None:
    """What IT should hear of within minutes: a lost memory, settings that begin or end to fail; and a lock,
    which has a file of its own. None: nothing is known yet.
    """
    outcomes = known.get("told", known.get("outcomes"))
    if not isinstance(outcomes, dict):
        return None
    bad = [name for name in ("failed", "not-effective", "refused") if outcomes.get(name)]
    return known.get("recovering") is True, *bad


def _stamp(path: str) -> tuple[int, ...]:
    """Tells one state of a file from another without reading it."""
    try:
        found = os.lstat(path)
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _rows(value: object) -> list[dict[str, object]]:
    return [one for one in value[:MOST_ROWS] if isinstance(one, dict)] if isinstance(value, list) else []


def _told(value: object) -> list[dict[str, object]]:
    """Those that may be told: not what shows what somebody chose for themselves."""
    return [one for one in _rows(value) if one.get("private") is not True]


def _row(one: dict[str, object]) -> dict[str, object]:
    """Of a resource its kind alone: its name can be a path."""
    kind = str(one.get("resource", "")).partition(":")[0]
    return {
        "setting": one.get("setting", ""),
        "kind": kind,
        "outcome": one.get("outcome", ""),
        "code": one.get("code", ""),
    }


def _ago(moment: float) -> int | None:
    return int(boottime() - moment) if moment else None
