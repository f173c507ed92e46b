"""roster: the accounts that IT gives this laptop's students, each with a first password to be changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.core.model import Power, State
from agent.host.accounts import GIVEN, LONG_AGO, NEVER, OWN, UNSET, Account, Accounts
from agent.host.base import Host
from agent.policy.bases import made_accounts, roster
from agent.policy.bases.administration import accounts_of, stays_administered
from agent.policy.bases.made_accounts import Made, MadeAccounts
from agent.policy.bases.resource import Resource
from agent.policy.bases.roster import RosterLine

RISK: Final = "an account lets somebody in"
_AS_GIVEN, _CLOSED = "as given", "closed, for somebody used them"


@dataclass(frozen=True, slots=True)
class Roster(Resource):
    """All of them together. A state names no student: it tells which place of the laptop's list differs."""

    kind: ClassVar[str] = "roster"
    sole: ClassVar[str] = "accounts"
    about: ClassVar[str] = "The accounts of the school's roster that IT gives this laptop, sealed."
    needs: ClassVar[tuple[str, ...]] = ("accounts",)
    late: ClassVar[bool] = True  #: who administers the laptop is decided first

    def power(self) -> tuple[Power, str]:
        return Power.ROOT, RISK

    def awaits(self, host: Host) -> str:
        return "" if _slots(host) else "the accounts of the roster, which IT gives this laptop"

    def secrets(self) -> tuple[str, ...]:
        return (roster.slot(1),)

    # -- what should be, what is

    def desired(self) -> State | None:
        return {"accounts": _AS_GIVEN}

    def observe(self, host: Host) -> State | None:
        accounts, made = accounts_of(host), MadeAccounts(host.files)
        given = _given(host)
        wrong = next((f"{slot} {told}" for slot, line in given if (told := _told(accounts, made, line))), "")
        if made.open():
            logins = {line.login for _, line in given if line is not None}
            more = any(login not in logins for login in made.open())
            return {"accounts": wrong or ("one is not given any more" if more else _AS_GIVEN)}
        if given and not wrong:
            return {"accounts": _AS_GIVEN}
        left = (accounts.find(login) for login in made.closed())
        return {"accounts": _CLOSED} if any(one is not None and one.closed for one in left) else None

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        made = MadeAccounts(host.files)
        given = _given(host) if after == self.desired() else []
        logins = {line.login for _, line in given if line is not None}
        unread = any(line is None for _, line in given)  # whose account that is, nobody can tell
        problems = [] if unread else list(_retire(host, made, logins))
        seen: set[str] = set()
        for slot, line in given:
            try:
                if line is None or line.login in seen:
                    remedy = "bookbag-fleet roster import"
                    raise BookbagError("bad-argument", "it is no line of the roster", remedy=remedy)
                seen.add(line.login)
                _establish(host, made, line)
            except BookbagError as error:
                problems.append(_nameless(error, slot, (line.login, line.shown) if line is not None else ()))
        if problems:
            raise problems[0]

    def settled(self, seen: State | None, after: State | None) -> State | None:
        """Who used an account has it closed in the end, and who was here before has it still."""
        ends: tuple[State | None, ...] = (None, {"accounts": _CLOSED})
        return after if after in ends and seen in (*ends, {"accounts": _AS_GIVEN}) else seen

    def release(self, now: State | None, prior: State | None) -> State | None:
        """Whatever somebody changed of ours, it goes."""
        return None

    def retires(self, host: Host, now: State | None, prior: State | None) -> State | None:
        """An account that somebody used is not taken away again, only closed."""
        accounts, made = accounts_of(host), MadeAccounts(host.files)
        there = [login for login in made.open() if accounts.find(login) is not None]
        return {"accounts": _CLOSED} if any(map(accounts.used, there)) else prior

    # -- where it is

    def paths(self) -> tuple[str, ...]:
        return (made_accounts.PATH,)

    def watches(self) -> tuple[str, ...]:
        """Goes on as soon as an account is given, or a password anew."""
        return (Layout().secrets_file, "/etc/passwd", "/etc/shadow")


def _slots(host: Host) -> list[str]:
    names = host.secrets.names() if host.secrets is not None else ()
    return sorted(filter(roster.is_slot, names), key=lambda one: (len(one), one))


def _given(host: Host) -> list[tuple[str, RosterLine | None]]:
    """By place; None: nobody can tell what it says."""
    found: list[tuple[str, RosterLine | None]] = []
    for slot in _slots(host):
        text = host.secrets.find(slot) if host.secrets is not None else None
        try:
            found.append((slot, roster.read(text or "")))
        except BookbagError:
            found.append((slot, None))
    return found


