"""Daily tallies: what is like usage leaves the laptop as one number for a whole day that is over."""

from __future__ import annotations

from dataclasses import replace

from agent.telemetry.memory import Memory, Tally

DAY = 86_400


def count(memory: Memory, at: int, boot: str, cpu: tuple[int, int] | None) -> Memory:
    """What was seen at ``at`` (trusted time) in boot ``boot``; ``cpu``: (busy, whole) since that boot.

    What happened since the last look counts for the day of this look. A clock that was put right can make a
    day end early or go on; no day is told twice, and none from before a gap.
    """
    day = at // DAY
    today, yesterday = memory.today, memory.yesterday
    if today.day != day:
        yesterday = today if today.day == day - 1 else Tally()
        today = Tally(day)
    if yesterday.day != day - 1:
        yesterday = Tally()
    busy, whole = cpu or (memory.busy, memory.whole)
    same = boot == memory.boot
    gone = (busy - memory.busy, whole - memory.whole) if same else (busy, whole)
    if min(gone) >= 0 and cpu is not None:
        today = replace(today, busy=today.busy + gone[0], whole=today.whole + gone[1])
    if not same:
        today = replace(today, boots=today.boots + 1)
    return replace(memory, today=today, yesterday=yesterday, boot=boot, busy=busy, whole=whole)
