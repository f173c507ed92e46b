"""How fast, and how much in a day: learning content must not take the line that a school lives on.

The day's count is kept in the spool, for whoever fetches to hold itself to; losing it costs one day's worth.
Days are those of trusted time, in UTC.
"""

from __future__ import annotations

import json
import time

from agent.core import durable
from agent.core.errors import BookbagError
from agent.core.jsontext import parse

DAY = 86_400
SAVE_EVERY = 4 << 20  #: bytes between two notes of the day's count


class Meter:
    """Bytes fetched on the day of ``at`` (trusted time), noted in the file at ``path``. ``most`` 0: no
    bound."""

    def __init__(self, path: str, at: int, most: int) -> None:
        self._path = path
        self._day = at // DAY
        self._most = most
        self._unsaved = 0
        self.bytes = self._load()

    @property
    def left(self) -> int:
        """Bytes that may still come today."""
        return max(0, self._most - self.bytes) if self._most else 1 << 62

    def count(self, size: int) -> None:
        """``size`` bytes have come."""
        self.bytes += size
        self._unsaved += size
        if self._unsaved >= SAVE_EVERY:
            self.save()

    def save(self) -> None:
        """Note the count. Raises ``disk-full``."""
        if self._unsaved:
            value = {"v": 1, "day": self._day, "bytes": self.bytes}
            durable.write(self._path, json.dumps(value).encode(), mode=0o600)
            self._unsaved = 0

    def _load(self) -> int:
        try:
            with open(self._path, "rb") as file:
                value = parse(file.read(1000), what=self._path)
        except (OSError, BookbagError):
            return 0
        if not isinstance(value, dict) or value.get("day") != self._day:
            return 0
        count = value.get("bytes")
        return count if isinstance(count, int) and count > 0 else 0


class Pace:
    """Keeps reading to ``rate`` bytes per second on average (0: as fast as it comes), a second's worth ahead
    at most."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._begun = time.monotonic()
        self._bytes = 0

    def took(self, size: int) -> None:
        """``size`` bytes were read: wait until they were due."""
        self._bytes += size
        if not self._rate:
            return
        due = self._begun + self._bytes / self._rate
        now = time.monotonic()
        if due > now:
            time.sleep(due - now)
        elif now - due > 1.0:  # a stall is not made up for by a burst
            self._begun += now - due - 1.0