def _told(accounts: Accounts, made: MadeAccounts, line: RosterLine | None) -> str:
    """What is otherwise than given; "" if nothing."""
    if line is None:
        return "cannot be read"
    account, note = accounts.find(line.login), made.find(line.login)
    if account is None:
        return "has no account"
    if not account.person:
        return "has the name of an account of the system's"
    if note is None:
        return "has an account without a password" if _is_untouched(accounts, account) else ""
    if note.out:
        return "has an account that is closed"
    password = accounts.password(line.login, line.hashed)
    if _is_due(password, note, line) or (password == GIVEN and note.tag != line.tag):
        return "has not the password that was given"
    return "has an account under another name" if _shown(account) != line.shown else ""


def _is_due(password: str, note: Made, line: RosterLine) -> bool:
    """Whether the password that was given is to be set: never in place of one that a student chose, unless IT
    gave it because that was forgotten, or gives the account to somebody anew; the same one never twice."""
    if password == OWN:
        return note.tag != line.tag and (note.out or line.word == roster.RESET)
    return password != GIVEN


def _is_untouched(accounts: Accounts, account: Account) -> bool:
    """Whether nobody ever got in, nor could: it may have been made right before the power went."""
    return accounts.password(account.name, "-") == UNSET and not accounts.used(account.name)


def _establish(host: Host, made: MadeAccounts, line: RosterLine) -> None:
    accounts, login = accounts_of(host), line.login
    account, note = accounts.find(login), made.find(login)
    if account is not None and not account.person:
        raise BookbagError("not-allowed", "the system has an account of that name")
    if account is not None and note is None and not _is_untouched(accounts, account):
        return  # it was here before, and has a password of its own
    fresh = account is None
    if account is None or note is None:
        _mighty(host, login)
        note = Made()
        made.put(login, note)
    if account is None:
        _add(accounts, made, line)
    password = accounts.password(login, line.hashed)
    due = _is_due(password, note, line)
    if (due or note.out) and _administers(host, login):
        if fresh:
            accounts.remove(login)
            made.put(login, None)
        raise _too_mighty()
    if due:
        _give(accounts, made, line, password)
    there = accounts.find(login)
    if there is not None and (note.out or _shown(there) != line.shown):
        accounts.change(login, line.shown, NEVER if note.out and there.closed else there.expires)
    made.put(login, Made(line.tag))


def _add(accounts: Accounts, made: MadeAccounts, line: RosterLine) -> None:
    try:
        accounts.add(line.login, line.shown)
    except BookbagError:
        if accounts.find(line.login) is None:  # whoever has that name one day was not made by us
            made.put(line.login, None)
        raise


def _give(accounts: Accounts, made: MadeAccounts, line: RosterLine, password: str) -> None:
    """Noted before it is set: whatever else is found afterwards, the student chose."""
    if password == OWN:  # what was there before must not be taken for that, if this is cut off
        accounts.take_password(line.login)
    made.put(line.login, replace(made.find(line.login) or Made(), tag=line.tag))
    accounts.give_password(line.login, line.hashed)


def _administers(host: Host, login: str) -> bool:
    by_sudo = host.sudo is not None and host.sudo.allows(login)
    return by_sudo or _mighty(host, login, refuse=False)


def _mighty(host: Host, login: str, *, refuse: bool = True) -> bool:
    """Whether a group that is as good as root has or names ``login``, account or not."""
    accounts = accounts_of(host)
    found = accounts.group_of(login) in roster.MIGHTY or any(
        login in (accounts.members(group) or ()) for group in roster.MIGHTY
    )
    if found and refuse:
        raise _too_mighty()
    return found


def _too_mighty() -> BookbagError:
    why = "whoever has that name may administer this laptop, and one person alone gives nobody that"
    return BookbagError("not-allowed", why)


def _retire(host: Host, made: MadeAccounts, stay: set[str]) -> Iterator[BookbagError]:
    """Those that are not given any more: nobody used it, it goes; else it is closed. What went wrong."""
    accounts = accounts_of(host)
    for login in made.open():
        if login in stay:
            continue
        try:
            account = accounts.find(login)
            if account is None or not account.person:
                made.put(login, None)
                continue
            stays_administered(host, without=(login,))
            if accounts.used(login):
                accounts.change(login, account.shown, LONG_AGO)
                made.put(login, replace(made.find(login) or Made(), out=True))
            else:
                accounts.remove(login)
                made.put(login, None)
        except BookbagError as error:
            yield _nameless(error, "what is not given any more", (login,))


def _shown(account: Account) -> str:
    return account.shown.partition(",")[0]


def _nameless(error: BookbagError, slot: str, names: Iterable[str]) -> BookbagError:
    """The same without the student's names, for it goes into ledger, reports and log."""
    text = error.message
    for name in names:
        text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", "…", text)
    return BookbagError(error.code, f"{slot}: {text}", remedy=error.remedy)
