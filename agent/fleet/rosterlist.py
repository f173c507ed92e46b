"""A school's list of who has which laptop, as a spreadsheet saves it: every mistake in it is told at once.

A header row with the columns ``login``, ``name`` (as the login screen shows it), ``laptop`` and, to be
checked only, ``class``; what else `agent.fleet.laptoplist` says of lists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.core.errors import BookbagError
from agent.fleet.finding import Finding
from agent.fleet.laptoplist import MOST_ROWS, lines_of, read_text
from agent.fleet.records import DeviceRecord
from agent.policy.bases import roster

COLUMNS = ("login", "name", "laptop", "class")
_REQUIRED = COLUMNS[:3]
_MOST_TOLD = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """One student's account on one laptop."""

    line: int
    login: str
    shown: str
    laptop: str


def read_roster(
    path: Path, laptops: Mapping[str, DeviceRecord]
) -> tuple[tuple[Wanted, ...], tuple[Finding, ...]]:
    """Every row, and what is wrong with any. ``laptops``: those of the folder. Raises BookbagError for
    what is no list at all."""
    file = str(path)
    rows: list[Wanted] = []
    wrong: list[Finding] = []
    lines = lines_of(read_text(path), file, hidden=True)
    place, head = next(lines, (1, []))
    columns = _columns(head, f"{file}:{place}")
    for line, cells in lines:
        if len(rows) >= MOST_ROWS or len(wrong) >= _MOST_TOLD:
            why = "cannot use the list: there are too many rows, or too many mistakes, in it"
            wrong.append(Finding(f"{file}:{line}", "too-many", why, "is this the right file?"))
            break
        if len(cells) != len(columns):
            why = f"this row has {len(cells)} cells, the header row has {len(columns)}"
            wrong.append(_finding(f"{file}:{line}", why, 'a cell with a comma stands in quotes: "9, b"'))
            continue
        found = dict(zip(columns, cells, strict=True))
        row = Wanted(line, found["login"], found["name"], found["laptop"])
        told = list(_mistakes(row, found.get("class", ""), laptops))
        wrong += [_finding(f"{file}:{line}", why, remedy) for why, remedy in told]
        rows.append(row)
    wrong += [_finding(f"{file}:{line}", why, remedy) for line, why, remedy in _doubles(rows)]
    if not rows and not wrong:
        wrong.append(_finding(file, "there is no student in it", "write one row for each below the header"))
    return tuple(rows), tuple(wrong)


def _columns(head: Sequence[str], place: str) -> tuple[str, ...]:
    columns = tuple(cell.lower() for cell in head)
    odd = [one[:40] for one in columns if one not in COLUMNS]
    missing = [one for one in _REQUIRED if one not in columns]
    if odd or missing or len(set(columns)) != len(columns):
        why = (
            f"there is no column {odd[0]!r}"
            if odd
            else f"the column {missing[0]} is missing"
            if missing
            else ""
        )
        raise BookbagError(
            "bad-list",
            f"cannot use the list: {why or 'a column is there twice'}",
            place=place,
            remedy=f"write a header row: {','.join(COLUMNS)}",
        )
    return columns


def _mistakes(row: Wanted, class_: str, laptops: Mapping[str, DeviceRecord]) -> list[tuple[str, str]]:
    told = []
    if why := roster.wrong_login(row.login):
        told.append((f"cannot use {row.login[:40]!r} to log in: {why}", "choose another, in small letters"))
    if why := roster.wrong_shown(row.shown):
        told.append((f"cannot show {row.shown[:40]!r} on the login screen: {why}", "write it otherwise"))
    there = laptops.get(row.laptop)
    if there is None:
        told.append((f"there is no laptop {row.laptop[:40]!r}", "bookbag-fleet device lists them"))
    elif class_ and there.class_ and class_ != there.class_:
        why = f"{row.laptop} is of class {there.class_}, the list says {class_[:40]}"
        told.append((why, "correct the list, or assign the laptop"))
    return told


def _doubles(rows: Sequence[Wanted]) -> list[tuple[int, str, str]]:
    first: dict[str, int] = {}
    counts: dict[str, int] = {}
    told = []
    for row in rows:
        before = first.setdefault(row.login, row.line)
        if before != row.line:
            why = f"{row.login[:40]!r} stands in line {before} already"
            told.append((row.line, why, "each login has one row"))
        counts[row.laptop] = counts.get(row.laptop, 0) + 1
        if counts[row.laptop] == roster.MOST + 1:
            told.append((row.line, f"{row.laptop[:40]} has more than {roster.MOST} accounts", "split them"))
    return told


def _finding(place: str, why: str, remedy: str) -> Finding:
    return Finding(place, "bad-list", why, remedy)
