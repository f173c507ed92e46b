"""Has learning content brought in: the content worker says what is missing, the sync worker fetches it, and
so on by turns until nothing is, within what agent.yaml allows. What somebody waits for comes first.

This process holds only timers and the last word of the content worker; everything else can be found out
again.
"""

from __future__ import annotations

import os
import time

from agent.core.errors import BookbagError
from agent.daemon.jobs import Job
from agent.daemon.loop import boottime, chance
from agent.daemon.schedule import after_opening, content_look, next_fetch, opens_in

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

FIRST_LOOK = 20.0  #: seconds after start
SOON = 1.0
ASK_AGAIN = 30.0  #: seconds before hosts that gave nothing are asked again, however many wait
RUN_SECONDS = 45  #: of one fetch from a host: a sync or somebody who waits gets its turn then
STICK_SECONDS = 200
WANTED_SECONDS = 600.0  #: that somebody is thought to wait
KEPT_SECONDS = 2 * 3600 + 60.0  #: until nobody is thought to read an old version any more
MOST_WANTED = 8  #: items at a time
ASKED_FACTOR = 3  #: how much faster it may go while somebody waits
#: What policy decides of it (`agent.hours`, `agent.content-room`) and a change of which is not waited with.
NEWS = ("work_begin", "work_minutes", "content_room", "content_share")
#: What a configuration says where agent.yaml says nothing: see `agent.daemon.settings`.
DEFAULTS = {"content_rate": 64 << 10, "content_per_day": 256 << 20, "content_room": 0, "content_share": 50}


