"""Trusted time, without IO: what a reading of the system clock is worth, given what is known to have passed.

The floor is a moment that has certainly passed: the greatest of the build's time, the newest signed time
believed, and what was last persisted. Since then at least ``elapsed`` seconds of boottime went by (after a
restart: the seconds since that boot). A system clock within 30 days above floor + elapsed is good. One
further ahead is *suspect*: then now is floor + elapsed, and the clock raises no floor, until NTP or newer
signed time agrees. One behind is simply not used.

Neither signed time nor NTP is believed beyond the expiry of the newest root and targets: signed time because
the online key may be stolen, NTP because it is not authenticated. Time that came in this way can be healed by
newer offline signatures; a floor in 2099 never could.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

DAY = 86_400
#: How far, in seconds, the system clock may be ahead of what is known to have passed.
TOLERANCE = 30 * DAY
#: 2026-11-20T00:00:00Z. No laptop runs this code before it was written; the release build moves it forward.
BUILD_TIME = 1_795_132_800


@dataclass(frozen=True, slots=True)
class Reading:
    """What the machine's clocks say at one moment."""

    wall: int  #: the system clock, unix seconds; may be wrong by decades
    boottime: int  #: seconds since boot, suspend included
    boot_id: str  #: differs with every boot; "" if the machine cannot tell
    synchronised: bool  #: NTP disciplines the clock


@dataclass(frozen=True, slots=True)
class Now:
    """The time to act on, unix seconds. ``suspect`` lapses no lease, arms no wipe, and means the strictest
    schedule."""

    at: int
    quality: Literal["good", "suspect"]
    floor: int  #: certainly passed


@dataclass(frozen=True, slots=True)
class ClockState:
    """What is remembered between runs: at ``boottime`` of boot ``boot_id``, ``floor`` had certainly
    passed."""

    floor: int
    boottime: int = 0
    boot_id: str = ""
    ceiling: int = 0  #: the earlier expiry of the newest root and targets; 0 before there were any


class TrustedClock:
    """Judges readings one after another. ``state`` is what to persist; every ``Now`` handed out is covered by
    it."""

    def __init__(self, state: ClockState | None = None, *, build_time: int = BUILD_TIME) -> None:
        self.state = state or ClockState(build_time)
        self._build_time = build_time
        self._reading: Reading | None = None

    def read(self, reading: Reading) -> Now:
        """The time now, never earlier than what an earlier call gave."""
        passed = max(self._build_time, self.state.floor + _elapsed(self.state, reading))
        good = self._believable(reading, passed)
        at = max(passed, reading.wall) if good else passed
        self.state = replace(self.state, floor=at, boottime=reading.boottime, boot_id=reading.boot_id)
        self._reading = reading
        return Now(at, "good" if good else "suspect", at)

    def believe_signed(self, at: int, *, root_expires: int, targets_expires: int) -> Now:
        """Take in the time (unix seconds) of a verified signature, believed up to the expiry of the verified
        root and targets, and judge the last reading anew. Call after `read`."""
        if self._reading is None:
            raise ValueError("signed time is weighed against a reading: call read first")
        ceiling = min(root_expires, targets_expires)
        self.state = replace(self.state, floor=max(self.state.floor, min(at, ceiling)), ceiling=ceiling)
        return self.read(self._reading)

    def _believable(self, reading: Reading, passed: int) -> bool:
        if reading.wall <= passed + TOLERANCE:
            return True
        return reading.synchronised and (not self.state.ceiling or reading.wall <= self.state.ceiling)


def _elapsed(state: ClockState, reading: Reading) -> int:
    """Seconds that certainly went by since the floor was noted."""
    if not (reading.boot_id and state.boot_id):
        return (
            0  # boots have no name here; or nothing is noted yet, and the build may be younger than the boot
        )
    since = state.boottime if reading.boot_id == state.boot_id else 0
    return max(0, reading.boottime - since)
