"""The uids beyond their own that root lets users take: /etc/subuid, which `newuidmap` obeys.

A process that runs under one of them acts for whose range it is, though nobody is called so.
"""

from __future__ import annotations

from dataclasses import dataclass

MOST_BYTES = 1 << 20
MOST_RANGES = 10_000
FIRST = 65_536  #: below are the system's own, whatever the file says
_LAST = (1 << 32) - 2  #: 2**32 - 1 is no uid
_LONGEST = 10  #: digits


@dataclass(frozen=True, slots=True)
class Range:
    """Uids that are lent to ``user``, a login name or a uid in digits."""

    user: str
    uids: range


def read(path: str) -> tuple[Range, ...]:
    """The ranges in ``path``, as many as are to be believed; none if it cannot be read. What is malformed is
    passed over, as newuidmap does.
    """
    try:
        with open(path, "rb") as file:
            text = file.read(MOST_BYTES).decode(errors="surrogateescape")
    except OSError:
        return ()
    found = (_range(line) for line in text.split("\n")[:MOST_RANGES])
    return tuple(one for one in found if one is not None)


def _range(line: str) -> Range | None:
    user, *numbers = line.strip().split(":")
    if not user or len(numbers) != 2 or not all(map(_is_number, numbers)):
        return None
    first, count = map(int, numbers)
    uids = range(max(first, FIRST), min(first + count, _LAST + 1))
    return Range(user, uids) if uids else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST
