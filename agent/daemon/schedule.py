"""When to do what next: pure rules, chance handed in, so that a table can test them.

==========================  ================================================
after a sync that           the next one is due in
==========================  ================================================
went well                   poll ± 10 %
found no network            poll ± 10 % (costs nobody anything)
got a bad answer, n times   poll × 2, × 4 at most, ± 10 %; never before the
                            server's Retry-After (believed up to 6 h)
==========================  ================================================

Reports are made every 6 h, or as policy decides, ± 10 %, first 3 to 10 minutes after a start, and soon after
the laptop's state has changed, but not within 10 minutes of the last such one. Reports that could not be
delivered are tried again with the first sync after 15 minutes, doubled each time up to 6 h, ± 20 %, and never
before Retry-After.
"""

from __future__ import annotations

POLL = 15 * 60  #: seconds between syncs, unless agent.yaml says otherwise
MAX_PAUSE = 8 * 3600  #: seconds that nobody may stop healing beyond
SWEEP = 15 * 60.0  #: seconds between full audits, whatever the events say
COALESCE = 0.05  #: seconds that events are gathered before an audit
STORM_BURST = 60  #: audits on events that may follow each other at once
STORM_REFILL = 2.0  #: seconds that earn one more of them
RETRY_AFTER_CAP = 6 * 3600
WORST_FACTOR = 4
REPORT = 6 * 3600  #: seconds between reports, unless policy says otherwise
REPORT_GAP = 600.0  #: seconds between reports because something changed


def next_sync(poll: float, bad_answers: int, retry_after: float, chance: float) -> float:
    """Seconds until the next sync. ``chance`` is uniform in [0, 1)."""
    factor = min(1 << min(bad_answers, 8), WORST_FACTOR)
    wait = poll * factor * (0.9 + 0.2 * chance)
    return max(wait, min(retry_after, RETRY_AFTER_CAP))


def first_sync(poll: float, chance: float) -> float:
    """Seconds from start to the first sync: spread, so that a school switched on at eight does not arrive as
    one.
    """
    return min(poll / 15, 60.0) * chance


def first_report(chance: float) -> float:
    """Seconds from start to the first look at whether reports are due: not while the laptop starts, and
    spread.
    """
    return 180.0 + 420.0 * chance


def next_report(rest: float, chance: float) -> float:
    """Seconds until reports are due, when the least time until then is ``rest``."""
    return max(60.0, rest) * (1.0 + 0.2 * chance)


def least_between_reports(every: int = REPORT) -> int:
    """Seconds that must lie between two reports of one record: with `next_report`, ``every`` ± 10 %."""
    return every * 9 // 10


def report_soon(since: float, chance: float) -> float:
    """Seconds until a report because something changed, when the last such one was ``since`` seconds ago."""
    return max(5.0, REPORT_GAP - since) + 10.0 * chance


def next_delivery(failures: int, retry_after: float, chance: float) -> float:
    """Seconds for which reports wait after the ``failures``-th failure in a row."""
    wait = min(POLL * 2.0 ** min(max(failures - 1, 0), 10), float(RETRY_AFTER_CAP)) * (0.8 + 0.4 * chance)
    return max(wait, min(retry_after, RETRY_AFTER_CAP))


def content_look(chance: float) -> float:
    """Seconds between looks at learning content while nothing happens: for damage, and for what is due by
    now."""
    return 6 * 3600 * (0.9 + 0.2 * chance)


def opens_in(begin: int, length: int, second: int) -> int:
    """Seconds until the hours that begin at the minute ``begin`` of each day and last ``length`` minutes,
    when ``second`` of the day have passed; 0: it is within them."""
    since = (second - begin * 60) % 86_400
    return 0 if since < length * 60 else 86_400 - since


def after_opening(closed: float, chance: float) -> float:
    """Seconds until something is begun that may be begun in ``closed``: spread over half an hour, so that a
    school does not begin as one."""
    return closed + 1800.0 * chance


def next_fetch(failures: int, retry_after: float, chance: float) -> float:
    """Seconds until a host is asked for content again that gave none ``failures`` times: 5 min, doubled up to
    4 h, ± 20 %, and never before the host's Retry-After (believed up to 6 h).
    """
    wait = min(300.0 * (1 << min(failures, 6)), 4 * 3600.0) * (0.8 + 0.4 * chance)
    return max(wait, min(retry_after, RETRY_AFTER_CAP))


class Backoff:
    """Pauses for one worker that misbehaves: 1 s, doubled each time up to 60 s, ± 20 %; quarantined from the
    fifth time on.

    Misbehaving is dying, hanging, flooding or speaking nonsense; an honest error is none. One good run clears
    it.
    """

    FIRST, WORST, QUARANTINE_FROM, QUARANTINE = 1.0, 60.0, 5, 300.0
    __slots__ = ("count", "until")

    def __init__(self) -> None:
        self.count = 0  #: misbehaviours in a row
        self.until = 0.0  #: boottime before which it is not started on its own account

    def misbehaved(self, now: float, chance: float) -> float:
        """Count one; returns the pause in seconds."""
        self.count += 1
        doubled = min(self.FIRST * 2 ** (self.count - 1), self.WORST)
        pause = self.QUARANTINE if self.quarantined else doubled
        pause *= 0.8 + 0.4 * chance
        self.until = now + pause
        return pause

    def behaved(self) -> None:
        """One good run."""
        self.count = 0
        self.until = 0.0

    @property
    def quarantined(self) -> bool:
        """Whether it misbehaved so often in a row that it is named and tried only now and then."""
        return self.count >= self.QUARANTINE_FROM

    def wait(self, now: float) -> float:
        """Seconds still to wait."""
        return max(0.0, self.until - now)


class Storm:
    """Lets bursts of events through and slows endless ones down, so that a fight over a file cannot eat the
    laptop.
    """

    __slots__ = ("_left", "_seen")

    def __init__(self) -> None:
        self._left = float(STORM_BURST)
        self._seen = 0.0

    def delay(self, now: float) -> float:
        """Seconds to wait before the audit that is wanted ``now``; counts it."""
        self._left = min(float(STORM_BURST), self._left + (now - self._seen) / STORM_REFILL)
        self._seen = now
        self._left = max(self._left - 1, -5.0)
        return COALESCE if self._left >= 0 else -self._left * STORM_REFILL
