"""Keeps the machine as decided: audits at start, on events, on sweeps; refreshes on news. Needs nothing of
the network (I-3).

What is known comes from the enforce worker's last result; this process keeps no state of its own, so it may
die at any time.
"""

from __future__ import annotations

from agent.core.errors import BookbagError
from agent.daemon.jobs import Job
from agent.daemon.loop import boottime
from agent.daemon.schedule import SWEEP, Storm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.daemon.jobs import Jobs
    from agent.daemon.log import Log
    from agent.daemon.loop import Loop, Timer
    from agent.host.base import Watch

    OnEnd = Callable[[Job], None]
    OnEvent = Callable[[dict[str, object]], None]

#: While these are all there is, every file is as it should be.
CHEAP = frozenset({"in-force", "changed", "healed", "restored", "kept", "refused", "overruled"})
MAX_WATCHED = 20_000  #: paths


class Enforcing:
    """One part of the supervisor. ``changed`` is called when there is news for the status."""

    def __init__(
        self, loop: Loop, jobs: Jobs, watch: Watch | None, log: Log, changed: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._jobs = jobs
        self._watch = watch
        self._log = log
        self._changed = changed
        self._storm = Storm()
        self._audit: Timer | None = None  #: the audit that waits for its moment
        self._again: Timer | None = None  #: the audit when a pause or a back-off ends
        self._asked = False  #: an audit or refresh of our own waits or runs
        self._touched = False  #: an event came while one ran
        self._whole = False  #: an audit of everything could not run, or did not reach its end
        self._stale = False  #: the mirror holds what no refresh has judged yet
        self._failed = False  #: the last refresh met an error, or did not reach its end
        self._refreshing = False  #: a refresh of our own waits or runs
        self.known: dict[str, object] = {}  #: the last result; empty before the first
        self.known_since = 0.0  #: its boottime
        #: Which word was taken last, and what tells its orders from others: said before anything is done with
        #: it, for whether orders are obeyed does not hang on whether the policy can be applied (I-3).
        self.word: dict[str, object] = {}
        self.acted_since = (
            0.0  #: boottime of the last audit, apply or refresh that ran to its end; 0: none yet
        )
        self.problem: dict[str, str] | None = None  #: why the last run could not run
        #: Laptop paths of our own that are watched too: path → what to do when it is touched.
        self.also: dict[str, Callable[[], None]] = {}
        self._ruled: set[str] = set()  #: those of them that policy rules too
        #: What else a run is to be told (`agent.daemon.confirming`).
        self.adds: Callable[[], dict[str, object]] = dict
        self.lost = 0  #: times that events were lost
        self.watched = 0  #: paths

    def start(self) -> None:
        """Look at the machine at once, and from now on."""
        if self._watch is not None:
            self._watch.set_paths(self.also)
            self._watch.read()
            self._loop.watch(self._watch.fileno(), self._events)
        self._run("audit")
        self._loop.after(SWEEP, self._sweep)

    def stop(self) -> None:
        """Stop watching."""
        if self._watch is not None:
            self._loop.unwatch(self._watch.fileno())
            self._watch.close()
            self._watch = None

    def ask(self, request: dict[str, object], on_end: OnEnd, on_event: OnEvent | None = None) -> None:
        """Run one enforce operation for somebody; its result also becomes what is known."""
        paths: list[str] = []

        def event(one: dict[str, object]) -> None:
            if one.get("event") == "watch":
                _take_paths(one, paths)
            elif one.get("event") == "word":
                self._heard(one)
            elif on_event is not None:
                on_event(one)

        def ended(job: Job) -> None:
            try:
                self._took(job, paths)
            finally:
                on_end(job)

        self._jobs.submit(Job("enforce", {**request, **self.adds()}, ended, event))

    def refresh(self) -> None:
        """The mirror may hold news: verify and enforce it as soon as the worker is free."""
        self._run("refresh")

    def arranged(self) -> None:
        """What is arranged for the student has changed: look at everything."""
        self._run("audit")

    def judge(self) -> None:
        """There is news that is no word: whether the service can be reached, what a teacher began or ended.
        See what it means."""
        self._run("audit")

    def joined(self) -> None:
        """What the mirror holds was judged before this laptop became who it is: the next round's end brings a
        refresh, with news or without."""
        self._stale = True

    @property
    def is_stale(self) -> bool:
        """Whether the mirror holds what no refresh has judged."""
        return self._stale

    @property
    def pause(self) -> dict[str, object] | None:
        """The pause that is on, with ``left_s`` as of now (None: somebody must end it); None if healing goes
        on.
        """
        pause = self.known.get("pause")
        if not isinstance(pause, dict):
            return None
        if pause.get("left_s") is None:
            return pause
        left = _whole(pause.get("left_s")) - int(boottime() - self.known_since)
        return {**pause, "left_s": left} if left > 0 else None

    @property
    def trusted_now(self) -> int | None:
        """Trusted time, unix seconds: what the last run judged it to be, plus the seconds since; None before
        the first.
        """
        return self._moment("at")

    @property
    def certain_now(self) -> int | None:
        """What has certainly passed, whoever told what: the sync worker judges by it, lest a told lie keep it
        from fetching the root that voids the lie.
        """
        return self._moment("floor")

    def _moment(self, name: str) -> int | None:
        clock = self.known.get("clock")
        at = clock.get(name) if isinstance(clock, dict) else None
        return at + int(boottime() - self.known_since) if isinstance(at, int) else None

    @property
    def wants_refresh(self) -> bool:
        """Whether a refresh is under way, or the last one did not reach its end or did not like what it saw:
        whoever asks for news has to wait for one.
        """
        return self._refreshing or self._stale or self._failed or bool(self.known.get("problem"))

    def _run(self, op: str, *, lean: bool = False) -> None:
        """Start a run of our own; never two at a time, never one whose worker misbehaved a moment ago.
        ``lean``: an audit that may end after a cheap look.
        """
        wait = self._jobs.wait("enforce")
        if self._asked or wait > 0:
            self._touched = True
            self._stale = self._stale or op == "refresh"
            self._whole = self._whole or not lean
            if not self._asked:
                self._want_audit(wait)
            return
        self._asked = True
        self._whole = self._whole and lean
        if op == "refresh":
            self._stale = False
            self._refreshing = True
        try:
            self.ask({"op": op, "lean": lean}, self._ended)
        except BookbagError:
            self._asked = self._refreshing = False
            self._failed = self._failed or op == "refresh"
            self._whole = self._whole or not lean
            self._want_audit(1.0)

    def _ended(self, job: Job) -> None:
        self._asked = False
        if job.request["op"] == "refresh":
            self._refreshing = False
        wait = self._jobs.wait("enforce")
        if wait:
            self._want_audit(wait)
        elif self._stale:
            self._run("refresh")
        elif self._touched:
            self._want_audit(self._storm.delay(boottime()))

    def _want_audit(self, seconds: float) -> None:
        if self._audit is None:
            self._audit = self._loop.after(seconds, self._audit_now)

    def _audit_now(self) -> None:
        self._audit = None
        self._touched = False
        self._run("audit", lean=self._cheap())

    def _sweep(self) -> None:
        self._loop.after(SWEEP, self._sweep)
        self._run("refresh" if self.wants_refresh else "audit")

    def _events(self) -> None:
        assert self._watch is not None  # noqa: S101  # only watched while there is one
        paths, lost = self._watch.read()
        if lost:
            self.lost += 1
            self._log.write("warning", "watch-overflow", msg="events were lost: everything is audited")
        for path in paths & self.also.keys():
            self.also[path]()
        if paths - (self.also.keys() - self._ruled) or lost:
            if self._asked:
                self._touched = True
            elif self._audit is None:
                self._want_audit(self._storm.delay(boottime()))

    def _heard(self, event: dict[str, object]) -> None:
        word = {name: event.get(name) for name in ("generation", "orders")}
        if word != self.word:
            self.word = word
            self._changed()

    def _took(self, job: Job, paths: list[str]) -> None:
        """Make what a run found out what is known."""
        self.problem = job.error if not job.result else None
        self._whole = self._whole or not job.result
        if job.request["op"] == "refresh":
            # What made it fail (a full disk, say) is tried again at the next sweep or sync, not at once and
            # for ever.
            self._failed = job.error is not None or not job.result
        if job.result and job.request["op"] != "plan":
            self.acted_since = boottime()
            if job.result.get("lean") is True:
                self._all_well()
            else:
                self._learn(job.result, paths)
        if job.error:
            self._log.write(
                "error",
                "enforce",
                subject=str(job.request["op"]),
                code=job.error["code"],
                msg=job.error["message"],
            )
        self._changed()

    def _learn(self, result: dict[str, object], paths: list[str]) -> None:
        self.known = result
        self.known_since = self.acted_since
        if self._watch is not None and result.get("watching") == len(paths):
            self.watched = len(paths)
            self._ruled = self.also.keys() & set(paths)
            self._watch.set_paths([*paths, *self.also])
            self._events()  # what happened to a path before it was watched counts as an event
        if result.get("stale") is True and not self._failed:
            self._stale = True
        self._plan_next()

    def _all_well(self) -> None:
        """A cheap look found every file as it should be: what was just changed or healed now simply is in
        force.
        """
        settled: dict[str, object] = {
            one: _settled(self._counts(one)) for one in ("outcomes", "told") if one in self.known
        }
        self.known = {**self.known, **settled}

    def _counts(self, name: str) -> dict[str, int]:
        counts = self.known.get(name)
        return dict(counts) if isinstance(counts, dict) else {}

    def _cheap(self) -> bool:
        """Whether a cheap look can tell that all is well: only if all was well, and nothing is unusual. It
        knows nothing of the time: at the turn of a timetable it would find yesterday's lesson in good order.
        """
        unusual = self.pause is not None or self.known.get("retry_in_s") or self.known.get("confirm")
        known = bool(self.known) and not self._whole and not unusual
        return known and CHEAP.issuperset(self._counts("outcomes"))

    def _plan_next(self) -> None:
        """Look again when a pause ends, when something that was backed off may be tried again, when a lesson
        begins or ends.
        """
        if self._again is not None:
            self._again.cancel()
            self._again = None
        pause = self.pause
        ahead = [_whole(pause["left_s"])] if pause else [_whole(self.known.get("retry_in_s"))]
        ahead = [seconds for seconds in (*ahead, _whole(self.known.get("turn_in_s"))) if seconds > 0]
        if ahead:
            self._again = self._loop.after(min(ahead) + 1.0, lambda: self._run("audit"))


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _settled(counts: dict[str, int]) -> dict[str, int]:
    """``counts`` of outcomes once every file was found as it should be."""
    well = sum(counts.pop(name, 0) for name in ("in-force", "changed", "healed"))
    return {"in-force": well, **{one: counts[one] for one in ("refused", "overruled") if one in counts}}


def _take_paths(event: dict[str, object], paths: list[str]) -> None:
    more = event.get("paths")
    if isinstance(more, list) and len(paths) + len(more) <= MAX_WATCHED:
        paths += [path for path in more if isinstance(path, str)]
