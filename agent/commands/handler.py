"""What a kind of order is to the machine, and what it may use."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from agent.commands.arranged import Arrangements
from agent.commands.book import Book
from agent.commands.case import Case
from agent.commands.holding import Holding
from agent.commands.messages import Messages
from agent.commands.replies import Replies
from agent.commands.secrets import Secrets
from agent.commands.sessions import Sessions
from agent.commands.staging import Staged
from agent.core.clock import Now
from agent.host.base import Host
from agent.trust.identity import DeviceIdentity
from agent.trust.verified import Verified
from agent.trust.view import SiteView


@dataclass(frozen=True, slots=True)
class World:
    """Everything that handlers act on. ``erasing``: this process may destroy data; what would is left alone
    otherwise. ``check_arranged``: raises for settings that may not be arranged, without naming them.
    ``call_off``: call off the order of that id, and say what it was. ``startable``: which timetables of this
    laptop's policy a teacher may start, and for how many seconds at once."""

    host: Host
    now: Now
    word: Verified[SiteView]
    identity: DeviceIdentity
    holding: Holding
    messages: Messages
    replies: Replies
    secrets: Secrets
    arranged: Arrangements
    check_arranged: Callable[[Mapping[str, object]], None]
    sessions: Sessions
    staged: Staged
    erasing: bool
    book: Callable[[], Book]
    call_off: Callable[[str], Case | None]
    startable: Callable[[], Mapping[str, int]]

    @property
    def at(self) -> int:
        """Trusted unix seconds."""
        return self.now.at


class Handler(ABC):
    """One kind of order. Found by a listing of `agent.commands.handlers`."""

    kind: ClassVar[str]

    @abstractmethod
    def advance(self, case: Case, world: World) -> Case | None:
        """Do what the case's step says, and give the case in the step that follows; None: nothing to do now.

        May be cut off anywhere and called again with the same case. Raises BookbagError: the machine ends the
        case as failed.
        """
