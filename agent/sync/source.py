"""What a source of news gives, and how it fails, whichever way it is reached: an https host, a folder on a
stick. What it must be able to do is said in `agent.sync.ports`.

Every probe loads this, several times an hour on each laptop: no dataclasses, no typing.
"""

from __future__ import annotations

from agent.core.errors import BookbagError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


class Part:
    """Bytes of a file from ``first`` on, a piece at a time; ``tag`` says which state of it they are of."""

    def __init__(self, first: int, tag: str, pieces: Iterator[bytes], close: Callable[[], None]) -> None:
        self.first = first
        self.tag = tag
        self.pieces = pieces
        self.close = close
