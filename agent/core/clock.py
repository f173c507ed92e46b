"""Trusted time, without IO: what a reading of the system clock is worth, given what is known to have passed.

Two moments are remembered. The *floor* has certainly passed: the build's time, and what the system clock
said while it was plausible. *Told* time rests on somebody's word: the newest time signed by the site's online
keys, or NTP. Since either at least ``elapsed`` seconds of boottime went by (after a restart: the seconds
since that boot); now is the later of the two. A system clock within 30 days above one of them is good and
moves that one. One further ahead is *suspect*: it moves nothing, until NTP or newer signed time agrees. One
behind is simply not used.

Told time is kept apart because it can be a lie: online keys are stolen, NTP is not authenticated. It is never
believed beyond the expiry of the newest root and targets (NTP not at all before there are any), and it falls
when two persons replace the keys that told it. In no other way does time go backwards.
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
    floor: int  #: certainly passed, whoever told what


@dataclass(frozen=True, slots=True)
class ClockState:
    """What is remembered between runs: at ``boottime`` of boot ``boot_id``, ``floor`` had certainly passed,
    and ``told`` had according to those who told it."""

    floor: int
    boottime: int = 0
    boot_id: str = ""
    ceiling: int = 0  #: the earlier expiry of the newest root and targets; 0 before there were any
    told: int = 0  #: 0: nobody told anything
    told_by: str = ""  #: the online keys whose word the told time is; "" before there was any


def by_timetable(now: Now, reading: Reading) -> int | None:
    """The time that timetables go by, unix seconds; None where it is not known.

    Unlike `Now` it may go back: a clock that once was an hour ahead, as that of a machine with two systems,
    must not move lessons until the hour is over. Only NTP puts it back, and by a day at most. A clock further
    behind than that has stopped: how long the laptop lay in a bag is then unknown.
    """
    behind = now.at - reading.wall
    if now.quality == "suspect" or behind > DAY:
        return None
    return reading.wall if behind > 0 and reading.synchronised else now.at


class TrustedClock:
    """Judges readings one after another. ``state`` is what to persist; every ``Now`` handed out is covered by
    it."""

    def __init__(self, state: ClockState | None = None, *, build_time: int = BUILD_TIME) -> None:
        self.state = state or ClockState(build_time)
        self._build_time = build_time
        self._reading: Reading | None = None

    def read(self, reading: Reading) -> Now:
        """The time now, never earlier than what an earlier call gave."""
        elapsed = _elapsed(self.state, reading)
        floor = max(self._build_time, self.state.floor + elapsed)
        told = self.state.told + elapsed if self.state.told else 0
        wall, good = reading.wall, True
        if wall <= floor + TOLERANCE:
            floor = max(floor, wall)
        elif (told and wall <= told + TOLERANCE) or (reading.synchronised and wall <= self.state.ceiling):
            told = max(told, wall)
        else:
            good = False
        self.state = replace(
            self.state, floor=floor, told=told, boottime=reading.boottime, boot_id=reading.boot_id
        )
        self._reading = reading
        return Now(max(floor, told), "good" if good else "suspect", floor)

    def believe_signed(self, at: int, *, root_expires: int, targets_expires: int, by: str = "") -> Now:
        """Take in the time (unix seconds) of a verified signature of the online keys ``by``, believed up to
        the expiry of the verified root and targets, and judge the last reading anew. Call after `read`.

        Other keys than those that told the time so far: two persons replaced them; what they told is void.
        """
        if self._reading is None:
            raise ValueError("signed time is weighed against a reading: call read first")
        ceiling = min(root_expires, targets_expires)
        before = 0 if self.state.told_by not in ("", by) else self.state.told
        told = max(before, min(at, ceiling))
        self.state = replace(self.state, told=told, told_by=by or self.state.told_by, ceiling=ceiling)
        return self.read(self._reading)


def day(at: int) -> str:
    """The day of ``at``, unix seconds, in UTC: YYYY-MM-DD."""
    from datetime import UTC, datetime  # only who tells days pays for it

    return datetime.fromtimestamp(at, UTC).date().isoformat()


def _elapsed(state: ClockState, reading: Reading) -> int:
    """Seconds that certainly went by since the floor was noted."""
    if not (reading.boot_id and state.boot_id):
        return (
            0  # boots have no name here; or nothing is noted yet, and the build may be younger than the boot
        )
    since = state.boottime if reading.boot_id == state.boot_id else 0
    return max(0, reading.boottime - since)
