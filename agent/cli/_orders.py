"""What whoever stands before a laptop must know first: that it is locked, what for, and how it opens; that
it will be erased; what the school says. From the status and from root's public notices, for `bookbag status`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from agent.cli import _terminal as terminal
from agent.cli.locker import notice
from agent.core.errors import BookbagError
from agent.core.jsontext import parse
from agent.core.layout import Layout

MOST_BYTES = 4 << 20
MOST_MESSAGES = 3  #: shown in full
MOST_TEXT = 300  #: characters of one
#: What a lock of each grade is worth; see `agent.host.base.Facts.lock_grade`.
_WORTH = (
    "it closes the screen only",
    "it outlasts a restart",
    "no other system can be started either",
    "without the school's key the disk cannot be read either",
    "the firmware is closed too",
)
Row = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Notices:
    """What root tells everybody: of the lock, and the school's messages, newest first."""

    lock: notice.Notice = field(default_factory=notice.Notice)
    messages: tuple[Mapping[str, object], ...] = ()


def read(layout: Layout) -> Notices:
    """What lies there; what is absent or malformed says nothing."""
    messages = _messages(f"{layout.public}/messages.json")
    return Notices(notice.read(f"{layout.public}/lock.json"), messages)


def _messages(path: str) -> tuple[Mapping[str, object], ...]:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb") as file:
            regular = stat.S_ISREG(os.fstat(fd).st_mode)
            found = parse(file.read(MOST_BYTES + 1), what=path, max_bytes=MOST_BYTES) if regular else None
    except (OSError, BookbagError):
        return ()
    rows = found.get("messages") if isinstance(found, dict) and found.get("v") == 1 else None
    return tuple(row for row in rows if isinstance(row, dict)) if isinstance(rows, list) else ()


def rows(status: Mapping[str, object], told: Notices) -> Iterator[Row]:
    """The lines of the status; none on a laptop that is open and has no message."""
    commands, clock = status.get("commands"), status.get("clock")
    now = clock.get("at") if isinstance(clock, dict) else None
    at = now if isinstance(now, int) else None
    if isinstance(commands, dict):
        yield from _locked(commands, told.lock, at)
        yield from _erasing(commands, at)
    yield from _said(told.messages, at)


def _locked(commands: Mapping[str, object], lock: notice.Notice, at: int | None) -> Iterator[Row]:
    if not commands.get("locked"):
        return
    since, grade = commands.get("since"), commands.get("grade")
    when = terminal.ago(at - since) if at is not None and isinstance(since, int) and since else ""
    lost = ", as lost" if commands.get("lost") else ""
    shut = "it is being locked" if commands.get("phase") == "closing" else "nobody gets in"
    worth = f"; {_WORTH[grade]} (grade {grade})" if isinstance(grade, int) and 0 <= grade < 5 else ""
    said = f"{when}{lost}: {shut}{worth}".lstrip(":, ")
    yield "locked", terminal.paint(said, "yellow")
    message = _line(terminal.in_own_language(lock.message))
    if message:
        yield "", f"the school says: {message}"
    if lock.contact:
        yield "", f"whom to ask: {_line(lock.contact)}"
    yield "", "to open it with a code that the school gives: bookbag unlock"


def _erasing(commands: Mapping[str, object], at: int | None) -> Iterator[Row]:
    erase_at = commands.get("erase_at")
    if not isinstance(erase_at, int) or not erase_at:
        return
    left = erase_at - at if at is not None else 0
    when = f"in {terminal.span(left)}" if left > 0 else "as soon as newer word comes"
    yield "erasing", terminal.paint(f"{when}, unless the school calls it off", "red")


def _said(messages: tuple[Mapping[str, object], ...], at: int | None) -> Iterator[Row]:
    """Messages that are not over, the newest first."""
    present = [one for one in messages if not _over(one, at)]
    for number, one in enumerate(present[:MOST_MESSAGES]):
        text, people, since = one.get("text"), one.get("from"), one.get("at")
        who = ", ".join(map(str, people)) if isinstance(people, list) and people else "the school"
        when = f", {terminal.ago(max(0, at - since))}" if at is not None and isinstance(since, int) else ""
        yield (
            "" if number else "messages",
            f"{_line(f'{who}{when}')}: {_line(terminal.in_own_language(text))}",
        )
    if len(present) > MOST_MESSAGES:
        yield "", f"and {len(present) - MOST_MESSAGES} older: bookbag portal"


def _over(message: Mapping[str, object], at: int | None) -> bool:
    until = message.get("until")
    return at is not None and isinstance(until, int) and 0 < until <= at


def _line(text: str) -> str:
    """One line of what others wrote, without anything that steers a terminal."""
    line = " ".join(text.split())
    return terminal.plain(line if len(line) <= MOST_TEXT else f"{line[: MOST_TEXT - 1]}…")
