"""Sees to it that what may cut the laptop off is confirmed, or taken back: asks the service often while
something is on trial, and has every answer judged. The enforce worker judges, and remembers; this process
only tells it.
"""

from __future__ import annotations

from agent.daemon.loop import boottime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agent.daemon.enforcing import Enforcing
    from agent.daemon.jobs import Job
    from agent.daemon.loop import Loop, Timer
    from agent.daemon.syncing import Syncing

FIRST = 3.0  #: seconds after something was put on trial
AGAIN = 60.0  #: seconds between rounds while it may be taken back


class Confirming:
    """One part of the supervisor."""

    name = "confirm"  #: in the status
    error: dict[str, str] | None = None

    def __init__(self, loop: Loop, enforcing: Enforcing, syncing: Syncing) -> None:
        self._loop = loop
        self._enforcing = enforcing
        self._syncing = syncing
        self._timer: Timer | None = None
        self._asking = False  #: the last word of the enforce worker was that it is worth asking often
        self._known: dict[str, object] = {}

    def describe(self) -> dict[str, object]:
        """How many things wait for the service to be reached."""
        return {"waiting": self._known.get("waiting", 0)}

    def look(self, known: dict[str, object]) -> None:
        """Something may be on trial by now."""
        told = known.get("confirm")
        self._known = told if isinstance(told, dict) else {}
        asking = bool(self._known.get("ask_for_s"))
        if asking and not self._asking:
            self._plan(FIRST)
        self._asking = asking

    def for_run(self) -> dict[str, object]:
        """What an enforce run is told."""
        began, good = self._syncing.contact
        urls = self._syncing.config.get("urls")
        told: dict[str, object] = {
            "hosts": [_host(str(one)) for one in urls] if isinstance(urls, list) else []
        }
        return {"contact": {**told, "ago_s": int(boottime() - began), "good": good} if began else told}

    def round_ended(self, job: Job) -> None:
        """The service was tried."""
        if self._known.get("waiting") and not job.request.get("from"):
            self._enforcing.judge()
            if self._asking:
                self._plan(AGAIN)

    def _plan(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self._loop.after(seconds, self._ask)

    def _ask(self) -> None:
        self._timer = None
        if self._asking:
            self._syncing.soon()


def _host(url: str) -> str:
    """The host of an address; urllib stays out of the resident."""
    name = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    whole = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
    return whole.lower()
