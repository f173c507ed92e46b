"""user: one person's account on the laptop itself, open or locked. Nobody's home is ever deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from agent.core.errors import BookbagError
from agent.core.model import Power, State
from agent.host.accounts import LONG_AGO, NEVER
from agent.host.base import Host
from agent.policy.bases.administration import NAME, accounts_of, not_a_persons, stays_administered
from agent.policy.bases.resource import Resource
from agent.policy.syntax.values import Flag, Key, Text

_PERSONS = "a person's"
_SHOWN = Text(most=80, pattern=r"[^:,=\\\"\x00-\x1f\x7f]+", what="a name, without : , = and quotes")


@dataclass(frozen=True, slots=True)
class User(Resource):
    """One account. Made where there is none; what is not said of it stays as it is."""

    kind: ClassVar[str] = "user"
    about: ClassVar[str] = (
        "One person's account on the laptop itself. It is made if it is not there, with a home of its own "
        "and without a password: nobody gets in before an administrator has set one (`passwd NAME`). "
        "Withdrawn, an account that was made is taken away if nobody ever used it; else it is locked, and "
        "stays with all that is in its home."
    )
    powers: ClassVar[str] = "Never ordinary. Accounts of the system (uid below 1000) are not managed at all."
    direct: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("accounts",)
    effects: ClassVar[frozenset[str]] = frozenset(("whose",))
    keys: ClassVar[Mapping[str, Key]] = {
        "login": Key(NAME, required=True, about="what is typed to log in"),
        "shown": Key(_SHOWN, about="the name that the login screen shows; as it is if left out"),
        "locked": Key(
            Flag(), about="true: nobody gets in by it, by no way; false: it is open; as it is if left out"
        ),
    }
    example: ClassVar[str] = "- user: {login: lina, shown: Lina Haddad}"

    login: str
    shown: str | None = None
    locked: bool | None = None

    @property
    def name(self) -> str:
        return self.login

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(login=name)

    def power(self) -> tuple[Power, str]:
        return Power.ROOT, "an account lets somebody in, or keeps somebody out"

    def forbidden(self) -> str:
        return not_a_persons(self.login)

    def desired(self) -> State | None:
        expires = None if self.locked is None else LONG_AGO if self.locked else NEVER
        return {"shown": self.shown, "expires": expires, "whose": _PERSONS}

    def intended(self, before: State | None) -> State | None:
        return super(User, self).intended(before or {"shown": "", "expires": NEVER, "whose": _PERSONS})

    def observe(self, host: Host) -> State | None:
        account = accounts_of(host).find(self.login)
        if account is None:
            return None
        whose = _PERSONS if account.person else f"{self.login} is the system's, with uid {account.uid}"
        return {"shown": account.shown, "expires": account.expires, "whose": whose}

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        accounts = accounts_of(host)
        there = accounts.find(self.login)
        if after is None:
            if there is not None:
                accounts.remove(self.login)
            return
        shown, expires = str(after["shown"]), str(after["expires"])
        if there is None:
            accounts.add(self.login, shown)
        accounts.change(self.login, shown, expires)

    def guard(self, host: Host) -> None:
        account = accounts_of(host).find(self.login)
        if account is not None and not account.person:
            raise BookbagError("not-allowed", f"cannot manage {self.login}: it is the system's")
        if self.locked:
            stays_administered(host, without=(self.login,))

    def retires(self, host: Host, now: State | None, prior: State | None) -> State | None:
        """An account that somebody used is not taken away again, only locked."""
        if prior is None and now is not None and accounts_of(host).used(self.login):
            return {**now, "expires": LONG_AGO}
        return prior

    def watches(self) -> tuple[str, ...]:
        return ("/etc/passwd", "/etc/shadow")
