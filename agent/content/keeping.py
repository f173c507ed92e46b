"""What is kept where there is not room for everything: a pure rule, so that a table can test it.

First what is pinned, then what is due within two weeks, soonest first, then what somebody opened lately,
newest first. Of the rest, what is here stays before what would have to be fetched: the dearer it was to fetch
the rather; of what is not here, the small comes first. Whatever fits, in that order, is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.content.wishes import Wish

LATELY = 30 * 86_400  #: seconds since somebody opened it
SOON = 14 * 86_400
LEAST_FREE = 2 << 30  #: bytes of the disk that learning content never takes
DEFAULT_SHARE = 50  #: percent of what the disk has free, learning content counted as free


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of an item here. ``opened``: seconds since somebody last opened it; None: never."""

    here: int = 0  #: bytes of it that are here
    former: int = 0  #: bytes of an older version that opens here; 0: none does
    opened: int | None = None
    asked: bool = False  #: somebody waits for it now


@dataclass(frozen=True, slots=True)
class Kept:
    """The decision. ``order``: what is kept, the most valuable first; ``lacking``: item → bytes that it would
    need and there are not; ``staying``: those of them whose older version stays, since for that there is
    room."""

    order: tuple[str, ...]
    lacking: Mapping[str, int]
    staying: frozenset[str] = frozenset()


def decide(wishes: Sequence[Wish], standings: Mapping[str, Standing], room: int, today: str) -> Kept:
    """Choose what to keep within ``room`` bytes. ``today``: a date such as ``2027-03-01``; "": not known."""
    order, lacking = [], {}
    staying = set()
    left = room
    for wish in sorted(wishes, key=lambda one: _value(one, standings.get(one.key, Standing()), today)):
        former = standings.get(wish.key, Standing()).former
        needed = wish.stored + wish.manifest_size
        if needed <= left:
            left -= needed
            order.append(wish.key)
        else:
            lacking[wish.key] = needed - left
            if 0 < former <= left:
                left -= former
                staying.add(wish.key)
    return Kept(tuple(order), lacking, frozenset(staying))


def room(quota: int, share: int, used: int, free: int) -> int:
    """Bytes that learning content may take: ``quota`` if it is not 0, else ``share`` percent of what is free
    and what it takes already; and never so much that the disk has less than `LEAST_FREE` left."""
    allowed = quota or (used + free) * share // 100
    return max(0, min(allowed, used + free - LEAST_FREE))


def _value(wish: Wish, standing: Standing, today: str) -> tuple[object, ...]:
    """Smaller is more valuable."""
    due = _days_to(wish.due, today)
    soon = due is not None and 0 <= due * 86_400 <= SOON
    lately = standing.opened is not None and standing.opened <= LATELY
    here = standing.here >= wish.stored > 0
    return (
        not standing.asked,
        not wish.pin,
        due if soon and due is not None else SOON,
        standing.opened if lately and standing.opened is not None else LATELY + 1,
        not here,
        -wish.stored if here else wish.stored,
        wish.key,
    )


def _days_to(due: str, today: str) -> int | None:
    """Whole days, by the calendar; None where either is no date."""
    if not due or not today:
        return None
    import datetime

    try:
        return (datetime.date.fromisoformat(due) - datetime.date.fromisoformat(today)).days
    except ValueError:
        return None
