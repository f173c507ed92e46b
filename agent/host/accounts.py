"""What the agent may ask of the machine's own people and groups, and of who may become root."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from agent.host.uids import FIRST_PERSON, LAST_PERSON

NEVER = ""  #: of `Account.expires`
#: What `Accounts.password` tells.
UNSET, GIVEN, KEPT, OWN = "unset", "given", "kept", "own"
LONG_AGO = "1"  #: the same: the second of January 1970. Nobody gets in by such an account.


@dataclass(frozen=True, slots=True)
class Account:
    """One line of /etc/passwd, and since when nobody gets in by it: in days since 1970."""

    name: str
    uid: int
    gid: int
    shown: str  #: the whole comment field; its first part is the name that login screens show
    home: str
    shell: str
    expires: str = NEVER

    @property
    def person(self) -> bool:
        """Whether it is a person's, not the system's or a container's."""
        return FIRST_PERSON <= self.uid <= LAST_PERSON

    @property
    def closed(self) -> bool:
        """Whether it expired so long ago that only somebody who meant it can have written that."""
        return self.expires.isdigit() and int(self.expires) <= int(LONG_AGO)


class Accounts(Protocol):
    """People and groups that this machine keeps in its own files. Those of a directory service are not here.

    Whatever else stands in those files stays byte for byte. Each verb may raise ``not-effective`` (the
    machine's own program refuses, and why), ``not-found``, ``worker-timeout``.
    """

    def find(self, name: str) -> Account | None:
        """The account ``name``; None if there is none."""
        ...

    def people(self) -> tuple[Account, ...]:
        """The accounts of persons, by name."""
        ...

    def members(self, group: str) -> tuple[str, ...] | None:
        """Whom the line of ``group`` names, in its order; None: there is no such group. Who has it as the
        group of their account is not named there."""
        ...

    def group_of(self, name: str) -> str:
        """The name of the group that the account ``name`` begins with; "" where there is none."""
        ...

    def add(self, name: str, shown: str) -> None:
        """Make an account with a home of its own and no password: nobody gets in before somebody sets one."""
        ...

    def change(self, name: str, shown: str, expires: str) -> None:
        """Make these two be so."""
        ...

    def barred(self, name: str) -> bool:
        """Whether no password gets in by the account: it has none that could be typed."""
        ...

    def bar(self, name: str, barred: bool) -> None:
        """Make that so, for an account where it is not; or give back the password that it had before."""
        ...

    def password(self, name: str, given: str) -> str:
        """What is known of the password beside ``given``, the hash of one that was given: `UNSET` (none was
        ever set), `GIVEN` (it is that, to be changed at the next log-in), `KEPT` (it is that, and need not
        be changed), `OWN` (another)."""
        ...

    def give_password(self, name: str, hashed: str) -> None:
        """Make it the password with that hash, which whoever logs in has to change at once."""
        ...

    def take_password(self, name: str) -> None:
        """Make it have none (`UNSET`): nobody gets in by it before one is given."""
        ...

    def used(self, name: str) -> bool:
        """Whether anybody ever got in by it, or anything is in its home that a new one has not."""
        ...

    def remove(self, name: str) -> None:
        """Take away an account that nobody `used`, and its home. Raises ``not-allowed`` for any other."""
        ...

    def add_group(self, name: str) -> None:
        """Make a group without members."""
        ...

    def remove_group(self, name: str) -> None:
        """Take it away, whoever is in it."""
        ...

    def set_members(self, group: str, members: Iterable[str]) -> None:
        """Make the line of ``group`` name exactly these, in this order."""
        ...

    def set_home_mode(self, name: str, mode: int) -> None:
        """Give the home of ``name`` these permissions. Raises ``bad-path`` unless it is a directory of
        theirs."""
        ...


class Sudo(Protocol):
    """Who may become root by sudo."""

    def fault(self, text: str) -> str:
        """What is wrong with ``text`` as a file of sudoers; "" if nothing."""
        ...

    def allows(self, user: str) -> bool:
        """Whether ``user`` may run whatever they like as root."""
        ...
