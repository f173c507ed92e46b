"""One round: the first source that answers is asked for news, given what waits in the outbox, and mirrored if
it has any.

With nothing new and nothing to deliver it is exactly one conditional request. What is heavy (the update
framework) is imported only when there is news, and what most rounds do without (dataclasses, typing) not at
all.
"""

from __future__ import annotations

import time

from agent.core import returns
from agent.core.errors import BookbagError
from agent.sync.source import TIMESTAMP, SourceFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from agent.sync.memory import Memory
    from agent.sync.ports import Source

    Outgoing = Iterator[tuple[str, bytes]]

MAX_RETURNS = 64  #: delivered in one round
MAX_REFUSED = 64  #: and so many may be refused: each was sent whole
_TAKEN = (
    "another return of this name is there: this laptop was set back to an older state, or a copy of it "
    "reports too; enrol it again"
)
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 4.0  #: seconds between sources


class Wanted:
    """Who asks, and for what. ``mailbox`` "" before there is one; ``at``: trusted time, unix seconds, 0 if
    not known yet. ``whole``: the mirror is suspected to be damaged, so what was seen before does not count.
    """

    __slots__ = ("at", "bootstrap_root", "mailbox", "mirror", "site", "whole")

    def __init__(
        self,
        site: str,
        mirror: str,
        bootstrap_root: bytes,
        mailbox: str = "",
        at: int = 0,
        *,
        whole: bool = False,
    ) -> None:
        self.site = site
        self.mirror = mirror
        self.bootstrap_root = bootstrap_root
        self.mailbox = mailbox
        self.at = at
        self.whole = whole


class Round:
    """What came of it."""

    def __init__(self) -> None:
        self.source = ""
        self.news = False
        self.files = 0  #: taken from the source
        self.received = 0  #: bytes
        self.delivered: list[str] = []
        self.already: list[str] = []
        self.left: list[str] = []
        self.undelivered: dict[str, str] = {}  #: name → why
        self.refusals: list[dict[str, str]] = []


def run_round(
    sources: Sequence[Callable[[], Source]],
    wanted: Wanted,
    memory: Memory,
    outgoing: Callable[[], Outgoing],
    this: Round,
) -> None:
    """Try the sources in order until one has answered well; ``this`` tells what came of it, also when this
    raises the error of the first one because none did.
    """
    first: BookbagError | None = None
    for number, open_source in enumerate(sources):
        if number:
            import random  # what most rounds, which end at the first source, need not load

            pause = min(FIRST_PAUSE * 2 ** (number - 1), LONGEST_PAUSE)
            time.sleep(pause * (0.5 + random.random()))  # noqa: S311  # spreads load, guards nothing
        try:
            source = open_source()
            try:
                _ask(source, wanted, memory, outgoing, this)
                return
            finally:
                source.close()
        except BookbagError as problem:
            first = _worse(first, problem)
    raise first or BookbagError(
        "bad-config", "cannot sync: no address is configured", remedy="add `urls` to agent.yaml"
    )


def _ask(
    source: Source, wanted: Wanted, memory: Memory, outgoing: Callable[[], Outgoing], this: Round
) -> None:
    found = source.probe("" if wanted.whole else memory.tag(source.name))
    this.source = source.name
    _deliver(source, this, outgoing())
    if found is None:
        return
    data, tag = found
    fresh = wanted.whole or not _have(wanted.mirror, data) or not memory.bound
    if fresh:
        _mirror(source, wanted, this)
    memory.keep(source.name, tag, fresh=fresh)


def _mirror(source: Source, wanted: Wanted, this: Round) -> None:
    from agent.trust.wanted import refresh

    refreshed = refresh(
        source,
        wanted.mirror,
        bootstrap_root=wanted.bootstrap_root,
        site=wanted.site,
        mailbox=wanted.mailbox or None,
        at=wanted.at,
    )
    this.news = refreshed.changed
    this.files, this.received = refreshed.files, refreshed.received
    this.refusals = [
        {"subject": one.subject, "code": one.code, "message": one.message} for one in refreshed.refusals
    ]


def _deliver(source: Source, this: Round, outgoing: Outgoing) -> None:
    """What waits, as it comes; what one refuses keeps waiting and does not hold up the next. Of a token that
    was used before nothing more will come; a receipt stays ours to tell, whatever else bears its name.
    """
    this.undelivered.clear()
    gone = {*this.delivered, *this.already}
    for name, data in outgoing:
        if len(this.delivered) + len(this.already) >= MAX_RETURNS or len(this.undelivered) >= MAX_REFUSED:
            return
        if name in gone:
            continue
        try:
            how = source.deliver(name, data)
        except BookbagError as problem:
            this.undelivered[name] = problem.message
            if isinstance(problem, SourceFailed) and (problem.retry_after or not problem.answered):
                return
            continue
        if how == "already" and not name.startswith(returns.ENROL):
            this.undelivered[name] = _TAKEN
        else:
            {"delivered": this.delivered, "already": this.already, "left": this.left}[how].append(name)


def _have(mirror: str, data: bytes) -> bool:
    """Whether the mirror's timestamp.json is exactly this."""
    try:
        with open(f"{mirror}/{TIMESTAMP}", "rb") as file:
            return file.read(len(data) + 1) == data
    except OSError:
        return False


def _worse(first: BookbagError | None, problem: BookbagError) -> BookbagError:
    """The first source's error stands for all, but a later one that did answer decides how soon to
    ask again.
    """
    if first is None:
        return problem
    if isinstance(first, SourceFailed) and isinstance(problem, SourceFailed):
        first.answered = first.answered or problem.answered
        first.retry_after = max(first.retry_after, problem.retry_after)
    return first
