"""What kinds about people share: names, whose an account is, and that somebody may still administer."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from agent.core.errors import BookbagError
from agent.host.accounts import Accounts
from agent.host.base import Host
from agent.host.lacking import need
from agent.policy.syntax.values import Text

#: Debian's: who is in it may become root, by sudo and where the desktop asks for an administrator.
ADMINISTRATORS: Final = "sudo"
NAME: Final = Text(
    most=32, pattern="[a-z_][a-z0-9_-]*", what="a name of a-z, 0-9, hyphen and underscore, such as lina"
)
#: What every Debian has; others of the system are known by their number, on the machine.
_OF_THE_SYSTEM: Final = frozenset(
    (
        "root",
        "daemon",
        "bin",
        "sys",
        "sync",
        "games",
        "man",
        "lp",
        "mail",
        "news",
        "proxy",
        "backup",
        "nobody",
    )
)


def not_a_persons(name: str) -> str:
    """Why no policy may manage the account ``name``; "" if one may, as far as its name tells."""
    if name.startswith("bookbag"):
        return "it belongs to Bookbag itself"
    return "it belongs to the system" if name in _OF_THE_SYSTEM else ""


def accounts_of(host: Host) -> Accounts:
    """The accounts of the machine. Raises ``not-supported``."""
    return need(host.accounts, "accounts")


def administrators(host: Host, among: Collection[str] | None = None) -> tuple[str, ...]:
    """Who may administer the laptop: persons of the group, or ``among`` others, whose account is open."""
    accounts = accounts_of(host)
    named = (accounts.members(ADMINISTRATORS) or ()) if among is None else among
    return tuple(one.name for one in accounts.people() if one.name in named and not one.closed)


def stays_administered(host: Host, without: Collection[str]) -> None:
    """Raise ``not-allowed`` if nobody who may administer the laptop were left without these."""
    now = administrators(host)
    if now and not set(now) - set(without):
        raise BookbagError(
            "not-allowed",
            f"cannot keep {', '.join(now)} out: nobody who may administer this laptop would be left",
            remedy="name another administrator who has an account here",
        )