class Fetching:
    """One part of the supervisor. ``look`` is called when a part has news."""

    name = "content"

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
        self._wishes = f"{layout.public}/content.json"
        self._loop = loop
        self._jobs = jobs
        self._enforcing = enforcing
        self._syncing = syncing
        self._log = log
        self._changed = changed
        self._configured: list[object] | None = None  #: what of `NEWS` holds; None: not known since the start
        self._stamp: tuple[int, ...] = ()  #: of the wishes that were looked at last
        self._timer: Timer | None = None
        self._busy = False  #: a look or a fetch of our own waits or runs
        self._again = False  #: something changed meanwhile
        self._not_before = 0.0  #: boottime before which no host is asked
        self._refused_until = 0.0  #: as a host said itself: nobody's waiting changes that
        self._asked_at = 0.0  #: boottime of the last fetch
        self._scrubbed = 0.0  #: boottime of the last scrub
        self._wanted: dict[str, float] = {}  #: key → boottime until which somebody is thought to wait for it
        self.failures = 0
        self.known: dict[str, object] = {}  #: the content worker's last word
        self.error: dict[str, str] | None = None
        self.got_at = 0.0  #: boottime of the last bytes that came
        self.full_today = False

    def start(self) -> None:
        """Look once, a little after everything else."""
        self._plan(FIRST_LOOK * (0.5 + chance()))

    def look(self, known: dict[str, object]) -> None:
        """The enforce worker may have written other wishes."""
        stamp = _stamp(self._wishes)
        if stamp != self._stamp and stamp:
            self._stamp = stamp
            self._soon()

    def configured(self) -> None:
        """agent.yaml, or what policy decides before it, was read."""
        before, self._configured = self._configured, [self._syncing.config.get(name) for name in NEWS]
        if before is not None and before != self._configured:
            self._soon()

    def touched(self) -> None:
        """The portal left a mark: somebody waits, or met damage."""
        self._not_before = max(self._refused_until, min(self._not_before, self._asked_at + ASK_AGAIN))
        self._soon()

    def want(self, key: str) -> None:
        """Somebody waits for this item. Raises ``not-found`` for one that is not meant for this laptop."""
        rows = self.known.get("items")
        keys = [row.get("key") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        if key not in keys:
            raise BookbagError("not-found", f"cannot fetch {key}: it is not among this laptop's content")
        if len(self._wanted) < MOST_WANTED:
            self._wanted[key] = boottime() + WANTED_SECONDS
        self.touched()

    @property
    def missing(self) -> list[object]:
        """Blobs that are to be fetched next."""
        return _missing(self.known)

    def sums(self) -> dict[str, object]:
        """For the reports: bytes that are ``here`` and that are ``missing``; empty until somebody looked."""
        sums = self.known.get("sums")
        return sums if isinstance(sums, dict) else {}

    def from_folder(self, folder: str, call: Call, code: int) -> None:
        """After a sync from ``folder``: bring in all the content that it has and this laptop lacks; then end
        ``call``."""
        if not _stamp(self._wishes):
            call.end(code)
            return
        turn = _Stick(self, folder, call, code)
        turn.look()

    def describe(self) -> dict[str, object]:
        """For the status: how much is here, and what is under way."""
        return {
            "counts": self.known.get("counts", {}),
            "used": self.known.get("used", 0),
            "room": self.known.get("room", 0),
            "missing": len(_missing(self.known)),
            "got_ago_s": int(boottime() - self.got_at) if self.got_at else None,
            "full_today": self.full_today,
        }

    # -- one turn after another

    def _soon(self) -> None:
        if self._busy:
            self._again = True
        else:
            self._plan(SOON)

    def _plan(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.after(seconds, self._begin)

    def _begin(self) -> None:
        self._timer = None
        wait = self._jobs.wait("content")
        if self._busy or wait:
            self._plan(max(wait, SOON))
            return
        self._stamp = _stamp(self._wishes)
        if not self._stamp:
            return  # nothing was ever offered: the next wishes wake us
        scrub = boottime() - self._scrubbed > content_look(chance()) and not self._closed()
        if scrub:
            self._scrubbed = boottime()
        self._submit("content", self.look_request("scrub" if scrub else "look"), self._looked)

    def look_request(self, op: str) -> dict[str, object]:
        """What the content worker is asked."""
        return {
            "op": op,
            "at": self._enforcing.trusted_now or 0,
            "quota": self._setting("content_room"),
            "share": self._setting("content_share"),
            "first": [key for key, until in self._wanted.items() if until > boottime()],
        }

    def fetch_request(self, *, folder: str = "") -> dict[str, object]:
        """What the sync worker is asked."""
        asked = self.known.get("asked") is True
        rate = self._setting("content_rate") * (ASKED_FACTOR if asked else 1)
        return {
            "op": "fetch",
            "urls": [] if folder else self._syncing.config.get("urls", []),
            "from": folder,
            "blobs": _missing(self.known),
            "again": self.known.get("damaged", []),
            "at": self._enforcing.certain_now or 0,
            "rate": 0 if folder else rate,
            "per_day": 0 if folder or asked else self._setting("content_per_day"),
            "seconds": STICK_SECONDS if folder else RUN_SECONDS,
        }

    def prune_request(self) -> dict[str, object] | None:
        """What the sync worker is asked when nothing is fetched now and the spool holds what was copied; else
        None."""
        if self.known.get("leftover") is not True or self._jobs.wait("sync"):
            return None
        return {"op": "prune", "blobs": _missing(self.known), "again": self.known.get("damaged", [])}

    def heard(self, job: Job) -> bool:
        """Take the content worker's word; False if it gave none."""
        self.error = job.error if job.code != 0 else None
        if job.error:
            self._log.write("warning", "content", code=job.error["code"], msg=job.error["message"])
        if not job.result:
            return False
        self.known = job.result
        damaged = job.result.get("scrubbed")
        if isinstance(damaged, list) and damaged:
            text = f"learning content on the disk is damaged and is fetched again (parts: {len(damaged)})"
            self._log.write("warning", "content", code="bad-content", msg=text, subject=str(damaged[0])[:80])
        self._wanted = {key: until for key, until in self._wanted.items() if until > boottime()}
        self._changed()
        return True

    def _submit(self, worker: str, request: dict[str, object], ended: Callable[[Job], None]) -> None:
        self._busy = True
        try:
            self._jobs.submit(Job(worker, request, ended))
        except BookbagError:
            self._busy = False
            self._plan(60.0)

    def _looked(self, job: Job) -> None:
        self._busy = False
        if not self.heard(job):
            self._plan(max(60.0, self._jobs.wait("content")))
        elif self._again:
            self._rest()
        elif self._is_to_fetch() and not self._pause():
            self._asked_at = boottime()
            self._submit("sync", self.fetch_request(), self._fetched)
        elif request := self.prune_request():
            self._submit("sync", request, self._pruned)
        else:
            self._rest()

    def _is_to_fetch(self) -> bool:
        return bool(_missing(self.known) and self._syncing.config.get("urls"))

    def _pause(self) -> float:
        """Seconds until hosts may be asked again; 0: they may be."""
        closed = self._closed()
        held = not self._setting("content_rate") or self.full_today or closed > 0
        wait = max(self._not_before - boottime(), self._jobs.wait("sync"))
        if wait <= 0 and (not held or self.known.get("asked") is True):
            return 0.0
        if closed:
            return max(wait, self._opening(closed))
        return max(wait, next_fetch(0, 0.0, chance()) if held else SOON)

    def _closed(self) -> float:
        """Seconds until the hours in which is done what nobody waits for; 0: at any time, or it is within
        them."""
        begin, length = (self._syncing.config.get(name) for name in ("work_begin", "work_minutes"))
        if not isinstance(begin, int) or not isinstance(length, int):
            return 0.0
        at = self._enforcing.trusted_now
        if at is None:
            return 60.0  # no run has judged the clock yet
        from datetime import UTC, datetime  # only where a school has such hours

        time.tzset()  # the laptop may have another zone by now
        local = datetime.fromtimestamp(at, UTC).astimezone()
        return opens_in(begin, length, (local.hour * 60 + local.minute) * 60 + local.second)

    def _opening(self, closed: float) -> float:
        return min(after_opening(closed, chance()), content_look(chance()))

    def _pruned(self, job: Job) -> None:
        """Whatever came of it: it is tried again after the next look, which is not sooner for it."""
        self._busy = False
        if job.error:
            self._log.write("warning", "fetch", code=job.error["code"], msg=job.error["message"])
        self._rest()

    def _rest(self) -> None:
        """Until there is a reason to look again."""
        if self._again:
            self._again = False
            self._plan(SOON)
        elif self._is_to_fetch():
            pause = self._pause()
            self.full_today = False  # whether the day is over is asked again then
            self._plan(max(pause, SOON))
        else:
            kept = self.known.get("kept") is True  # an old version, for who is reading it
            closed = self._closed()
            rest = self._opening(closed) if closed else content_look(chance())
            self._plan(KEPT_SECONDS if kept else rest)

    def _fetched(self, job: Job) -> None:
        self._busy = False
        got = job.result.get("gained")
        self.full_today = job.result.get("full") is True
        if isinstance(got, int) and got > 0:
            self.failures, self.got_at = 0, boottime()
            self._plan(SOON)
            return
        absent = job.result.get("absent")
        if job.error:
            self.error = job.error
            self._log.write("warning", "fetch", code=job.error["code"], msg=job.error["message"])
        after = job.result.get("retry_after")
        self.failures += 1 if job.result.get("answered") is True or absent else 0
        refused = float(after) if isinstance(after, int) else 0.0
        pause = next_fetch(self.failures, refused, chance())
        self._refused_until = boottime() + min(refused, pause)
        self._not_before = boottime() + pause
        self._plan(pause)
        self._changed()

    def _setting(self, name: str) -> int:
        value = self._syncing.config.get(name)
        return value if isinstance(value, int) else DEFAULTS[name]

    # -- for somebody who brings a stick

    def submit(
        self, worker: str, request: dict[str, object], ended: Callable[[Job], None], call: Call
    ) -> None:
        """Run a turn of a stick's; nothing of ours runs beside it in that lane anyway. Raises
        ``too-many``."""
        self._jobs.submit(Job(worker, request, ended, call.event))


class _Stick:
    """Content from a folder, turn by turn, until it has no more of what is missing."""

    __slots__ = ("_call", "_code", "_fetching", "_folder", "_got")

    def __init__(self, fetching: Fetching, folder: str, call: Call, code: int) -> None:
        self._fetching = fetching
        self._folder = folder
        self._call = call
        self._code = code
        self._got = True

    def look(self) -> None:
        """What is missing?"""
        self._next("content", self._fetching.look_request("look"), self._looked)

    def _looked(self, job: Job) -> None:
        well = self._fetching.heard(job)
        if well and self._got and _missing(self._fetching.known):
            self._next("sync", self._fetching.fetch_request(folder=self._folder), self._fetched)
        elif well and (request := self._fetching.prune_request()):
            self._next("sync", request, self._end)
        else:
            self._call.end(self._code or (0 if well else 1))

    def _end(self, pruned: Job) -> None:
        self._call.end(self._code)

    def _fetched(self, job: Job) -> None:
        got = job.result.get("gained")
        self._got = isinstance(got, int) and got > 0
        self.look()

    def _next(self, worker: str, request: dict[str, object], ended: Callable[[Job], None]) -> None:
        try:
            self._fetching.submit(worker, request, ended, self._call)
        except BookbagError as problem:
            self._call.error(problem.to_dict())
            self._call.end(1)


def _missing(known: dict[str, object]) -> list[object]:
    missing = known.get("missing")
    return missing if isinstance(missing, list) else []


def _stamp(path: str) -> tuple[int, ...]:
    """Tells one state of a file from another without reading it."""
    try:
        found = os.lstat(path)
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns
