"""What a new version of a file has in common with the old one: runs of bytes, found by looking ahead for
anchors.

Made for what people do to files, insert, cut and overwrite here and there, on files of any size: nearly all
of the work is comparing and finding in C. Runs that moved elsewhere are not found; they are then stored anew.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass

Bytes = bytes | mmap.mmap

SHORTEST = 256  #: bytes: a shorter run costs about as much to note as to store
ANCHOR = 48  #: bytes that have to be found again
FARTHEST = 4 << 20  #: bytes that are looked ahead for one
_STEP = 64 << 10
#: How far behind the difference in the old file an anchor is taken.
_AHEAD = (0, 48, 200, 1000, 4000, 16_000, 64_000, 256_000, 1_000_000, FARTHEST)


@dataclass(frozen=True, slots=True)
class Run:
    """``length`` bytes at ``old`` in the old file are those at ``new`` in the new one."""

    old: int
    new: int
    length: int


def runs(old: Bytes, new: Bytes) -> Iterator[Run]:
    """What ``new`` shares with ``old``, in order."""
    tail = _same_before(old, len(old), new, len(new), min(len(old), len(new)))
    old_end, new_end = len(old) - tail, len(new) - tail
    at, to = 0, 0
    while to < new_end and at < old_end:
        length = _same_from(old, at, old_end, new, to, new_end)
        if length >= SHORTEST:
            yield Run(at, to, length)
        at, to = at + length, to + length
        again = _resume(old, at, old_end, new, to, new_end)
        if again is None:
            break
        at, to = again
    if tail >= SHORTEST:
        yield Run(old_end, new_end, tail)


def _same_from(old: Bytes, at: int, old_end: int, new: Bytes, to: int, new_end: int) -> int:
    """How many bytes are the same from here on."""
    most = min(old_end - at, new_end - to)
    done = 0
    while done < most:
        step = min(_STEP, most - done)
        if old[at + done : at + done + step] != new[to + done : to + done + step]:
            return done + _first_difference(old, at + done, new, to + done, step)
        done += step
    return done


def _first_difference(old: Bytes, at: int, new: Bytes, to: int, within: int) -> int:
    low, high = 0, within  # the same before low, different before high
    while high - low > 1:
        middle = (low + high) // 2
        if old[at + low : at + middle] == new[to + low : to + middle]:
            low = middle
        else:
            high = middle
    return low


def _same_before(old: Bytes, at: int, new: Bytes, to: int, most: int) -> int:
    """How many bytes are the same right before here."""
    done = 0
    while done < most:
        step = min(_STEP, most - done)
        if old[at - done - step : at - done] != new[to - done - step : to - done]:
            low, high = 0, step
            while high - low > 1:
                middle = (low + high) // 2
                if old[at - done - middle : at - done - low] == new[to - done - middle : to - done - low]:
                    low = middle
                else:
                    high = middle
            return done + low
        done += step
    return done


def _resume(old: Bytes, at: int, old_end: int, new: Bytes, to: int, new_end: int) -> tuple[int, int] | None:
    """Where the two are the same again after a difference at (``at``, ``to``); None if it is not in sight."""
    for ahead in _AHEAD:
        start = at + ahead
        if start + ANCHOR > old_end:
            return None
        found = new.find(old[start : start + ANCHOR], to, min(new_end, to + ahead + FARTHEST))
        if found >= 0:
            back = _same_before(old, start, new, found, min(ahead, found - to))
            return start - back, found - back
    return None
