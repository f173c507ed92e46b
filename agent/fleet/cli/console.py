"""What a verb says, to people or to programs: aligned text, tables, progress, or one JSON object at the
end."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Sequence
from typing import TextIO

from agent.core.errors import BookbagError

_STYLES = {"good": "32", "bad": "31", "warn": "33", "dim": "2", "bold": "1"}
#: A longer cell, such as a list of sites, goes past its column: others as wide would be mostly blanks.
_WIDEST = 60


class Console:
    """One run's output. With ``as_json`` only `result` and `fail` print to stdout; warnings always go to
    stderr."""

    def __init__(
        self, *, as_json: bool = False, out: TextIO | None = None, err: TextIO | None = None
    ) -> None:
        self.as_json = as_json
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self._colour = self._out.isatty() and "NO_COLOR" not in os.environ

    def say(self, text: str = "", style: str = "", *, end: str = "\n") -> None:
        """A line for people."""
        if not self.as_json:
            print(self.styled(_plain(text), style), file=self._out, end=end)

    def styled(self, text: str, style: str) -> str:
        """``text`` in a named style, if the output is a terminal."""
        if not (self._colour and style):
            return text
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"

    def warn(self, text: str) -> None:
        """Something to know that is no failure."""
        print(f"bookbag-fleet: warning: {_plain(text)}", file=self._err)

    def table(self, rows: Iterable[Sequence[str]], *, head: Sequence[str] = ()) -> None:
        """Rows in aligned columns, under a head if there are any."""
        lines = [[_plain(cell) for cell in row] for row in rows]
        if self.as_json or not lines:
            return
        if head:
            lines.insert(0, list(head))
        sizes = [[len(line[n]) for line in lines] for n in range(len(lines[0]))]
        widths = [max((size for size in column if size <= _WIDEST), default=0) for column in sizes]
        for number, line in enumerate(lines):
            text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            print(self.styled(text, "bold" if head and number == 0 else ""), file=self._out)

    def result(self, value: dict[str, object]) -> None:
        """What the run came to, for programs (with --json only)."""
        if self.as_json:
            print(json.dumps(value, ensure_ascii=False, sort_keys=True), file=self._out)

    def fail(self, error: BookbagError) -> None:
        """Why the run did not come to anything."""
        if self.as_json:
            self.result({"error": error.to_dict()})
        place = f"{_plain(error.place)}: " if error.place else ""
        print(f"bookbag-fleet: {place}{_plain(error.message)} [{error.code}]", file=self._err)
        if error.remedy:
            print(f"  what to do: {_plain(error.remedy)}", file=self._err)

    def progress(self, what: str, of: int) -> Progress:
        """A progress line for work that may take longer than two seconds."""
        return Progress(self._err if self._err.isatty() and not self.as_json else None, what, of)

    def line(self, text: str) -> None:
        """One line for programs, pushed out at once: the events of `serve`."""
        print(text, file=self._out, flush=True)

    def flush(self) -> None:
        """Push out what was said."""
        self._out.flush()


class Progress:
    """A bar on a terminal, shown only once two seconds have passed; silent elsewhere."""

    def __init__(self, err: TextIO | None, what: str, of: int) -> None:
        self._err = err
        self._what = what
        self._of = max(of, 1)
        self._done = 0
        self._began = time.monotonic()
        self._shown = 0.0

    def step(self, by: int = 1) -> None:
        """``by`` more are done."""
        self._done += by
        now = time.monotonic()
        if self._err is None or now - self._began < 2 or now - self._shown < 0.1:
            return
        self._shown = now
        filled = 30 * min(self._done, self._of) // self._of
        bar = "#" * filled + "." * (30 - filled)
        print(f"\r{self._what} [{bar}] {self._done}/{self._of}", end="", file=self._err, flush=True)

    def close(self) -> None:
        """Remove the bar."""
        if self._err is not None and self._shown:
            print("\r\x1b[K", end="", file=self._err, flush=True)


def _plain(text: str) -> str:
    """``text`` without control characters: names from a folder or a laptop must not drive the terminal."""
    return "".join(
        char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in text
    )
