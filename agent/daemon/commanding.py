"""Has orders carried out: when the school's word brings new ones, when their time has come, and at start
whatever was under way. Needs neither network nor policy (I-3).
"""

from __future__ import annotations

from agent.core.errors import BookbagError
from agent.daemon.jobs import MAX_WAITING_FOR_ANYONE, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.daemon.jobs import Jobs
    from agent.daemon.log import Log
    from agent.daemon.loop import Loop, Timer

#: Seconds between looks while something holds or waits: a lock closes again what came open.
AGAIN = 300.0
LONGEST = 24 * 3600.0
SHOWN = ("locked", "phase", "since", "lost", "grade", "open", "erase_at")


class Commanding:
    """One part of the supervisor. ``known``: what the command worker said last."""

    name = "commands"  #: in the status

    def __init__(self, loop: Loop, jobs: Jobs, log: Log, changed: Callable[[], None]) -> None:
        self._loop = loop
        self._jobs = jobs
        self._log = log
        self._changed = changed
        self._timer: Timer | None = None
        self._seen: tuple[object, object] = ("", "")  #: orders and generation that were acted on
        self._asked = False
        self._again = False  #: something new came while a run was under way
        self._waiting: list[Callable[[int], None]] = []  #: who goes on when nothing is being carried out
        self.arranged: Callable[[], None] = lambda: None  #: something else is arranged by now
        self._arranged: object = None  #: what was when last heard of
        self.known: dict[str, object] = {}
        #: Called when a teacher began or ended something that the policy goes by.
        self.session_changed: Callable[[], None] = lambda: None
        self.error: dict[str, str] | None = None

    def start(self, *, remembered: bool) -> None:
        """``remembered``: this laptop has had orders before, so something may be under way."""
        if remembered:
            self.run()

    def describe(self) -> dict[str, object]:
        """How orders stand, for the status."""
        return {name: self.known[name] for name in SHOWN if name in self.known}

    @property
    def outbox(self) -> int:
        """Returns that waited when last heard of."""
        waiting = self.known.get("outbox")
        return waiting if isinstance(waiting, int) else 0

    def look(self, known: dict[str, object]) -> None:
        """The word may have brought orders, or the fresh word that an order waits for."""
        seen = (known.get("orders", ""), known.get("generation", ""))
        if seen == self._seen:
            return
        fresh = seen[0] != self._seen[0] and seen[0]
        waits = bool(self.known.get("open"))
        self._seen = seen
        if fresh or waits:
            self.run()

    def run(self) -> None:
        """Carry out whatever there is."""
        if self._asked:
            self._again = True
            return
        wait = self._jobs.wait("command")
        if wait > 0:
            self._after(wait)
            return
        self._submit("command", {"op": "obey"}, self._ended)

    def then(self, go_on: Callable[[int], None]) -> None:
        """Call ``go_on`` with the number of returns that wait, once nothing is being carried out: at once if
        nothing is."""
        if self._asked:
            self._waiting.append(go_on)
        else:
            go_on(self.outbox)

    def unlock(
        self, code: str, on_end: Callable[[Job], None], on_event: Callable[[dict[str, object]], None]
    ) -> None:
        """Try a code that somebody typed. A wrong one is no trouble of the laptop's."""

        def ended(job: Job) -> None:
            if job.result:
                self._know(job.result)
                self._plan(failed=False)
                self._changed()
            on_end(job)

        request: dict[str, object] = {"op": "unlock", "code": code}
        self._jobs.submit(Job("command", request, ended, on_event), room=MAX_WAITING_FOR_ANYONE)

    def _submit(self, name: str, request: dict[str, object], on_end: Callable[[Job], None]) -> None:
        self._asked = True
        try:
            self._jobs.submit(Job(name, request, on_end))
        except BookbagError:
            self._asked = False
            self._after(1.0)

    def _ended(self, job: Job) -> None:
        self._asked = False
        self._take(job)
        if job.result.get("erase") is True and job.name == "command":
            self._submit("erase", {"op": "obey"}, self._ended)
        elif self._again:
            self._again = False
            self.run()
        if not self._asked:
            waiting, self._waiting = self._waiting, []
            for go_on in waiting:
                go_on(self.outbox)

    def _take(self, job: Job) -> None:
        self.error = job.error
        if job.result:
            self._know(job.result)
            self._look_at_arranged()
        if job.error:
            self._log.write("error", job.name, code=job.error["code"], msg=job.error["message"])
        # A worker that died half-way left a laptop half locked, or half erased: that does not wait long.
        self._plan(failed=not job.result, again=self._jobs.wait(job.name) or AGAIN)
        self._changed()

    def _look_at_arranged(self) -> None:
        """The first answer after a start counts too: what was arranged last may not be enforced yet."""
        arranged = self.known.get("arranged", "")
        if arranged != (self._arranged or ""):
            self.arranged()
        self._arranged = arranged

    def _know(self, result: dict[str, object]) -> None:
        before, self.known = self.known.get("session", ""), result
        if result.get("session", "") != before:
            self.session_changed()

    def _plan(self, *, failed: bool, again: float = AGAIN) -> None:
        """Look again when something is due, and now and then while something holds."""
        due = self.known.get("next_in_s")
        waits = [float(due) + 1.0] if isinstance(due, int) and due > 0 else []
        if failed or self.known.get("open") or self.known.get("locked"):
            waits.append(again)
        if waits:
            self._after(min(*waits, LONGEST))

    def _after(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.after(seconds, self._now)

    def _now(self) -> None:
        self._timer = None
        self.run()
