"""What stands where: the lock's words laid out for any size of screen, without drawing anything.

What is needed to open the laptop (title, challenge, entry, outcome) is kept on the smallest screen; what else
there is room for is added in the order of its worth. Texts are wrapped by words, right-to-left ones from the
right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from agent.cli.locker.bidi import has_right_to_left, is_right_to_left, visual
from agent.cli.locker.glyphs import Shows, can_show, plain, width
from agent.cli.locker.notice import Notice
from agent.cli.locker.words import DEFAULT, WORDS, say

MARGIN = 2
MOST_COLUMNS = 76  #: a longer line is hard to read
LEAST_COLUMNS = 12
NEEDED = 10  #: worth of what opens the laptop


@dataclass(frozen=True, slots=True)
class Part:
    """Some lines of the screen. The lower ``worth``, the sooner it is left out; `NEEDED` never is."""

    worth: int
    lines: tuple[str, ...]
    bold: bool = False
    shrinks: bool = False  #: may be cut short
    cursor: int = -1  #: column of the cursor in its first line
    gap: bool = False  #: an empty line before it, if there is room


@dataclass(frozen=True, slots=True)
class Page:
    """A whole screen: lines, those that are bold, and (row, column) of the cursor, from 0."""

    lines: tuple[str, ...]
    bold: frozenset[int]
    cursor: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Words:
    """What there is to say now, by what the locker knows."""

    notice: Notice
    entry: str
    column: int  #: of the cursor in the entry
    outcome: str = ""  #: a key of `words`, or ""
    about: str = ""  #: what the outcome is about: a character
    wait: str = ""  #: how long, ready to be shown
    erase: str = ""  #: when, ready to be shown
    languages: tuple[str, ...] = field(default=(DEFAULT,))


def languages(notice: Notice, own: str, shows: Shows) -> tuple[str, ...]:
    """One or two languages to speak: the student's ``own`` first, then one of the message's; only such as the
    terminal can show, and English if it can show none.
    """
    wanted = [own, *notice.message, DEFAULT]
    found = [code for code in dict.fromkeys(wanted) if code and _shown(code, notice.message, shows)]
    return tuple(found[:2]) or (DEFAULT,)


def _shown(language: str, message: Mapping[str, str], shows: Shows) -> bool:
    if language not in WORDS and language not in message:
        return False
    return can_show(message.get(language, "") + "".join(WORDS.get(language, {}).values()), shows)


def lay_out(words: Words, columns: int, rows: int, shows: Shows) -> Page:
    """The page for a screen of that size."""
    across = max(min(columns - 2 * MARGIN, MOST_COLUMNS), min(columns, LEAST_COLUMNS), 1)
    parts = [part for part in _parts(words, across, shows) if part.lines]
    chosen = _fit(parts, rows)
    lines: list[str] = []
    bold: set[int] = set()
    cursor = (0, 0)
    left = max((columns - across) // 2, 0)
    room = rows - sum(len(part.lines) for part in chosen)
    for part in chosen:
        if part.gap and room > 0 and lines:
            lines.append("")
            room -= 1
        if part.cursor >= 0:
            cursor = (min(len(lines), rows - 1), min(left + part.cursor, columns - 1))
        if part.bold:
            bold |= set(range(len(lines), len(lines) + len(part.lines)))
        lines += [" " * left + line if line else "" for line in part.lines]
    above = max(room // 3, 0)
    return Page(
        ("",) * above + tuple(lines[: rows - above]),
        frozenset(row + above for row in bold),
        (cursor[0] + above, cursor[1]),
    )


def _fit(parts: list[Part], rows: int) -> list[Part]:
    """The parts for which there is room: long texts are cut short first, then the least worth is left out."""
    chosen = list(parts)
    for at in sorted(range(len(chosen)), key=lambda place: chosen[place].worth):
        over = _lines(chosen) - rows
        if over > 0 and chosen[at].shrinks:
            chosen[at] = _shorter(chosen[at], max(len(chosen[at].lines) - over, 2))
    while _lines(chosen) > rows:
        at = min(range(len(chosen)), key=lambda place: (chosen[place].worth, -place))
        if chosen[at].worth >= NEEDED:
            break  # a screen of so few lines shows the first of them
        if chosen[at].shrinks and len(chosen[at].lines) > 1:
            chosen[at] = _shorter(chosen[at], 1)
        else:
            del chosen[at]
    return chosen


def _lines(parts: list[Part]) -> int:
    return sum(len(part.lines) for part in parts)


def _shorter(part: Part, most: int) -> Part:
    """The part cut short to ``most`` lines."""
    if len(part.lines) <= most:
        return part
    return replace(part, lines=(*part.lines[: most - 1], _cut_off(part.lines[most - 1])))


def _cut_off(line: str) -> str:
    """The line, ending in dots: on the left if it was read from the right."""
    if has_right_to_left(line):
        return f"...{line.strip()}".rjust(width(line))
    return f"{line[: max(width(line) - 3, 0)]}..."


def _parts(words: Words, across: int, shows: Shows) -> list[Part]:
    notice = words.notice
    frame = [code for code in words.languages if code in WORDS] or [DEFAULT]

    def told(language: str, text: str) -> tuple[str, ...]:
        return wrap(
            plain(text, shows), across, right_to_left=is_right_to_left(say(language, "title")) or None
        )

    def line(key: str, more: str = "") -> list[tuple[str, ...]]:
        return [told(code, f"{say(code, key)} {more}".strip()) for code in frame]

    parts = [Part(9 - 4 * rank, title, bold=True, shrinks=True) for rank, title in enumerate(line("title"))]
    spoken = [code for code in words.languages if code in notice.message]
    for rank, code in enumerate(spoken):
        text = wrap(plain(notice.message[code], shows), across)
        parts.append(Part(7 - 3 * rank, text, shrinks=True, gap=True))
    if notice.contact:
        parts.append(Part(8, line("contact", notice.contact)[0], gap=True))
    if notice.challenge:
        parts += [Part(6 - rank, one, gap=rank == 0) for rank, one in enumerate(line("challenge"))]
        parts.append(
            Part(NEEDED, (_centred(plain(spaced(notice.challenge, across), shows), across),), bold=True)
        )
    parts += [Part(6 - rank, one, gap=rank == 0) for rank, one in enumerate(line("answer"))]
    start = max((across - len(words.entry)) // 2, 0)
    parts.append(Part(NEEDED, (" " * start + words.entry[:across],), bold=True, cursor=start + words.column))
    if words.outcome:
        said = line(words.outcome, words.about)
        parts += [Part(NEEDED if rank == 0 else 3, one, gap=rank == 0) for rank, one in enumerate(said)]
    if words.wait:
        parts += [Part(8 if rank == 0 else 3, one) for rank, one in enumerate(line("wait", words.wait))]
    if words.erase:
        said = line("erase", words.erase)
        parts += [Part(8 if rank == 0 else 3, one, gap=rank == 0) for rank, one in enumerate(said)]
    return parts


def spaced(challenge: str, across: int) -> str:
    """A challenge so that each group, and each character in it, stands for itself where there is room."""
    groups = challenge.replace("-", " ").split()
    wide = "   -   ".join(" ".join(group) for group in groups)
    return wide if len(wide) <= across else "-".join(groups)


def _centred(text: str, across: int) -> str:
    return " " * max((across - width(text)) // 2, 0) + text[:across]


def wrap(text: str, across: int, *, right_to_left: bool | None = None) -> tuple[str, ...]:
    """``text`` in lines of at most ``across`` cells, as the eye reads them. Paragraphs run as their first
    letter does, or as told.
    """
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        turned = is_right_to_left(paragraph) if right_to_left is None else right_to_left
        for line in _broken(paragraph.split(), across):
            drawn = visual(line, right_to_left=turned)
            lines.append(" " * max(across - width(drawn), 0) + drawn if turned else drawn)
    return tuple(lines)


def _broken(words: list[str], across: int) -> list[str]:
    """Lines of whole words; a word that is longer than a line is cut."""
    lines = [""]
    for word in words:
        rest = word
        while width(rest) > across:
            cut = next((at for at in range(1, len(rest)) if width(rest[: at + 1]) > across), len(rest))
            if lines[-1]:
                lines.append("")
            lines[-1] = rest[:cut]
            lines.append("")
            rest = rest[cut:]
        joined = f"{lines[-1]} {rest}".strip()
        if width(joined) <= across:
            lines[-1] = joined
        else:
            lines.append(rest)
    return [line for line in lines if line] or [""]
