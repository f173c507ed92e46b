"""What the engine remembers between runs: how things stood, how often each had to be healed, and how fast
(flapping).

Something that changes a managed thing again and again is not fought at full speed. Each resource has a
bucket of heals: 30, refilled by one every two minutes. When it is empty the resource is left alone for
a minute, then two, four, … an hour, and is named. A bucket that is full again forgets the pause. So a
person can try twenty times in a lesson and is undone at once each time; a program that loops is met
with patience.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

BUCKET = 30
REFILL_S = 120
FIRST_PAUSE_S = 60
LONGEST_PAUSE_S = 3600
#: After a write that did not take effect, how long until it is written again.
EFFECT_PAUSE_S = 900
#: Beyond it heals are not counted any more: there is nothing more to learn from them.
MOST_HEALS = 1_000_000


@dataclass(frozen=True, slots=True)
class Flap:
    """One resource's heals. Times are trusted unix seconds."""

    spent: int = 0  #: heals taken out of the bucket and not refilled yet
    at: int = 0  #: when ``spent`` was true; refilling counts from here
    pause_s: int = 0  #: the last pause; the next one is twice that
    until: int = 0  #: left alone until then
    why: str = ""  #: "flapping" or "not-effective"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a resource stood after the last run."""

    outcome: str
    since: int  #: trusted time when it came to stand so under this value
    value: str  #: digest of what was desired
    text: str = ""


@dataclass(frozen=True, slots=True)
class Heals:
    """How often a resource was put back since policy wants it as it does now, and when last."""

    times: int  #: at most MOST_HEALS
    last: int  #: trusted unix seconds


@dataclass(frozen=True, slots=True)
class EngineState:
    """The state file ``engine``."""

    flaps: Mapping[str, Flap] = field(default_factory=dict)
    standing: Mapping[str, Standing] = field(default_factory=dict)
    policy: str = ""  #: fingerprint of the policy that everything was last compared with; "": of none
    heals: Mapping[str, Heals] = field(default_factory=dict)  #: of those that ever were


class Memory(Protocol):
    """Where the state is kept: a `StateFile[EngineState]`."""

    def read(self) -> EngineState | None:
        """What was written last; None if nothing was."""
        ...

    def write(self, value: EngineState) -> None:
        """Keep durably."""
        ...


def counted(heals: Heals | None, now: int) -> Heals:
    """One heal more, at ``now``."""
    return Heals(min(MOST_HEALS, (heals.times if heals else 0) + 1), now)


def _refilled(flap: Flap, now: int) -> Flap:
    refill = max(0, now - flap.at) // REFILL_S
    if refill >= flap.spent:
        return Flap(until=flap.until, why=flap.why, pause_s=flap.pause_s if flap.until > now else 0)
    return replace(flap, spent=flap.spent - refill, at=flap.at + refill * REFILL_S)


def healed(flap: Flap | None, now: int) -> Flap:
    """The bucket after one more heal at ``now``; if that emptied it, with a pause twice the last."""
    flap = _refilled(flap or Flap(), now)
    spent, at = flap.spent + 1, flap.at if flap.spent else now
    if spent < BUCKET:
        return Flap(spent, at, flap.pause_s, 0)
    pause = min(max(FIRST_PAUSE_S, 2 * flap.pause_s), LONGEST_PAUSE_S)
    # One heal is left for when the pause is over: if that does not hold either, the next pause is longer.
    return Flap(BUCKET - 1, now + pause, pause, now + pause, "flapping")


def ineffective(flap: Flap | None, now: int) -> Flap:
    """The bucket after a write that did not take effect."""
    return replace(flap or Flap(), until=now + EFFECT_PAUSE_S, why="not-effective")


def paused(flap: Flap | None, now: int) -> str:
    """Why a resource is left alone at ``now``; empty if it is not. A clock that jumped back ends a pause."""
    if flap is None or not now < flap.until <= now + LONGEST_PAUSE_S:
        return ""
    return flap.why
