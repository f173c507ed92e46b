"""The resident process: a loop, a socket, and parts that each keep one thing as it should be. Everything
heavy is a worker.
"""

from __future__ import annotations

import ctypes
import os
import signal

from agent.daemon.asking import Asking
from agent.daemon.commanding import Commanding
from agent.daemon.confirming import Confirming
from agent.daemon.control import Control
from agent.daemon.enforcing import Enforcing
from agent.daemon.fetching import Fetching
from agent.daemon.jobs import Job, Jobs
from agent.daemon.log import Log
from agent.daemon.loop import Loop
from agent.daemon.notify import Notify
from agent.daemon.reporting import Reporting
from agent.daemon.status import Snapshot, compose, headline
from agent.daemon.syncing import Syncing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.core.layout import Layout
    from agent.daemon.control import Call
    from agent.host.base import Watch, Workers

REREAD_SECONDS = 0.2
SNAPSHOT_SECONDS = 0.5  #: that changes are gathered before status.json is written


class Supervisor:
    """Joins the parts; they meet here and in nothing else. ``workers`` and ``watch`` come from
    `agent.daemon.wiring`, ``answer`` (what is asked at the socket) from `agent.daemon.routes`.
    """

    def __init__(
        self,
        layout: Layout,
        workers: Workers,
        watch: Watch | None,
        log: Log,
        notify: Notify,
        answer: Callable[[Supervisor, Call], None],
    ) -> None:
        self._layout = layout
        self._answering = answer
        self._log = log
        self._notify = notify
        self._config_error: dict[str, str] | None = None
        self._snapshot = Snapshot(f"{layout.public}/status.json")
        self._snapshot_due = False
        self._rereading = False
        self._outbox = 0  #: returns that waited when last heard of
        self.loop = Loop(log.defect)
        self.jobs = Jobs(self.loop, workers, log)
        self.enforcing = Enforcing(self.loop, self.jobs, watch, log, self._changed)
        self.syncing = Syncing(self.loop, self.jobs, self.enforcing, log, self._changed)
        self.reporting = Reporting(
            layout, self.loop, self.jobs, self.enforcing, self.syncing, log, self._changed
        )
        self.fetching = Fetching(
            layout, self.loop, self.jobs, self.enforcing, self.syncing, log, self._changed
        )
        self.syncing.adds = self.reporting.for_round
        self.syncing.then = self.fetching.from_folder
        self.confirming = Confirming(self.loop, self.enforcing, self.syncing)
        self.enforcing.adds = self.confirming.for_run
        self.syncing.heard = self._round_ended
        self.reporting.content = self.fetching.sums
        self.commanding = Commanding(self.loop, self.jobs, log, self._changed)
        self.commanding.arranged = self.enforcing.arranged
        self.commanding.session_changed = self.enforcing.judge
        self.asking = Asking(layout, self.loop, self.jobs, log, self._changed)
        self.asking.chosen = self.enforcing.judge
        self.syncing.obeyed = self.commanding.then
        #: Each has a ``name`` in the status, `look` at word and what is enforced, `describe`, an ``error``.
        self.parts = (self.commanding, self.confirming, self.fetching, self.reporting, self.asking)

    def run(self) -> None:
        """Until SIGTERM or SIGINT."""
        control = Control(self.loop, self._layout.control_socket, self._answer)
        try:
            for number in (signal.SIGTERM, signal.SIGINT):
                self.loop.on_signal(number, self.loop.stop)
            self.loop.on_signal(signal.SIGHUP, self.reload)
            for path in (self._layout.agent_yaml, f"{self._layout.public}/agent.json"):
                self.enforcing.also[path.removeprefix(self._layout.root)] = self._touched
            # before anything that could be broken by configuration or network
            self.commanding.start(remembered=os.path.exists(self._layout.state_file("commands")))
            news = f"{self._layout.content}/opened/news"
            self.enforcing.also[news.removeprefix(self._layout.root)] = self.fetching.touched
            self.enforcing.also[self.asking.news.removeprefix(self._layout.root)] = self.asking.touched
            self.enforcing.start()
            self.reload()
            self.asking.start()
            self.fetching.start()
            if self._notify.watchdog_interval:
                self._sign_of_life()
            self._notify.ready("starting")
            self._log.write("info", "started", msg=f"pid {os.getpid()}")
            self.loop.run()
        finally:
            self._notify.stopping()
            control.close()
            self.jobs.stop()
            self.enforcing.stop()
            self.loop.close()
            self._notify.close()
            self._log.write("info", "stopped")

    def status(self) -> dict[str, object]:
        """How this laptop stands."""
        return compose(self.enforcing, self.syncing, self.jobs, self._config_error, self.parts)

    def reload(self, on_end: Callable[[Job], None] | None = None) -> None:
        """Read agent.yaml again; a broken one leaves the last good configuration in force."""

        def ended(job: Job) -> None:
            self._config_error = job.error
            if job.result:
                self.syncing.configured(job.result)
                self.reporting.configured()
                self.fetching.configured()
            if job.error:
                self._log.write("error", "configure", code=job.error["code"], msg=job.error["message"])
                if not job.result:
                    self.loop.after(max(60.0, self.jobs.wait("configure")), self._configure_again)
            self._changed()
            if on_end is not None:
                on_end(job)

        self.jobs.submit(Job("configure", {"op": "configure"}, ended))

    def _round_ended(self, job: Job) -> None:
        self.reporting.round_ended(job)
        self.confirming.round_ended(job)

    def _touched(self) -> None:
        """agent.yaml, or what policy decides before it, was written, or may have been: read it once whoever
        writes has had a moment to finish.
        """
        if not self._rereading:
            self._rereading = True
            self.loop.after(REREAD_SECONDS, self._reread)

    def _reread(self) -> None:
        self._rereading = False
        self.reload()

    def _configure_again(self) -> None:
        if self._config_error is not None and not self.syncing.config:
            self.reload()

    def _answer(self, call: Call) -> None:
        self._answering(self, call)

    def _sign_of_life(self) -> None:
        self._notify.alive()
        self.loop.after(self._notify.watchdog_interval, self._sign_of_life)

    def _changed(self) -> None:
        """A part has news: the status is written soon, and a return that has just been made is delivered
        soon.
        """
        for part in self.parts:
            part.look({**self.enforcing.known, **self.enforcing.word})
        told = self.enforcing.known.get("outbox")
        outbox = max(told if isinstance(told, int) else 0, self.commanding.outbox, self.asking.outbox)
        if outbox > self._outbox:
            self.syncing.soon()
        self._outbox = outbox
        if not self._snapshot_due:
            self._snapshot_due = True
            self.loop.after(SNAPSHOT_SECONDS, self._write_snapshot)

    def _write_snapshot(self) -> None:
        self._snapshot_due = False
        status = self.status()
        self._notify.status(headline(status))
        try:
            self._snapshot.write(status)
        except OSError as problem:
            self._log.write("warning", "status-file", code="disk-full", msg=str(problem))
        _give_memory_back()


def _give_memory_back() -> None:
    """Bursts (a long watch list, a big reply) leave free pages behind; glibc keeps them unless asked."""
    try:  # noqa: SIM105  # contextlib stays out of the resident
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):
        pass  # another libc
