"""A school's list of laptops, as a spreadsheet saves it: CSV, all of it looked at before anything is done.

UTF-8, with or without the byte order mark that spreadsheets write, commas or semicolons, a header row with
the columns ``name``, ``serial``, ``school``, ``year``, ``class`` in any order; only ``name`` must be there.
Blank lines and spaces around a cell count for nothing.
"""

from __future__ import annotations

import csv
import io
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.core.errors import BookbagError
from agent.core.ids import check_name
from agent.fleet import groups

MOST_BYTES = 4 << 20
MOST_ROWS = 20_000
COLUMNS = ("name", "serial", *groups.KEYS)
_MOST_SERIAL = 64  #: characters


@dataclass(frozen=True, slots=True)
class Row:
    """One laptop. ``groups``: of the columns that the list has; an empty text says that there is none."""

    line: int
    name: str
    serial: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)


def read_list(path: Path) -> tuple[Row, ...]:
    """Every row. Raises BookbagError, ``bad-list`` in most cases, naming file and line of the first
    mistake."""
    file = str(path)
    lines = lines_of(read_text(path), file)
    place, head = next(lines, (1, []))
    columns = _columns(head, f"{file}:{place}")
    rows: list[Row] = []
    seen: dict[tuple[str, str], int] = {}
    for line, cells in lines:
        if len(rows) >= MOST_ROWS:
            why = f"cannot use more than {MOST_ROWS} laptops at once"
            raise BookbagError("too-many", why, place=f"{file}:{line}", remedy="split the list")
        rows.append(_row(columns, cells, line, file))
        _check_double(rows[-1], seen, file)
    if not rows:
        raise _bad("there is no laptop in it", file, "write one row for each laptop below the header row")
    return tuple(rows)


def read_text(path: Path) -> str:
    """What is in it. Raises BookbagError, ``bad-list`` for what is no text."""
    file, data = str(path), _bytes(path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        remedy = "in the spreadsheet: Save as, CSV UTF-8"
        raise _bad("it is not UTF-8 text", f"{file}:{line}", remedy) from None


def _bytes(path: Path) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise BookbagError("not-found", "cannot read the list: it is not there", place=str(path)) from None
    except OSError as error:
        raise BookbagError("bad-path", f"cannot read the list: {error.strerror}", place=str(path)) from None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise BookbagError("bad-path", "cannot read the list: it is no regular file", place=str(path))
        with os.fdopen(os.dup(fd), "rb") as file:
            data = file.read(MOST_BYTES + 1)
    finally:
        os.close(fd)
    if len(data) > MOST_BYTES:
        why = f"cannot read the list: it has more than {MOST_BYTES >> 20} MiB"
        raise BookbagError("too-large", why, place=str(path), remedy="is this the right file?")
    return data


def lines_of(text: str, file: str, *, hidden: bool = False) -> Iterator[tuple[int, list[str]]]:
    """(line, cells without the spaces around them) of every line with something in it. ``hidden``: invisible
    characters are looked for elsewhere. Raises ``bad-list``."""
    begin = text.partition("\n")[0]
    separator = ";" if ";" in begin and "," not in begin else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = [cell.strip(" ") for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            raise _bad(str(error), f"{file}:{line}", "save it anew from the spreadsheet") from None
        odd = next((char for cell in cells for char in cell if not char.isprintable()), "")
        if odd and not hidden:
            why = f"there is an invisible character in it, U+{ord(odd):04X}"
            raise _bad(why, f"{file}:{line}", "delete it; each laptop has one line")
        if any(cells):
            yield line, cells


def _columns(head: Sequence[str], place: str) -> tuple[str, ...]:
    columns = tuple(cell.lower() for cell in head)
    for column in columns:
        if column not in COLUMNS:
            raise _bad(
                f"there is no column {column[:40]!r}", place, f"the header row names {', '.join(COLUMNS)}"
            )
        if columns.count(column) > 1:
            raise _bad(f"the column {column} is there twice", place, "keep one of them")
    if "name" not in columns:
        raise _bad("the column name is missing", place, f"write a header row: {','.join(COLUMNS)}")
    return columns


def _row(columns: Sequence[str], cells: Sequence[str], line: int, file: str) -> Row:
    place = f"{file}:{line}"
    if len(cells) != len(columns):
        raise _bad(
            f"this row has {len(cells)} cells, the header row has {len(columns)}",
            place,
            'a cell with a comma or semicolon in it stands between quotes: "9, advanced"',
        )
    found = dict(zip(columns, cells, strict=True))
    name, serial = found.pop("name"), found.pop("serial", "")
    try:
        check_name(name, "the name of a laptop")
        for key, value in found.items():
            groups.check(key, value)
    except BookbagError as error:
        raise BookbagError("bad-list", error.message, place=place, remedy=error.remedy) from None
    if len(serial) > _MOST_SERIAL:
        raise _bad(
            f"a serial number has at most {_MOST_SERIAL} characters", place, "is this the right column?"
        )
    return Row(line, name, serial, found)


def _check_double(row: Row, seen: dict[tuple[str, str], int], file: str) -> None:
    for what, value in (("name", row.name), ("serial number", row.serial)):
        before = seen.setdefault((what, value), row.line) if value else row.line
        if before != row.line:
            why = f"the {what} {value} stands in line {before} already"
            raise _bad(why, f"{file}:{row.line}", "each laptop has one row")


def _bad(why: str, place: str, remedy: str) -> BookbagError:
    return BookbagError("bad-list", f"cannot use the list: {why}", place=place, remedy=remedy)
