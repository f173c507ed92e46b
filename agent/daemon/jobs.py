"""Runs workers: one at a time in each lane, within limits of time and output, and judges only the one that
misbehaves.

A worker's lines are untrusted (the sync worker reads from a network): each is parsed strictly, capped in
size, and only the fields named here are looked at.
"""

from __future__ import annotations

import json

from agent.core.errors import BookbagError
from agent.core.jsontext import parse
from agent.daemon.loop import boottime, chance
from agent.daemon.schedule import Backoff

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent.daemon.log import Log
    from agent.daemon.loop import Loop, Timer
    from agent.host.base import Worker, Workers

#: Worker name → (lane, seconds it may run). Workers of one lane follow each other; lanes run beside each
#: other.
WORKERS: Mapping[str, tuple[str, float]] = {
    "configure": ("act", 30.0),
    "enrol": ("act", 60.0),
    "enforce": ("act", 180.0),
    "command": ("obey", 120.0),  # a lock never waits for a policy that is being applied, or cannot be
    "erase": ("obey", 900.0),
    "ask": ("ask", 60.0),  # what the portal leaves keeps nothing else from being done
    "sync": ("net", 300.0),
    "telemetry": ("net", 60.0),  # after or before a sync, never beside it: both keep what telemetry remembers
    "content": ("content", 600.0),  # checking gibibytes takes minutes, and nobody else waits for it
    "explain": ("answer", 30.0),  # anyone may ask it, so what keeps the laptop as decided never waits for it
}
MAX_LINE = 256 << 10  #: bytes of one event
MAX_OUTPUT = 4 << 20  #: bytes of one run
MAX_EVENTS = 5000  #: of one run: each costs the resident some time
LONGEST_TEXT = 2000  #: characters of each part of an error, for it is kept and is part of every status
LAST_SECONDS = 2.0  #: between a worker's last word and the end of everything it started
MAX_WAITING = 16  #: jobs that may wait in one lane
MAX_WAITING_FOR_ANYONE = 8  #: of them, those that came when somebody other than root asked
#: Kinds of event that whoever asked for the run may see.
PASSED = ("progress", "log", "error", "result", "watch", "word")
COST = ("cpu_ms", "peak_kib", "ms")


class Job:
    """One run of one worker. ``error`` is the last error event, ``result`` the result event's value."""

    __slots__ = (
        "buffer",
        "code",
        "cost",
        "error",
        "events",
        "name",
        "on_end",
        "on_event",
        "output",
        "request",
        "result",
        "timer",
        "worker",
    )

    def __init__(
        self,
        name: str,
        request: dict[str, object],
        on_end: Callable[[Job], None],
        on_event: Callable[[dict[str, object]], None] | None = None,
    ) -> None:
        self.name = name
        self.request = request
        self.on_end = on_end
        self.on_event = on_event
        self.worker: Worker | None = None
        self.timer: Timer | None = None
        self.buffer = b""
        self.output = 0
        self.events = 0
        self.code: int | None = None
        self.error: dict[str, str] | None = None
        self.result: dict[str, object] = {}
        self.cost: dict[str, int] = {}


class Health:
    """What is known of one worker: how often it ran, what the last run cost, whether it is trusted to run
    again now.
    """

    __slots__ = ("backoff", "cost", "error", "failures", "runs")

    def __init__(self) -> None:
        self.backoff = Backoff()
        self.runs = 0
        self.failures = 0
        self.cost: dict[str, int] = {}
        self.error: dict[str, str] | None = None

    def to_dict(self) -> dict[str, object]:
        """Its receipt in the status."""
        wait = self.backoff.wait(boottime())
        receipt: dict[str, object] = {"runs": self.runs, "failures": self.failures, "cost": self.cost}
        if self.error:
            receipt["error"] = self.error
        if wait:
            receipt["quarantined" if self.backoff.quarantined else "backed-off"] = round(wait)
        return receipt


