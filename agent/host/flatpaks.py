"""Applications of flatpak, for all people of the machine: which are there, where they come from, and somebody
who has it otherwise, soon.

As with packages nothing here waits for a download: `ask` only says that there is something to do, and until
it is done `told` says how it goes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from agent.core.errors import BookbagError
from agent.host.packages import Told

#: As flatpak has them: three words or more, a hyphen in the last one only.
APPLICATION = r"([A-Za-z_][A-Za-z0-9_]{0,60}[.]){2,8}[A-Za-z_][A-Za-z0-9_-]{0,60}"
BRANCH = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,59}"
SOURCE = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,59}"
ADDRESS = r"https?://[a-z0-9][a-z0-9.:-]{0,120}(/[A-Za-z0-9_][A-Za-z0-9._-]*)*/?"
#: What a source of policy's says of itself, so that it is told from those of others.
OURS = "Made by Bookbag for the policy"
STATE = "/var/lib/flatpak"


@dataclass(frozen=True, slots=True)
class Source:
    """Where applications come from. ``key``: the public keys that are believed, in letters or as flatpak
    keeps them; ``verified``: whether nothing is taken that they did not sign; ``note``: what it says of
    itself.
    """

    address: str
    key: bytes
    verified: bool = True
    note: str = OURS


@dataclass(frozen=True, slots=True)
class Wish:
    """How an application should stand. ``source``: the name of where it is to come from."""

    installed: bool
    source: str = ""

    def __str__(self) -> str:
        """One word, the same for the same wish."""
        return f"from-{self.source}" if self.installed else "no"


class Flatpaks(Protocol):
    """Applications are called as flatpak itself does: ``org.gnome.Calculator//stable``. Every verb raises
    ``bad-path`` for what is no such name.
    """

    def there(self) -> bool:
        """Whether there is flatpak at all. Where there is none, nothing else is found."""
        ...

    def source(self, name: str) -> Source | None:
        """Where applications may come from under this name; None: there is none."""
        ...

    def set_source(self, name: str, source: Source | None) -> None:
        """Have this, and nothing else of that name; None: have none. Applications that came from it stay.
        Raises ``not-effective``.
        """
        ...

    def find(self, name: str) -> str | None:
        """The name of the source that it came from, "" where that has none; None: it is not installed."""
        ...

    def ask(self, name: str, wish: Wish) -> None:
        """Say that this is wished, to whoever carries it out. Raises ``not-effective`` where nobody does."""
        ...

    def told(self, name: str, wish: Wish) -> Told:
        """How it goes with what was asked for so."""
        ...

    def carry_out(self, wishes: Mapping[str, Wish], not_now: str) -> None:
        """Have it so, as far as it can be now: nobody is asked, and what fails for one stops no other.
        ``not_now``: why nothing may be installed or removed at the moment; "": it may.
        """
        ...


def parts(name: str) -> tuple[str, str]:
    """(application, branch). Raises ``bad-path`` for what is no name of one."""
    application, _, branch = name.partition("//")
    if not (re.fullmatch(APPLICATION, application) and re.fullmatch(BRANCH, branch)):
        raise BookbagError("bad-path", f"cannot use {name[:60]!r}: that is no application of flatpak")
    return application, branch


def check_source(name: str, source: Source | None = None) -> None:
    """Raise ``bad-path`` for what is no name of a source, or no address."""
    if not re.fullmatch(SOURCE, name):
        raise BookbagError("bad-path", f"cannot use {name[:60]!r}: that is no name of a source")
    if source is not None and not re.fullmatch(ADDRESS, source.address):
        raise BookbagError("bad-path", f"cannot use {source.address[:60]!r}: that is no address")
