"""What the laptop remembers of its orders: those under way, ids of those that ended, those called off, the
receipts.

Kept in two copies. If both are lost, what was obeyed and what was called off is not known any more: from then
on nothing destructive counts that was ordered before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from agent.commands.case import Case, Step
from agent.core.clock import DAY
from agent.core.errors import BookbagError
from agent.store.twinfile import TwinFile
from agent.trust.receipts import GENESIS

MOST_ENDED = 256
MOST_CALLED_OFF = 256
MOST_TOLD = 256
MOST_UNSENT = 64
MOST_REFUSALS = 64  #: that are told in a day: whoever owns the service can make up orders without end


@dataclass(frozen=True, slots=True)
class Ended:
    """An order that is over. ``seq`` and ``kind`` say whose place it had."""

    id: str
    kind: str
    step: Step
    at: int


@dataclass(frozen=True, slots=True)
class Unsent:
    """A receipt that must get into the outbox, in the very bytes that leave the laptop: sealed anew it would
    be another one to whoever has it already."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Book:
    """The whole memory; immutable."""

    cases: tuple[Case, ...] = ()  #: under way, oldest first
    ended: tuple[Ended, ...] = ()
    called_off: tuple[str, ...] = ()  #: ids, also of orders that never arrived
    refused: tuple[str, ...] = ()  #: ``id code`` of refusals (or of openings not proven) that were told
    refused_day: int = 0  #: days since 1970 of the newest of them
    refused_n: int = 0  #: and how many were told that day
    unsent: tuple[Unsent, ...] = ()
    receipts: int = 0  #: how many were written
    head: str = GENESIS  #: hash of the last one
    lost_at: int = 0  #: when this memory was lost; 0: never
    device: str = ""  #: whose memory this is; "" before anybody said so
    count: int = 0
    extra: Mapping[str, object] = field(default_factory=dict)

    def case(self, id_: str) -> Case | None:
        """The order of that id that is under way."""
        return next((one for one in self.cases if one.id == id_), None)

    def knows(self, id_: str) -> bool:
        """Whether that order was taken down before."""
        return self.case(id_) is not None or any(one.id == id_ for one in self.ended)

    def with_case(self, case: Case, asked: Collection[str] = ()) -> Book:
        """With ``case`` in the place of its earlier self, or among the ended. Of those the newest are kept,
        and the ``asked`` ones, which are still in the mailbox: what is forgotten would be done again."""
        others = tuple(one for one in self.cases if one.id != case.id)
        if case.final:
            ended = (*self.ended, Ended(case.id, case.kind, case.step, case.since))
            old = tuple(one for one in ended[:-MOST_ENDED] if one.id in asked)
            return replace(self, cases=others, ended=(*old, *ended[-MOST_ENDED:]))
        if len(others) == len(self.cases):
            return replace(self, cases=(*others, case))
        return replace(self, cases=tuple(case if one.id == case.id else one for one in self.cases))

    def with_refusal(self, name: str, at: int) -> Book:
        """With one refusal more that was told at ``at``."""
        day = at // DAY
        count = self.refused_n if day == self.refused_day else 0
        refused = (*self.refused, name)[-MOST_TOLD:]
        return replace(self, refused=refused, refused_day=day, refused_n=count + 1)

    def may_refuse(self, at: int) -> bool:
        """Whether one more refusal may be told at ``at``."""
        return at // DAY != self.refused_day or self.refused_n < MOST_REFUSALS


class BookFile:
    """The book at ``path`` and ``path.2``."""

    def __init__(self, path: str) -> None:
        self._file = TwinFile(path, Book, "commands")
        self.trouble: BookbagError | None = None

    def read(self, at: int, last: tuple[int, str], device: str) -> Book:
        """The book of ``device``; a new one if there was none, or if it is of the laptop's former life. One
        that was lost is begun anew as of ``at``, after the receipt ``last`` (number, hash), and ``trouble``
        says so."""
        try:
            book = self._file.read()
            if book is None and last[0]:
                raise BookbagError(
                    "state-corrupt",
                    f"cannot read what was ordered: both files are gone, and {last[0]} receipts were written",
                )
        except BookbagError as problem:
            if problem.code != "state-corrupt":
                raise
            self.trouble = problem
            return self._file.write(Book(receipts=last[0], head=last[1], lost_at=at, device=device))
        if book is None or book.device not in ("", device):
            return Book(device=device)
        return replace(book, device=device)

    def write(self, book: Book) -> Book:
        """Keep it, durably. Raises ``disk-full``."""
        return self._file.write(book)
