"""What the school answered to requests of this laptop's students, newest first. No clock forgets them: the
oldest make room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.core.errors import BookbagError
from agent.store.statefile import StateFile

MOST = 200


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. ``at``: when it came, unix seconds; ``issued``: when it was signed."""

    id: str  #: of the order
    ask: str  #: id of the request
    yes: bool
    text: Mapping[str, str]
    policy: str  #: id of the policy that brings a yes about
    until: str  #: YYYY-MM-DD; "" if it has no end
    persons: tuple[str, ...]
    issued: int
    at: int


@dataclass(frozen=True, slots=True)
class Kept:
    """The state file ``replies``."""

    replies: tuple[Reply, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)


class Replies:
    """The answers kept at ``path``."""

    def __init__(self, path: str) -> None:
        self._file = StateFile(path, Kept, "replies")

    def read(self) -> tuple[Reply, ...]:
        """All of them. A damaged file is set aside: what was answered is known at the desk."""
        try:
            return (self._file.read() or Kept()).replies
        except BookbagError as problem:
            if problem.code != "state-corrupt":
                raise
            return ()

    def add(self, reply: Reply) -> None:
        """Keep one more (of the same id: once). Of two about one request the one signed later counts, in
        whatever order they come."""
        known = self.read()
        if any(one.ask == reply.ask and one.issued > reply.issued for one in known):
            return
        others = tuple(one for one in known if one.ask != reply.ask)
        self._file.write(Kept((reply, *others)[:MOST]))
