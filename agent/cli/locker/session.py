"""The locker at work: it shows, takes keys, asks whether an answer is right, and never ends by itself."""

from __future__ import annotations

import os
import time
from datetime import datetime

from agent.cli.locker.entry import Entry
from agent.cli.locker.glyphs import Shows, shows_of
from agent.cli.locker.keys import BACK, CLEAR, ENTER, REDRAW, Keys
from agent.cli.locker.notice import Notice, NoticeFile
from agent.cli.locker.screen import Words, languages, lay_out
from agent.cli.locker.terminal import Ended, Terminal
from agent.client import Client
from agent.core.errors import BookbagError
from agent.core.layout import Layout

TICK = 1.0  #: seconds between two looks at the notice
REDRAW_SECONDS = 60.0  #: after which all is drawn anew: the kernel may have written over it
ANSWER_SECONDS = 60.0
TOLD = ("wrong-code", "too-soon")


class Session:
    """One run of the locker on ``terminal``."""

    def __init__(self, layout: Layout, terminal: Terminal, own: str, kind: str) -> None:
        self._terminal = terminal
        self._client = Client(layout, seconds=ANSWER_SECONDS)
        self._file = NoticeFile(f"{layout.public}/lock.json")
        self._own = own
        self._shows: Shows = shows_of(terminal.fd, kind)
        self._entry = Entry()
        self._keys = Keys()
        self._outcome = ""
        self._about = ""
        self._until = 0.0  #: monotonic time from which an answer counts

    def run(self) -> None:
        """Until the terminal is gone or the service manager ends it."""
        drawn_all = time.monotonic()
        try:
            while True:
                if time.monotonic() - drawn_all > REDRAW_SECONDS:
                    self._terminal.forget()
                    drawn_all = time.monotonic()
                self._draw()
                typed = self._terminal.read(TICK)
                if not typed:
                    self._keys.idle()
                for key in self._keys.feed(typed):
                    self._press(key)
        except Ended:
            return

    # -- what a key does

    def _press(self, key: str) -> None:
        if key == REDRAW:
            self._terminal.forget()
            return
        self._outcome = self._about = ""
        if key == ENTER:
            self._enter()
        elif key == BACK:
            self._entry.back()
        elif key == CLEAR:
            self._entry.clear()
        else:
            self._entry.type(key)
            if self._entry.strange:
                self._outcome, self._about = "letter", self._entry.strange

    def _enter(self) -> None:
        if not self._entry.whole:
            self._outcome = "short" if self._entry.typed else ""
            return
        self._outcome = "checking"
        self._draw()
        self._outcome = self._ask(self._entry.typed)
        self._entry.clear()

    def _ask(self, typed: str) -> str:
        """How the answer was taken, as a key of the words."""
        try:
            answer = self._client.unlock(typed)
        except BookbagError:
            return "failed"
        if answer.code == 0:
            return "opened"
        told = next((problem.code for problem in answer.errors if problem.code in TOLD), "failed")
        return "open" if any(problem.code == "not-found" for problem in answer.errors) else told

    # -- what is shown

    def _draw(self) -> None:
        notice, fresh = self._file.read()
        if fresh:
            self._until = time.monotonic() + notice.wait_s
            if notice.locked is False and not self._outcome:
                self._outcome = "opened"
        left = max(int(self._until - time.monotonic() + 0.999), 0)
        words = Words(
            notice,
            self._entry.shown(),
            self._entry.column,
            self._outcome,
            self._about,
            span(left) if left else "",
            moment(notice.erase_at) if notice.erase_at else "",
            self._languages(notice),
        )
        rows, columns = self._terminal.size()
        self._terminal.draw(lay_out(words, columns, rows, self._shows))

    def _languages(self, notice: Notice) -> tuple[str, ...]:
        return languages(notice, self._own, self._shows)


def span(seconds: int) -> str:
    """Seconds as a clock counts them down: 0:09, 12:30, 1:00:00."""
    hours, rest = divmod(seconds, 3600)
    minutes, second = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{second:02}" if hours else f"{minutes}:{second:02}"


def moment(at: int) -> str:
    """A time of unix seconds as this laptop's clock shows it."""
    try:
        return datetime.fromtimestamp(at).astimezone().strftime("%Y/%m/%d %H:%M")
    except (OverflowError, OSError, ValueError):
        return "?"


def own_language() -> str:
    """The language that the laptop is set to, as its login programs hear of it: ``ar`` of ``ar_EG.UTF-8``."""
    named = (os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    code = next((name for name in named if name), "").partition(".")[0].partition("_")[0].lower()
    return code if code.isalpha() and code != "c" else "en"
