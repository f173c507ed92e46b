"""What the portal keeps for each student: where they stopped in each item, and their favourites. One file
per person, which only that person's own requests read or write.

Positions are ordered by a counter, not by a clock, because clocks are wrong. Nothing is kept for guests.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from agent.core.errors import BookbagError
from agent.portal.people import Who
from agent.store.statefile import StateFile
from agent.web.rates import Rates

MOST_PLACES = 200  #: the oldest are forgotten
MOST_FAVOURITES = 200
LONGEST_PAGE = 500  #: characters
LONGEST_ITEM = 100  #: characters
#: Writes that may follow each other at once, and seconds that earn one more: each waits for the disk.
BURST, REFILL = 20, 1.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody stopped. ``page`` is a file of the item or a page's number, ``second`` the time in a
    film."""

    order: int  #: greater: later
    page: str = ""
    second: int = 0
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """The state file of one student."""

    places: Mapping[str, Place] = field(default_factory=dict)  #: item → where
    favourites: tuple[str, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)

    def latest(self) -> tuple[str, ...]:
        """The items that were opened, the last one first."""
        return tuple(sorted(self.places, key=lambda item: -self.places[item].order))


class Keeping:
    """All students' files in ``folder``."""

    def __init__(self, folder: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._rates = Rates(BURST, REFILL)

    def read(self, who: Who) -> Kept:
        """What is kept for ``who``; nothing for a guest, and nothing where the file is damaged (it is set
        aside)."""
        if who.is_guest:
            return Kept()
        try:
            return self._file(who).read() or Kept()
        except BookbagError:
            return Kept()

    def stopped(self, who: Who, item: str, *, page: str = "", second: int = 0) -> None:
        """Note where ``who`` stopped in ``item``. Raises ``too-many`` if that comes too often,
        ``disk-full`` and the like; ``bad-argument`` for what is no position."""
        if len(page) > LONGEST_PAGE or len(item) > LONGEST_ITEM or not 0 <= second < 1 << 31:
            raise BookbagError("bad-argument", "cannot keep this position")
        kept = self.read(who)
        before = kept.places.get(item)
        latest = max((one.order for one in kept.places.values()), default=0)
        if before and (before.page, before.second, before.order) == (page, second, latest):
            return
        places = {**kept.places, item: Place(latest + 1, page, second)}
        for old in sorted(places, key=lambda one: places[one].order)[:-MOST_PLACES]:
            del places[old]
        self._write(who, replace(kept, places=places))

    def favour(self, who: Who, item: str, *, on: bool) -> None:
        """Make ``item`` a favourite, or no longer. Raises as `stopped`."""
        if len(item) > LONGEST_ITEM:
            raise BookbagError("bad-argument", "cannot keep this as a favourite")
        kept = self.read(who)
        others = tuple(one for one in kept.favourites if one != item)
        favourites = (item, *others)[:MOST_FAVOURITES] if on else others
        if favourites != kept.favourites:
            self._write(who, replace(kept, favourites=favourites))

    def forget(self, who: Who) -> None:
        """Forget everything kept for ``who``."""
        if not who.is_guest:
            self._file(who).remove()

    def _write(self, who: Who, kept: Kept) -> None:
        if who.is_guest:
            return
        if self._rates.wait(who.key, self._clock()):
            raise BookbagError("too-many", "cannot keep that many positions", remedy="try again in a moment")
        self._file(who).write(kept)

    def _file(self, who: Who) -> StateFile[Kept]:
        return StateFile(f"{self._folder}/{int(who.key)}.json", Kept, "student")
