"""Has what students ask taken and sent, and what they choose from the shelf taken: when the portal leaves
something, when something was delivered, and when an answer came.
"""

from __future__ import annotations

import os

from agent.core.errors import BookbagError
from agent.daemon.jobs import Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.core.layout import Layout
    from agent.daemon.jobs import Jobs
    from agent.daemon.log import Log
    from agent.daemon.loop import Loop, Timer

AGAIN = 300.0  #: seconds after trouble
SOON = 0.5  #: seconds: several requests are taken at once
LONGEST = 24 * 3600.0


class Asking:
    """One part of the supervisor. ``known``: what the ask worker said last."""

    name = "asks"

    def __init__(self, layout: Layout, loop: Loop, jobs: Jobs, log: Log, changed: Callable[[], None]) -> None:
        #: What the portal touches after it left a request.
        self.news = f"{layout.asks}/in/news"
        #: What tells that a request was delivered, answered, or can be sealed at last.
        self._signs = (layout.state_file("replies"), layout.outbox, layout.generations)
        self._loop = loop
        self._jobs = jobs
        self._log = log
        self._changed = changed
        self._timer: Timer | None = None
        self._asked = False
        self._again = False
        self._seen = self._stamps()
        self._choices = f"{layout.asks}/choices.json"
        self._choice: str | None = None  #: tells what is chosen from the shelf; None: not heard of yet
        #: Called when something else is chosen.
        self.chosen: Callable[[], None] = _nothing
        self.known: dict[str, object] = {}
        self.error: dict[str, str] | None = None

    def start(self) -> None:
        """What was left while nobody looked."""
        if os.path.exists(self.news) or os.path.exists(self._choices):
            self.touched()

    def describe(self) -> dict[str, object]:
        """How many there are, for the status; not what they say."""
        return {name: self.known[name] for name in ("open", "unsent") if name in self.known}

    @property
    def outbox(self) -> int:
        """Returns that waited when last heard of."""
        waiting = self.known.get("outbox")
        return waiting if isinstance(waiting, int) else 0

    def look(self, known: dict[str, object]) -> None:
        """A part has news: of requests under way, or an answer."""
        stamps = self._stamps()
        if stamps != self._seen and (self.known.get("open") or stamps[:1] != self._seen[:1]):
            self.touched()

    def touched(self) -> None:
        """The portal left something, or may have."""
        self._after(SOON)

    def choose(
        self,
        request: dict[str, object],
        on_end: Callable[[Job], None],
        on_event: Callable[[dict[str, object]], None],
        room: int,
    ) -> None:
        """Show the shelf to somebody, or take their choice. Raises ``too-many``."""

        def ended(job: Job) -> None:
            try:
                if job.result:
                    self._heard(job.result)
                else:
                    self.touched()  # refused, or cut off: what was left or noted meanwhile is taken
            finally:
                on_end(job)

        self._jobs.submit(Job("ask", request, ended, on_event), room=room)

    def _heard(self, result: dict[str, object]) -> None:
        choice, before = result.get("choice"), self._choice
        if isinstance(choice, str) and choice != before:
            self._choice = choice
            if before is not None or choice:
                self.chosen()

    def _run(self) -> None:
        self._timer = None
        if self._asked:
            self._again = True
            return
        wait = self._jobs.wait("ask")
        if wait > 0:
            self._after(wait)
            return
        self._seen = self._stamps()
        self._asked = True
        try:
            self._jobs.submit(Job("ask", {"op": "take"}, self._ended))
        except BookbagError:
            self._asked = False
            self._after(1.0)

    def _ended(self, job: Job) -> None:
        self._asked = False
        self.error = job.error
        if job.result:
            self.known = job.result
            self._heard(job.result)
        if job.error:
            self._log.write("warning", "ask", code=job.error["code"], msg=job.error["message"])
        again = self.known.get("again_s")
        if self._again:
            self._again = False
            self._after(SOON)
        elif self._timer is not None:
            pass  # the portal left something meanwhile
        elif not job.result:
            self._after(self._jobs.wait("ask") or AGAIN)
        elif isinstance(again, int) and again > 0:
            self._after(min(float(again), LONGEST))
        self._changed()

    def _stamps(self) -> tuple[object, ...]:
        return tuple(_stamp(path) for path in self._signs)

    def _after(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.after(seconds, self._run)


def _nothing() -> None:
    """Nobody wants to know."""


def _stamp(path: str) -> tuple[int, ...]:
    """Tells one state of a file or folder from another; () if it is not there."""
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return (found.st_ino, found.st_size, found.st_mtime_ns)
