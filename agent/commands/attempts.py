"""Codes that people type into a locked laptop: a few at once, then ever more slowly, and a restart refunds
none.

=======================  ==================================
wrong codes in a row     the next one is looked at after
=======================  ==================================
1 to 4                   at once
5, 6, 7, …               1 min, 2 min, 4 min …, at most 1 h
=======================  ==================================

The wait is measured on the clock that counts since boot; after a restart all of it begins again.
"""

from __future__ import annotations

from dataclasses import replace

from agent.commands.holding import Hold
from agent.core.errors import BookbagError
from agent.host.base import Clock

FREE = 4
FIRST, LONGEST = 60, 3600  #: seconds


def left(hold: Hold, clock: Clock) -> int:
    """Seconds until a code is looked at."""
    if not hold.wait_s:
        return 0
    until = hold.wait_until if hold.boot_id == clock.boot_id() else hold.wait_s
    return min(max(0, until - clock.boottime()), hold.wait_s)


def check_allowed(hold: Hold, clock: Clock) -> None:
    """Raises ``too-soon`` while no code is looked at."""
    seconds = left(hold, clock)
    if seconds:
        raise BookbagError(
            "too-soon",
            f"cannot look at a code yet: {hold.wrong} wrong ones were entered",
            remedy=f"wait {seconds} s",
        )


def counted(hold: Hold, clock: Clock) -> Hold:
    """The same after one more attempt, to be stored before the code is looked at: whoever cuts the power then
    has used it up."""
    wrong = hold.wrong + 1
    wait = min(FIRST << min(wrong - FREE - 1, 10), LONGEST) if wrong > FREE else 0
    return replace(
        hold, wrong=wrong, wait_s=wait, wait_until=clock.boottime() + wait, boot_id=clock.boot_id()
    )
