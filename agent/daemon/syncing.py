"""Looks for news: on the poll, and when somebody asks. What it brings is only bytes in the spool; enforcing
judges them.
"""

from __future__ import annotations

from agent.core.errors import BookbagError
from agent.daemon.jobs import Job
from agent.daemon.loop import boottime, chance
from agent.daemon.schedule import POLL, first_sync, next_sync

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.daemon.control import Call
    from agent.daemon.enforcing import Enforcing
    from agent.daemon.jobs import Jobs
    from agent.daemon.log import Log
    from agent.daemon.loop import Loop, Timer

MAX_DELIVERED = 64
SOON = 2.0  #: seconds
#: Refusals of the enforce worker that a complete download may mend.
DAMAGED = frozenset({"bad-metadata", "bad-json", "bad-path", "not-found", "too-large"})


class Syncing:
    """One part of the supervisor. ``config`` is the configure worker's last good result; without urls nothing
    is polled.
    """

    def __init__(
        self, loop: Loop, jobs: Jobs, enforcing: Enforcing, log: Log, changed: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._jobs = jobs
        self._enforcing = enforcing
        self._log = log
        self._changed = changed
        self._timer: Timer | None = None
        self._due = 0.0
        self.config: dict[str, object] = {}
        self.last_good = 0.0  #: boottime of the last round that reached a source; 0: none since start
        self.last_tried = 0.0
        #: Boottime when the last round with hosts began (0: none yet), and whether one of them answered.
        self.contact = (0.0, False)
        self.bad_answers = 0
        self.error: dict[str, str] | None = None
        self.undelivered: dict[str, str] | None = (
            None  #: why returns could not be delivered, though a source answered
        )
        self.from_url = ""  #: where the last good round found its answer
        #: What else a round is to be told, and who hears how it went (`agent.daemon.reporting`).
        self.adds: Callable[[], dict[str, object]] = dict
        self.heard: Callable[[Job], None] = _nobody
        #: Calls back with the number of waiting returns when orders are obeyed (`agent.daemon.commanding`).
        self.obeyed: Callable[[Callable[[int], None]], None] = lambda go_on: go_on(0)
        #: Who goes on where a round with a folder ended well (`agent.daemon.fetching`).
        self.then: Callable[[str, Call, int], None] = lambda folder, call, code: call.end(code)

    @property
    def poll(self) -> float:
        """Seconds between rounds."""
        poll = self.config.get("poll_s")
        return float(poll) if isinstance(poll, int) and poll > 0 else float(POLL)

    @property
    def due_in(self) -> int | None:
        """Seconds to the next round; None if none is planned."""
        return None if self._timer is None else max(0, round(self._due - boottime()))

    def configured(self, config: dict[str, object]) -> None:
        """Take a new configuration; the first round follows soon."""
        fresh = config.get("urls") != self.config.get("urls") or config.get("poll_s") != self.config.get(
            "poll_s"
        )
        self.config = config
        if not config.get("urls"):
            self._cancel()
        elif self._timer is None or fresh:
            self._plan(first_sync(self.poll, chance()))

    def soon(self) -> None:
        """Something waits to be delivered: bring the next round forward."""
        if self._timer is not None and self._due > boottime() + SOON:
            self._plan(SOON * (0.5 + chance() / 2))

    def now(self, folder: str | None, call: Call | None) -> None:
        """One round now, from the hosts or from ``folder``; ``call`` hears how it went, enforcement
        included.
        """
        if not self.config.get("site"):
            raise BookbagError(
                "not-enrolled", "cannot sync: this laptop is not enrolled", remedy="use `bookbag enrol FILE`"
            )
        self._cancel()
        began = boottime()

        def ended(job: Job) -> None:
            if folder is None:
                self.contact = (began, _answered(job))
            self._ended(job, call, folder or "")

        self._jobs.submit(Job("sync", self._request(folder), ended, call.event if call else None))

    def _request(self, folder: str | None) -> dict[str, object]:
        request: dict[str, object] = {
            "op": "round",
            **self.config,
            "at": self._enforcing.certain_now or 0,
            "whole": self._damaged(),
        }
        if folder is None:
            return request | self.adds()
        # Somebody stands there with a stick: nothing else is waited for.
        return request | {"urls": [], "from": folder}

    def _poll(self) -> None:
        self._timer = None
        wait = self._jobs.wait("sync")
        if wait:
            self._plan(wait)
            return
        try:
            self.now(None, None)
        except BookbagError:
            self._plan(self.poll)

    def _ended(self, job: Job, call: Call | None, folder: str) -> None:
        now = boottime()
        self.last_tried = now
        retry_after = 0.0
        if job.code == 0:
            self.last_good, self.error, self.bad_answers = now, None, 0
            url = job.result.get("source")
            self.from_url = url[:500] if isinstance(url, str) else ""
            self.undelivered = _undelivered(job.result.get("undelivered"))
        else:
            self.error = job.error or BookbagError("worker-died", "cannot say why the sync failed").to_dict()
            self.bad_answers += job.result.get("answered") is True
            after = job.result.get("retry_after")
            retry_after = float(after) if isinstance(after, int) and after > 0 else 0.0
            self._log.write("warning", "sync", code=self.error["code"], msg=self.error["message"])
        if self.config.get("urls"):
            self._plan(next_sync(self.poll, self.bad_answers, retry_after, chance()))
        self.heard(job)
        self._changed()
        self._hand_on(job, call, folder)

    def _hand_on(self, job: Job, call: Call | None, folder: str) -> None:
        """News and deliveries go to the enforce worker, which verifies the one and takes the others out of
        the outbox.
        """
        delivered = _names(job.result.get("delivered"))
        already = _names(job.result.get("already"))
        left = len(_names(job.result.get("left")))
        news = job.result.get("news") is True or (job.code == 0 and self._enforcing.is_stale)
        code = 1 if job.code is None else job.code
        if call is None and news and not delivered and not already:
            self._enforcing.refresh()
        elif (
            news or delivered or already or (call is not None and code == 0 and self._enforcing.wants_refresh)
        ):
            request: dict[str, object] = {"op": "refresh", "delivered": delivered, "already": already}
            try:
                self._enforcing.ask(
                    request,
                    lambda done: self._finish(call, code, done, folder, left),
                    call.event if call else None,
                )
            except BookbagError:
                self._enforcing.refresh()
                if call is not None:
                    call.end(code)
        elif call is not None:
            self._end(call, code, folder)

    def _finish(self, call: Call | None, code: int, enforced: Job, folder: str, left: int) -> None:
        if call is None:
            return
        code = code or (1 if enforced.code is None else enforced.code)
        if not folder or code in (1, 130):
            self._end(call, code, folder)
            return
        told = enforced.result.get("outbox")

        def obeyed(waiting: int) -> None:
            if max(waiting, told if isinstance(told, int) else 0) > left:
                self._leave(call, code, folder)
            else:
                self._end(call, code, folder)

        self.obeyed(obeyed)

    def _leave(self, call: Call, code: int, folder: str) -> None:
        """What the news made this laptop say, its request to be enrolled or what came of an order, goes back
        on the same stick: the next one may come in a month."""

        def ended(job: Job) -> None:
            left = _names(job.result.get("left"))
            if left:
                call.result({"left": left})
            self._end(call, code, folder)

        try:
            self._jobs.submit(Job("sync", self._request(folder), ended))
        except BookbagError:
            self._end(call, code, folder)

    def _end(self, call: Call, code: int, folder: str) -> None:
        """The round is over; whoever came with a stick also gets what else is on it."""
        if folder and code not in (1, 130):
            self.then(folder, call, code)
        else:
            call.end(code)

    def _damaged(self) -> bool:
        """Whether the mirror itself seems to be what is wrong, so that "nothing new" must not be
        the answer.
        """
        problem = self._enforcing.known.get("problem")
        return isinstance(problem, dict) and problem.get("code") in DAMAGED

    def _plan(self, seconds: float) -> None:
        self._cancel()
        self._due = boottime() + seconds
        self._timer = self._loop.after(seconds, self._poll)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _nobody(_: Job) -> None:
    """Whom a round is of no interest to."""


def _answered(job: Job) -> bool:
    """Whether a host said anything: what is kept in a folder says nothing about the way to it."""
    source = job.result.get("source")
    if job.code == 0:
        return isinstance(source, str) and source.startswith("https://")
    return job.result.get("answered") is True


def _names(value: object) -> list[str]:
    if not isinstance(value, list):
        return []
    return [name for name in value[:MAX_DELIVERED] if isinstance(name, str)]


def _undelivered(value: object) -> dict[str, str] | None:
    if not isinstance(value, dict) or not value:
        return None
    name, why = next(iter(value.items()))
    more = f" (and {len(value) - 1} more)" if len(value) > 1 else ""
    return BookbagError("network", f"cannot deliver {str(name)[:200]}: {str(why)[:500]}{more}").to_dict()
