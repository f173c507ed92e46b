"""What the school said to whoever uses this laptop, newest first, until it is out of date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.core.errors import BookbagError
from agent.store.statefile import StateFile

MOST = 20


@dataclass(frozen=True, slots=True)
class Message:
    """One message. ``at`` and ``until``: unix seconds."""

    id: str
    text: Mapping[str, str]
    persons: tuple[str, ...]
    at: int
    until: int


@dataclass(frozen=True, slots=True)
class Kept:
    """The state file ``messages``."""

    messages: tuple[Message, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)


class Messages:
    """The messages kept at ``path``."""

    def __init__(self, path: str) -> None:
        self._file = StateFile(path, Kept, "messages")

    def read(self, at: int) -> tuple[Message, ...]:
        """Those that still count. A damaged file is set aside: what was said can be read at the desk."""
        try:
            kept = self._file.read() or Kept()
        except BookbagError as problem:
            if problem.code != "state-corrupt":
                raise
            kept = Kept()
        return tuple(one for one in kept.messages if one.until > at)

    def add(self, message: Message, at: int) -> None:
        """Keep one more (of the same id: once), and forget what is out of date."""
        others = tuple(one for one in self.read(at) if one.id != message.id)
        self._file.write(Kept((message, *others)[:MOST]))
