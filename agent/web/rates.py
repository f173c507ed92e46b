"""How often each may come: so many times at once, then one more now and then."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

MOST = 20_000  #: of those who come that are remembered


class Rates:
    """One rule for all. ``refill``: seconds that earn one more. Every ``now`` is of one clock, in seconds."""

    def __init__(self, burst: int, refill: float) -> None:
        self._burst = float(burst)
        self._refill = refill
        self._known: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def wait(self, who: Hashable, now: float) -> int:
        """Count one of ``who``; the seconds to wait if it is one too many."""
        left, at = self._known.get(who, (self._burst, now))
        left = min(self._burst, left + max(0, now - at) / self._refill)
        over = left < 1
        self._known[who] = (left if over else left - 1, now)
        self._known.move_to_end(who)
        if len(self._known) > MOST:
            self._known.popitem(last=False)
        return round((1 - left) * self._refill) + 1 if over else 0

    def give_back(self, who: Hashable) -> None:
        """Count one less of ``who``: it is counted elsewhere."""
        if who in self._known:
            left, at = self._known[who]
            self._known[who] = min(self._burst, left + 1), at
