"""What a round asks of a source of news, and reports of a host; the two that are there are in `https` and
`folder`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from agent.sync.source import Part


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
