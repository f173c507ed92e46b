"""Trusted time that survives restarts: what `agent.core.clock` remembers, in one small state file."""

from __future__ import annotations

from dataclasses import replace

from agent.core.clock import BUILD_TIME, ClockState, Now, Reading, TrustedClock, by_timetable
from agent.core.errors import BookbagError
from agent.host.base import Clock
from agent.store.statefile import StateFile


class ClockFile:
    """The trusted clock remembered at ``path``, reading the machine's ``clock``.

    A time is handed out only after it is on the disk, so that no power cut takes it back. But time is needed
    by everything else, so neither a damaged file nor a full disk stops it: a damaged one is set aside and
    time restarts from the build's, what cannot be written is kept by this object alone; ``trouble`` then
    holds the error, for the caller to report.
    """

    def __init__(self, path: str, clock: Clock, *, build_time: int = BUILD_TIME) -> None:
        self.trouble: BookbagError | None = None
        self._file = StateFile(path, ClockState, "clock")
        self._clock = clock
        self._build_time = build_time
        self._known: ClockState | None = None  # what could not be written

    def now(self) -> Now:
        """The time to act on, never earlier than any handed out before."""
        trusted, before = self._open()
        now = trusted.read(self._reading())
        self._remember(trusted.state, before)
        return now

    def by_timetable(self, now: Now) -> int | None:
        """The time that timetables go by, unix seconds; None where it is not known."""
        return by_timetable(now, self._reading())

    def believe_signed(self, at: int, *, root_expires: int, targets_expires: int, by: str = "") -> Now:
        """Take in the time of a *verified* signature of the online keys ``by``, up to the expiry of the
        verified root and targets; the new now."""
        trusted, before = self._open()
        trusted.read(self._reading())
        now = trusted.believe_signed(at, root_expires=root_expires, targets_expires=targets_expires, by=by)
        self._remember(trusted.state, before)
        return now

    def _open(self) -> tuple[TrustedClock, ClockState | None]:
        try:
            before = self._file.read()
        except BookbagError as problem:
            self.trouble, before = problem, None
        best = max(
            (s for s in (before, self._known) if s), key=lambda state: (state.floor, state.told), default=None
        )
        return TrustedClock(best, build_time=self._build_time), before

    def _remember(self, state: ClockState, before: ClockState | None) -> None:
        self._known = state
        if before and replace(state, boottime=before.boottime) == before:
            return  # the same second again
        try:
            self._file.write(state)
        except BookbagError as problem:
            self.trouble = problem

    def _reading(self) -> Reading:
        clock = self._clock
        return Reading(clock.wall(), clock.boottime(), clock.boot_id(), clock.synchronised())
