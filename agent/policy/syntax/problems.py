"""What is wrong with a document, collected: IT sees every error at once, the device the first."""

from __future__ import annotations

from collections.abc import Iterable

from agent.core.errors import BookbagError

#: More than this many problems help nobody; reading stops there.
MOST = 200


class TooMany(Exception):
    """Reading was given up after `MOST` problems."""


class Problems:
    """The errors found so far, in the order they were met."""

    def __init__(self) -> None:
        self.errors: list[BookbagError] = []

    def add(self, code: str, message: str, *, place: object = "", remedy: str = "") -> None:
        """Note one problem and go on. Raises TooMany beyond `MOST`, so that a bomb of errors ends."""
        self.errors.append(BookbagError(code, message, place=str(place), remedy=remedy))
        if len(self.errors) >= MOST:
            raise TooMany

    def raise_first(self) -> None:
        """Raise the first problem, if there is any."""
        if self.errors:
            raise self.errors[0]


def nearest(word: str, valid: Iterable[str]) -> str:
    """A remedy that names the valid word closest to ``word``, or all of them when none is close."""
    import difflib  # here, for only what is wrong needs it

    known = sorted(valid)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return "use one of: " + ", ".join(known)
