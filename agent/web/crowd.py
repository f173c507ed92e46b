"""Who makes room when every place is taken: whoever does least with theirs, and first of those who hold more
than their share.

A whole school may be behind one address, so a share is half of all places, and counts only while there is no
other place left.
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Hashable, Iterable

from agent.web.connection import Connection, State
from agent.web.http import Ends

PATIENCE = 5.0  #: seconds in which nobody is called slow


def address(ends: Ends) -> Hashable:
    """Whose connection it is, as far as an address tells. Of IPv6 its first half: the other one is the
    client's to choose.
    """
    host = ends.client[0]
    if ":" not in host:
        return host
    packed = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    mapped = packed.startswith(bytes(10) + b"\xff\xff")  # IPv4, as a socket for both families spells it
    return socket.inet_ntoa(packed[12:]) if mapped else packed[:8]


def leaving(connections: Iterable[Connection], newcomer: Hashable, now: float) -> Connection | None:
    """Whom to close for a new connection of ``newcomer``; None if everybody is being answered, and well.

    Whoever holds more than half of all places loses one, also one that is in good use; whoever comes with
    half of them in use already displaces no one else. Then go, in this order: those who wait or dawdle, for
    longest first; answers and bodies under way, the slowest first; those who only just came.
    """
    everybody = list(connections)
    held = Counter(one.peer for one in everybody)
    share = len(everybody) // 2
    greedy = next((peer for peer, count in held.items() if count > share), None) if share else None
    if share and held[newcomer] >= share:
        among, any_one = [one for one in everybody if one.peer == newcomer], False
    elif greedy is not None:
        among, any_one = [one for one in everybody if one.peer == greedy], True
    else:
        among, any_one = everybody, False
    ranked = [(_rank(one, now), number) for number, one in enumerate(among)]
    rank, number = min(ranked, default=((_BUSY, 0.0), -1))
    return among[number] if rank[0] < _BUSY or any_one else None


_IDLE, _WAITS, _SLOW, _NEW, _BUSY = range(5)


def _rank(one: Connection, now: float) -> tuple[int, float]:
    """The least goes first."""
    fresh = now - one.since < PATIENCE
    if one.state is State.SEND:
        return (_BUSY, one.since) if fresh else (_SLOW, one.flow(now))
    if fresh:
        return _NEW, one.since
    if one.state is State.BODY:
        return _SLOW, one.flow(now)
    return _IDLE if one.idle else _WAITS, one.since
