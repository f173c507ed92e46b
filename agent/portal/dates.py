"""Moments for people: in the laptop's own time zone, months in the reader's language."""

from __future__ import annotations

from datetime import UTC, date, datetime

from agent.portal.html import Html, join, tag
from agent.portal.languages import Language

_LATEST = 253_402_300_799  #: the end of the year 9999


def moment(at: int, say: Language) -> Html:
    """Trusted unix seconds as date and time; a sentence for 0, which means that it is not known."""
    if not 0 < at <= _LATEST:
        return join(say("date.unknown"))
    there = datetime.fromtimestamp(at, UTC).astimezone()
    shown = say(
        "date.moment",
        day=there.day,
        month=say.months[there.month - 1],
        year=there.year,
        time=f"{there:%H:%M}",
    )
    return tag("time", shown, datetime=there.isoformat(timespec="minutes"))


def day(when: date, say: Language) -> Html:
    """A day."""
    shown = say("date.day", day=when.day, month=say.months[when.month - 1], year=when.year)
    return tag("time", shown, datetime=when.isoformat())


def clock(seconds: int) -> str:
    """A length or a place in a film: ``1:02:03``, ``2:03``."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def size(count: int, say: Language) -> str:
    """Bytes in the largest unit that leaves at least one."""
    for unit, least in (("gb", 1 << 30), ("mb", 1 << 20), ("kb", 1 << 10)):
        if count >= least:
            number = f"{count / least:.1f}".removesuffix(".0")
            return say(f"size.{unit}", count=number)
    return say("size.bytes", count=count)
