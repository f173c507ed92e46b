"""What a source of news is, whichever way it is reached: an https host, a folder on a stick."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from agent.core.errors import BookbagError

TIMESTAMP = "metadata/timestamp.json"
MAX_TIMESTAMP = 16 << 10


class SourceFailed(BookbagError):
    """A source did not give what was asked. ``answered``: something did answer, so asking again soon would be
    a burden.

    ``retry_after`` is what it asked for, in seconds; 0: nothing.
    """

    def __init__(
        self,
        message: str,
        *,
        place: str,
        remedy: str = "",
        answered: bool = False,
        retry_after: int = 0,
        code: str = "network",
    ) -> None:
        super().__init__(code, message, place=place, remedy=remedy)
        self.answered = answered
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Posted:
    """A host's answer to a POST. ``whole`` False: its body was not read, being packed, too long, or of no
    length that the head tells.
    """

    status: int
    kind: str  #: media type; "" if it names none
    body: bytes
    retry_after: int  #: seconds; 0: it asked for nothing
    whole: bool = True


class Poster(Protocol):
    """A host that takes requests with a body."""

    @property
    def name(self) -> str:
        """The URL."""
        ...

    def connect(self) -> None:
        """Be connected, and sure of who it is. Raises SourceFailed."""
        ...

    def post(self, path: str, headers: dict[str, str], body: bytes, most: int) -> Posted:
        """One request. Raises SourceFailed when no answer came back."""
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...


class Part:
    """Bytes of a file from ``first`` on, a piece at a time; ``tag`` says which state of it they are of."""

    def __init__(self, first: int, tag: str, pieces: Iterator[bytes], close: Callable[[], None]) -> None:
        self.first = first
        self.tag = tag
        self.pieces = pieces
        self.close = close


class Source(Protocol):
    """Named files of a site repository, and a place for returns."""

    @property
    def name(self) -> str:
        """What people call it: the URL or the path."""
        ...

    def probe(self, tag: str) -> tuple[bytes, str] | None:
        """(timestamp.json, its tag); None if it is what ``tag`` (from an earlier probe, or "") stood for. One
        request.
        """
        ...

    def open(self, path: str, max_bytes: int) -> Iterator[bytes]:
        """The bytes of ``path``, at most ``max_bytes`` of them. Raises ``not-found``, ``too-large``,
        ``network``, ``bad-path``.
        """
        ...

    def part(self, path: str, first: int, tag: str, most: int) -> Part:
        """The bytes of ``path`` from ``first`` on, if it still is what ``tag`` (of an earlier part, or "")
        stood for, else from its beginning; at most ``most`` of the whole. Raises as `open`, also while it is
        read.
        """
        ...

    def deliver(self, name: str, data: bytes) -> str:
        """Put one return there: ``delivered``, ``already`` (another return of that name is there), or
        ``left`` (on a stick: keep it until the desk has answered).
        """
        ...

    def close(self) -> None:
        """Give connections and descriptors back."""
        ...