class Jobs:
    """Starts workers through the host's ``Workers`` port and watches them in the loop."""

    def __init__(
        self, loop: Loop, workers: Workers, log: Log, limits: Mapping[str, tuple[str, float]] = WORKERS
    ) -> None:
        self._loop = loop
        self._workers = workers
        self._log = log
        self._limits = limits
        self._running: dict[str, Job] = {}
        self._waiting: dict[str, list[Job]] = {}
        self.health: dict[str, Health] = {name: Health() for name in limits}
        self._stopped = False

    def submit(self, job: Job, *, room: int = MAX_WAITING) -> None:
        """Run it when its lane is free. Raises ``too-many`` when ``room`` jobs wait in the lane already."""
        lane = self._limits[job.name][0]
        waiting = self._waiting.setdefault(lane, [])
        if len(waiting) >= room:
            raise BookbagError(
                "too-many",
                f"cannot run {job.name}: {room} jobs wait already",
                remedy="try again later",
            )
        waiting.append(job)
        self._next(lane)

    def wait(self, name: str) -> float:
        """Seconds that ``name`` should not be started of its own accord, because it misbehaved."""
        return self.health[name].backoff.wait(boottime())

    def stop(self) -> None:
        """End everything that runs, without calling anybody back."""
        self._stopped = True
        self._waiting.clear()
        for job in list(self._running.values()):
            self._release(job)
        self._running.clear()

    def _next(self, lane: str) -> None:
        waiting = self._waiting.get(lane)
        if self._stopped or lane in self._running or not waiting:
            return
        job = waiting.pop(0)
        self._running[lane] = job
        line = json.dumps(job.request, separators=(",", ":")).encode() + b"\n"
        try:
            job.worker = self._workers.start(job.name, line)
        except (OSError, BookbagError) as problem:
            self._misbehaved(job, "worker-died", f"cannot start worker {job.name}: {problem}")
            return
        job.timer = self._loop.after(self._limits[job.name][1], lambda: self._timed_out(job))
        self._loop.watch(job.worker.fileno(), lambda: self._read(job))

    def _read(self, job: Job) -> None:
        assert job.worker is not None  # noqa: S101  # only running jobs are watched
        try:
            data = job.worker.read()
        except BlockingIOError:
            return
        except OSError as problem:
            self._misbehaved(job, "worker-died", f"cannot hear worker {job.name}: {problem}")
            return
        if not data:
            self._ended(job)
            return
        job.output += len(data)
        *lines, job.buffer = (job.buffer + data).split(b"\n")
        job.events += len(lines)
        if job.output > MAX_OUTPUT or job.events > MAX_EVENTS or len(job.buffer) > MAX_LINE:
            self._misbehaved(job, "too-large", f"cannot go on with worker {job.name}: it said too much")
            return
        for line in lines:
            try:
                self._event(job, line)
            except (BookbagError, TypeError, ValueError) as problem:
                self._misbehaved(job, "worker-died", f"cannot understand worker {job.name}: {problem}")
                return

    def _event(self, job: Job, line: bytes) -> None:
        event = parse(line, what=f"an event of worker {job.name}", max_bytes=MAX_LINE)
        if not isinstance(event, dict):
            raise ValueError("an event is not an object")
        kind = event.get("event")
        if kind == "error" and isinstance(event.get("error"), dict):
            job.error = BookbagError.from_dict(
                {
                    str(name): value[:LONGEST_TEXT]
                    for name, value in event["error"].items()
                    if isinstance(value, str)
                }
            ).to_dict()
        elif kind == "result" and isinstance(event.get("result"), dict):
            job.result = event["result"]
        elif kind == "exit" and isinstance(event.get("code"), int):
            job.code = event["code"]
            job.cost = {name: event[name] for name in COST if isinstance(event.get(name), int)}
            self._last_word(job)
            return
        if job.on_event is not None and kind in PASSED:
            job.on_event(event)

    def _last_word(self, job: Job) -> None:
        """It has said how it went; whatever it left behind gets a moment, then it is over."""
        if job.timer is not None:
            job.timer.cancel()
        job.timer = self._loop.after(LAST_SECONDS, lambda: self._ended(job))

    def _timed_out(self, job: Job) -> None:
        seconds = self._limits[job.name][1]
        self._misbehaved(
            job, "worker-timeout", f"cannot wait for worker {job.name} any longer: it ran for {seconds:g} s"
        )

    def _ended(self, job: Job) -> None:
        if job.code is None:
            self._misbehaved(
                job, "worker-died", f"cannot say how worker {job.name} went: it ended without a word"
            )
            return
        if job.error and job.error["code"] == "internal":
            self._count_against(job)
        else:
            self.health[job.name].backoff.behaved()
        self._finish(job)

    def _misbehaved(self, job: Job, code: str, message: str) -> None:
        job.error = BookbagError(code, message).to_dict()
        job.code = 1
        job.result = {}
        self._count_against(job)
        if job.on_event is not None:
            job.on_event({"event": "error", "error": job.error})
        self._finish(job)

    def _count_against(self, job: Job) -> None:
        health = self.health[job.name]
        health.failures += 1
        pause = health.backoff.misbehaved(boottime(), chance())
        event = "worker-quarantined" if health.backoff.quarantined else "worker-backed-off"
        error = job.error or {}
        self._log.write(
            "error",
            event,
            worker=job.name,
            code=error.get("code", ""),
            msg=f"{error.get('message', '')}; pause {pause:.0f} s",
        )

    def _finish(self, job: Job) -> None:
        lane = self._limits[job.name][0]
        health = self.health[job.name]
        health.runs += 1
        health.error = job.error
        if job.cost:
            health.cost = job.cost
        self._release(job)
        self._running.pop(lane, None)
        try:
            job.on_end(job)
        finally:
            self._next(lane)

    def _release(self, job: Job) -> None:
        if job.timer is not None:
            job.timer.cancel()
        if job.worker is not None:
            self._loop.unwatch(job.worker.fileno())
            job.worker.stop()
            job.worker = None
