"""How `bookbag` speaks to people: aligned text, colour on a terminal only, errors that say what to do."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from agent.core.errors import BookbagError

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "dim": "2", "bold": "1"}
_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def paint(text: str, colour: str) -> str:
    """``text`` in ``colour`` if standard output is a terminal that wants it."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"


def plain(text: object) -> str:
    """``text`` without control characters: names of files and policies come from others."""
    return "".join(letter if letter.isprintable() else "�" for letter in str(text))


def table(rows: Iterable[Sequence[str]], *, indent: str = "") -> str:
    """Rows with aligned columns; the last column is left ragged."""
    lines = [[plain(cell) for cell in row] for row in rows]
    if not lines:
        return ""
    widths = [max(len(row[at]) for row in lines if at < len(row)) for at in range(max(map(len, lines)))]
    out = []
    for row in lines:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        out.append((indent + "  ".join([*cells, row[-1]])).rstrip())
    return "\n".join(out)


def ago(seconds: object) -> str:
    """``3 hours ago``; ``never`` for None."""
    return f"{span(seconds)} ago" if isinstance(seconds, int) else "never"


def span(seconds: object) -> str:
    """Seconds in words, in the largest unit that fits."""
    if not isinstance(seconds, int):
        return "an unknown time"
    for size, name in _UNITS:
        if seconds >= size:
            count = seconds // size
            return f"{count} {name}{'s' if count != 1 else ''}"
    return "0 seconds"


def moment(at: object) -> str:
    """Trusted unix seconds as date and time; "" for 0 and what is none."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC" if isinstance(at, int) and at > 0 else ""


def times(count: object) -> str:
    """``once``, ``3 times``."""
    return "once" if count == 1 else f"{count} times"


def in_own_language(texts: object) -> str:
    """Of ``texts`` (language → text) the one for whoever reads this, else the English one, else any; "" for
    none."""
    if not isinstance(texts, dict) or not texts:
        return ""
    spoken = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or "en"
    language = spoken.partition(".")[0].replace("_", "-")
    for wanted in (language, language.partition("-")[0], "en"):
        if wanted in texts:
            return str(texts[wanted])
    return str(next(iter(texts.values())))


def print_json(value: object) -> None:
    """One JSON value on standard output, at once: a program may wait for it while we go on."""
    print(json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True), flush=True)


def complain(problem: BookbagError) -> None:
    """One error on standard error: what, where, what to do."""
    print(f"bookbag: {plain(problem.message)}", file=sys.stderr)
    if problem.place:
        print(f"  at: {plain(problem.place)}", file=sys.stderr)
    if problem.remedy:
        print(f"  do: {plain(problem.remedy)}", file=sys.stderr)


def fail(problem: BookbagError, *, as_json: bool) -> None:
    """Say an error in the form that was asked for."""
    if as_json:
        print_json({"error": problem.to_dict()})
    else:
        complain(problem)


class Progress:
    """A progress bar on a terminal's standard error, for what takes longer than two seconds; nothing
    elsewhere.
    """

    def __init__(self) -> None:
        self._shown = False

    def __call__(self, event: dict[str, object]) -> None:
        """Take one event of an answer."""
        done, of = event.get("done"), event.get("of")
        if event.get("event") != "progress" or not isinstance(done, int) or not isinstance(of, int) or of < 1:
            return
        if sys.stderr.isatty():
            filled = min(30, 30 * done // of)
            bar = "█" * filled + "·" * (30 - filled)
            print(
                f"\r{bar} {done}/{of} {plain(event.get('what', ''))[:40]:<40}",
                end="",
                file=sys.stderr,
                flush=True,
            )
            self._shown = True

    def clear(self) -> None:
        """Take the bar away."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = False
