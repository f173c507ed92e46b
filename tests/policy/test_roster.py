"""accounts.roster: made as IT gave them, with a first password that is set once; what students chose is left
alone, and nothing names a student.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import re
from dataclasses import replace
from typing import Any

import pytest

from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.core.model import Outcome
from agent.fleet import firstpassword
from agent.host.accounts import GIVEN, LONG_AGO, OWN, UNSET, Account, Accounts
from agent.host.base import Host
from agent.policy.bases import made_accounts, roster
from agent.policy.bases.roster import FIRST, RESET, RosterLine
from agent.policy.enforcement.memory import Flap
from agent.policy.enforcement.plan import Run
from tests.fleet.test_secrecy import finds
from tests.policy.machine import Machine, compiled, source

ID = "roster:accounts"
ROSTER = compiled(source("settings:\n  accounts.roster: given\n", power=True))
BOTH = compiled(
    source("settings:\n  accounts.roster: given\n  accounts.home-permissions: open\n", power=True)
)
HASH, OTHER = (f"$7$C6..../....{salt}${'x' * 43}" for salt in ("0123456789abcdef", "fedcba9876543210"))
OWN_HASH = "$y$j9T$own$own"
LINA = RosterLine("lina", "Lina Haddad", FIRST, HASH)


def give(machine: Machine, *lines: RosterLine) -> None:
    for name in [one for one in machine.secrets if roster.is_slot(one)]:
        del machine.secrets[name]
    machine.secrets |= {roster.slot(n): roster.write(one) for n, one in enumerate(lines, 1)}


def audit(machine: Machine) -> Run:
    """What happens as soon as the secrets change."""
    machine.now += 3600
    return machine.engine.audit(ROSTER, [Layout().secrets_file])


def row(ran: Run) -> tuple[Outcome, str, str]:
    (one, *more) = [one for one in ran.reports if one.resource == ID]
    assert not more
    return one.outcome, one.code, one.message


def found(machine: Machine, login: str = "lina") -> Account | None:
    return accounts(machine.host).find(login)


def accounts(host: Host) -> Accounts:
    assert host.accounts is not None
    return host.accounts


def password(machine: Machine, login: str = "lina", given: str = HASH) -> str:
    return accounts(machine.host).password(login, given)


def changes(machine: Machine, login: str = "lina") -> None:
    """The student sets a password of their own."""
    accounts(machine.host).give_password(login, OWN_HASH)
    shadow = machine.read("/etc/shadow")
    assert shadow is not None
    machine.write("/etc/shadow", shadow.replace(f"{OWN_HASH}:0:", f"{OWN_HASH}:20000:"), 0o640)


def uses(machine: Machine, login: str = "lina") -> None:
    machine.write(f"/home/{login}/essay.txt", "precious")


def test_it_is_made_and_taken_away_without_a_trace(machine: Machine) -> None:
    before = machine.state()
    give(machine, LINA)
    machine.apply(ROSTER)
    account = found(machine)
    assert account is not None and account.person and account.shown == "Lina Haddad" and not account.closed
    assert password(machine) == GIVEN, "to be changed at the first log-in"
    assert machine.plan(ROSTER).empty and row(machine.apply(ROSTER))[0] is Outcome.IN_FORCE
    machine.apply(None)
    assert machine.state() == before
    assert machine.undo.resources() == ()


def test_a_password_that_the_student_chose_is_never_set_back(machine: Machine) -> None:
    give(machine, LINA)
    machine.apply(ROSTER)
    changes(machine)
    assert password(machine) == OWN, "the control"
    machine.remove(made_accounts.PATH)
    for _ in range(2):
        assert row(audit(machine))[0] is not Outcome.FAILED
        machine.apply(ROSTER)
        assert password(machine) == OWN, "whatever happens to what is noted"


def test_who_may_look_into_a_home_is_decided_in_the_run_that_makes_it(machine: Machine) -> None:
    """Before that run there was no home that was not as decided."""
    give(machine, LINA)
    before = machine.state()
    ran = machine.apply(BOTH)
    assert [one.outcome for one in ran.reports if one.resource == "homes:people"] == [Outcome.CHANGED]
    home = machine.host.files.read("/home/lina")
    assert home is not None and home.mode == 0o755
    assert machine.plan(BOTH).steps == ()
    machine.apply(None)
    assert machine.state() == before


class Unreadable:
    """A disk on which one path cannot be read: everything else is the real port."""

    def __init__(self, real: Any, path: str) -> None:
        self._real = real
        self._path = path

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def read(self, path: str, **how: Any) -> Any:
        if path == self._path:
            raise OSError(5, "I/O error", path)
        return self._real.read(path, **how)


def stands(machine: Machine, ran: Run) -> Outcome:
    """How homes stand, told once, and remembered as that."""
    (outcome,) = [one.outcome for one in ran.reports if one.resource == "homes:people"]
    remembered = machine.memory.read()
    assert remembered is not None and remembered.standing["homes:people"].outcome == outcome
    return outcome


def test_homes_that_cannot_be_looked_at_once_they_are_made_are_not_told_as_in_force(machine: Machine) -> None:
    give(machine)
    assert stands(machine, machine.apply(BOTH)) is Outcome.IN_FORCE, "before there is an account"
    give(machine, LINA)
    real = machine.host
    machine.host = replace(real, files=Unreadable(real.files, "/home/lina"))
    ran = machine.apply(BOTH)
    assert row(ran)[0] is Outcome.CHANGED
    assert stands(machine, ran) is Outcome.FAILED and ran.failed
    machine.host = real
    assert not machine.apply(BOTH).failed


def test_homes_that_are_left_alone_for_a_while_are_not_told_as_in_force(machine: Machine) -> None:
    give(machine)
    machine.apply(BOTH)
    remembered = machine.memory.read()
    assert remembered is not None
    flap = Flap(until=machine.now + 60, why="flapping")
    machine.memory.write(replace(remembered, flaps={"homes:people": flap}))
    give(machine, LINA)
    ran = machine.apply(BOTH)
    assert row(ran)[0] is Outcome.CHANGED
    assert stands(machine, ran) is Outcome.BACKED_OFF


def test_what_is_given_is_healed_until_then(machine: Machine) -> None:
    give(machine, LINA)
    machine.apply(ROSTER)
    shadow = machine.read("/etc/shadow")
    assert shadow is not None
    machine.write("/etc/shadow", shadow.replace(f"{HASH}:0:", f"{HASH}:20000:"), 0o640)
    assert row(audit(machine))[0] is Outcome.HEALED
    assert password(machine) == GIVEN, "it must be changed again"
    accounts(machine.host).remove("lina")
    assert row(audit(machine))[0] is Outcome.HEALED
    assert password(machine) == GIVEN, "made anew, with it"
    accounts(machine.host).change("lina", "Somebody", "")
    audit(machine)
    account = found(machine)
    assert account is not None and account.shown == "Lina Haddad"


def test_a_forgotten_password_is_reset_once(machine: Machine) -> None:
    give(machine, LINA)
    machine.apply(ROSTER)
    changes(machine)
    give(machine, replace(LINA, hashed=OTHER))
    audit(machine)
    assert password(machine) == OWN, "another first one takes nobody's own"
    give(machine, replace(LINA, word=RESET, hashed=OTHER))
    audit(machine)
    assert password(machine, given=OTHER) == GIVEN
    changes(machine)
    audit(machine)
    machine.apply(ROSTER)
    assert password(machine, given=OTHER) == OWN, "and never again"


class Cut(Exception):
    """The power."""


@pytest.mark.parametrize("at", ["take_password", "put", "give_password", "change"])
@pytest.mark.parametrize("closed", [False, True])
def test_a_reset_that_was_cut_off_takes_nothing_that_is_chosen_after_it(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, at: str, closed: bool
) -> None:
    """Right after each step of it the power goes; if the student gets in then, and chooses one, it stays."""
    give(machine, LINA)
    machine.apply(ROSTER)
    changes(machine)
    uses(machine)
    if closed:
        machine.apply(None)
    give(machine, replace(LINA, word=FIRST if closed else RESET, hashed=OTHER))
    people, noted = type(accounts(machine.host)), made_accounts.MadeAccounts
    owner: type = noted if at == "put" else people
    real = getattr(owner, at)

    def cut(*words: object) -> None:
        real(*words)
        raise Cut

    with monkeypatch.context() as patched:
        patched.setattr(owner, at, cut)
        machine.apply(ROSTER)
    accounts(machine.host).change("lina", "Lina Haddad", "")  # somebody let the student in
    if password(machine, given=OTHER) == GIVEN:
        changes(machine)
        machine.apply(ROSTER)
        assert password(machine, given=OTHER) == OWN
    else:
        assert password(machine, given=OTHER) == UNSET, "nobody gets in by the one that was forgotten"
        machine.apply(ROSTER)
        assert password(machine, given=OTHER) == GIVEN
    note = made_accounts.MadeAccounts(machine.host.files).find("lina")
    assert note == made_accounts.Made(roster.RosterLine("", "", hashed=OTHER).tag)


def test_what_was_closed_and_is_given_again_keeps_the_password_that_the_student_chose(
    machine: Machine,
) -> None:
    """A policy that goes and comes back is nobody's new password: that one stands on last year's sheet."""
    for word in (FIRST, RESET):
        give(machine, replace(LINA, word=word))
        machine.apply(ROSTER)
        changes(machine)
        uses(machine)
        for policy in (None, ROSTER):  # or it is the list that goes and comes back
            if policy is not None:
                give(machine)
            machine.apply(policy)
            account = found(machine)
            assert account is not None and account.closed, "the control"
            give(machine, replace(LINA, word=word))
            assert row(machine.apply(ROSTER))[0] is not Outcome.FAILED
            account = found(machine)
            assert account is not None and not account.closed and password(machine) == OWN
            assert machine.plan(ROSTER).empty


def test_what_was_closed_is_not_opened_for_who_administers_by_now(machine: Machine) -> None:
    give(machine, LINA)
    machine.apply(ROSTER)
    changes(machine)
    uses(machine)
    machine.apply(None)
    machine.write("/etc/sudoers.d/50-x", "lina ALL=(ALL) ALL\n", 0o440)
    assert row(machine.apply(ROSTER))[1] == "not-allowed"
    account = found(machine)
    assert account is not None and account.closed


def test_an_account_that_could_not_be_made_is_not_ours_when_somebody_else_makes_it(machine: Machine) -> None:
    group = machine.read("/etc/group")
    assert group is not None
    machine.write("/etc/group", f"{group}lina:x:500:\n")
    give(machine, LINA)
    outcome, _, message = row(machine.apply(ROSTER))
    assert outcome is Outcome.FAILED and "lina" not in message
    machine.write("/etc/group", group)
    accounts(machine.host).add("lina", "Lina")
    changes(machine)
    give(machine, replace(LINA, word=RESET, hashed=OTHER))
    machine.apply(ROSTER)
    assert password(machine, given=OTHER) == OWN
    machine.apply(None)
    account = found(machine)
    assert account is not None and not account.closed


def test_an_account_without_a_password_whose_group_is_as_good_as_root_gets_none(machine: Machine) -> None:
    accounts(machine.host).add("lina", "Lina")
    text = machine.read("/etc/passwd")
    assert text is not None
    machine.write("/etc/group", f"{machine.read('/etc/group')}docker:x:998:\n")
    machine.write("/etc/passwd", re.sub("(?m)^(lina:x:[0-9]+):[0-9]+:", r"\1:998:", text))
    give(machine, LINA)
    assert row(machine.apply(ROSTER))[1] == "not-allowed"
    assert password(machine) == UNSET


def test_who_was_here_before_keeps_password_and_account(machine: Machine) -> None:
    shadow = machine.read("/etc/shadow")
    assert shadow is not None
    machine.write("/etc/shadow", shadow.replace("student:*:", f"student:{OWN_HASH}:"), 0o640)
    before = machine.state()
    for word in (FIRST, RESET):
        give(machine, RosterLine("student", "Another", word, HASH))
        assert row(machine.apply(ROSTER))[0] is Outcome.IN_FORCE
        assert machine.state() == before
    machine.apply(None)
    assert machine.state() == before


def test_an_account_without_a_password_that_nobody_used_is_taken_over(machine: Machine) -> None:
    """As it is where the power went right after it was made."""
    accounts(machine.host).add("lina", "Lina")
    assert password(machine) == UNSET
    give(machine, LINA)
    machine.apply(ROSTER)
    assert password(machine) == GIVEN


def test_what_was_used_is_closed_keeps_its_home_and_opens_again(machine: Machine) -> None:
    give(machine, LINA)
    machine.apply(ROSTER)
    changes(machine)
    uses(machine)
    ran = machine.apply(None)
    assert [one.outcome for one in ran.reports if one.resource == ID] == [Outcome.KEPT]
    account = found(machine)
    assert account is not None and account.expires == LONG_AGO
    assert machine.read("/home/lina/essay.txt") == "precious"
    assert machine.plan(None).empty and machine.undo.resources() == ()

    give(machine, replace(LINA, hashed=OTHER))
    machine.apply(ROSTER)
    account = found(machine)
    assert account is not None and not account.closed and password(machine, given=OTHER) == GIVEN
    assert machine.read("/home/lina/essay.txt") == "precious"


def test_where_it_cannot_be_told_whether_somebody_was_in_an_account_is_closed_and_stays(
    machine: Machine,
) -> None:
    give(machine, LINA)
    machine.apply(ROSTER)
    log = machine.laptop / "var/log/lastlog"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:  # one person of a directory service was in, with a uid of ten digits
        file.truncate(1 << 30)
    ran = machine.apply(None)
    assert [one.outcome for one in ran.reports if one.resource == ID] == [Outcome.KEPT]
    account = found(machine)
    assert account is not None and account.closed


def test_a_laptop_that_goes_to_another_student(machine: Machine) -> None:
    give(machine, LINA)
    machine.apply(ROSTER)
    uses(machine)
    give(machine, RosterLine("sami", "سامي", FIRST, OTHER))
    audit(machine)
    account = found(machine)
    assert account is not None and account.closed
    assert password(machine, "sami", OTHER) == GIVEN
    give(machine)
    ran = machine.apply(ROSTER)
    assert {one.outcome for one in ran.reports if one.resource == ID} == {Outcome.PENDING, Outcome.KEPT}
    assert found(machine, "sami") is None and found(machine) is not None
    assert row(machine.apply(ROSTER))[:2] == (Outcome.PENDING, "awaited")


@pytest.mark.parametrize(
    "login", ["root", "daemon", "bookbag-sync", "../x", "x:y", "Lina", "ł", "a" * 33, "", "docker", "wheel"]
)
def test_names_that_are_no_students_are_refused(machine: Machine, login: str) -> None:
    before = machine.read("/etc/passwd"), machine.read("/etc/shadow")
    give(machine, RosterLine(login, "X", FIRST, HASH), replace(LINA, login="sami"))
    outcome, _, message = row(machine.apply(ROSTER))
    assert outcome is Outcome.FAILED and "roster-1" in message
    assert found(machine, "sami") is not None, "the others have theirs"
    give(machine)
    machine.apply(ROSTER)
    assert (machine.read("/etc/passwd"), machine.read("/etc/shadow")) == before


def test_lines_that_are_none(machine: Machine) -> None:
    good = roster.write(LINA)
    assert roster.read(good) == LINA, "the control"
    for text in (
        "",
        good.replace("first", "third"),
        good.replace("$7$", "$1$"),
        f"{good}:more",
        good.replace(HASH, f"{HASH[:-1]}\n"),
        good.replace("Haddad", "Haddad\u202e"),
        good.replace("Haddad", "Haddad, Room 5"),
        roster.write(replace(LINA, shown="ل" * 61)),
        good.replace(HASH, ""),
    ):
        with pytest.raises(BookbagError) as caught:
            roster.read(text)
        assert caught.value.code == "bad-argument" and "lina" not in str(caught.value)
    with pytest.raises(BookbagError, match="update Bookbag"):
        roster.read(f"2{good[1:]}")
    longest = RosterLine("a" * 32, "ل" * 60, RESET, HASH)
    assert roster.read(roster.write(longest)) == longest and len(roster.write(longest).encode()) <= 256


def test_a_line_that_cannot_be_read_takes_nobodys_account(machine: Machine) -> None:
    """As one of a newer Bookbag's would be."""
    give(machine, LINA)
    machine.apply(ROSTER)
    machine.secrets["roster-1"] = "2:something new"
    assert row(audit(machine))[0] is Outcome.FAILED
    assert password(machine) == GIVEN


def test_nobody_becomes_an_administrator_by_it(machine: Machine) -> None:
    """One person signs what is given: it must not make, or open, an account that may do everything."""
    machine.write("/etc/sudoers.d/50-x", "technician ALL=(ALL) ALL\n", 0o440)
    before = machine.read("/etc/passwd")
    group = machine.read("/etc/group")
    assert group is not None
    machine.write("/etc/group", group.replace("sudo:x:27:student,ict", "sudo:x:27:student,ict,deputy"))
    give(machine, RosterLine("technician", "T", FIRST, HASH), RosterLine("deputy", "D", FIRST, HASH))
    outcome, code, message = row(machine.apply(ROSTER))
    assert (outcome, code) == (Outcome.FAILED, "not-allowed") and "may administer" in message
    assert "technician" not in message
    assert machine.read("/etc/passwd") == before
    give(machine, LINA)
    audit(machine)
    changes(machine)
    machine.write("/etc/sudoers.d/50-x", "lina ALL=(ALL) ALL\n", 0o440)
    give(machine, replace(LINA, word=RESET, hashed=OTHER))
    assert row(audit(machine))[1] == "not-allowed"
    assert password(machine, given=OTHER) == OWN, "who administers by now is nobody's to reset"


def test_the_same_login_twice_is_told(machine: Machine) -> None:
    give(machine, LINA, LINA)
    outcome, _, message = row(machine.apply(ROSTER))
    assert outcome is Outcome.FAILED and message.startswith("roster-2")
    assert password(machine) == GIVEN


def test_every_crash_ends_with_the_password_that_was_given(machine: Machine) -> None:
    """Cut off between any two changes, the next run finishes, and asks the student to change it once."""
    for stage in range(3):
        give(machine, replace(LINA, login=f"pupil{stage}"))
        login = f"pupil{stage}"
        if stage >= 0:
            made_accounts.MadeAccounts(machine.host.files).put(login, made_accounts.Made())
        if stage >= 1:
            accounts(machine.host).add(login, "Lina Haddad")
        if stage >= 2:
            accounts(machine.host).give_password(login, HASH)
        machine.apply(ROSTER)
        assert password(machine, login) == GIVEN
        changes(machine, login)
        machine.apply(ROSTER)
        assert password(machine, login) == OWN


def test_nothing_of_a_student_is_told_kept_or_written_but_where_it_must(machine: Machine) -> None:
    canary = RosterLine("canary-lina", "Canary Haddad", FIRST, HASH)
    give(machine, canary)
    plan = machine.plan(ROSTER)
    ran = machine.apply(ROSTER)
    told = f"{plan} {ran} {machine.memory.read()}" + json.dumps(
        [[str(machine.undo.prior(one)) for one in machine.undo.resources()]]
    )
    for word in ("canary", "Canary", HASH):
        assert word not in told
    assert "canary-lina" in str(machine.read(made_accounts.PATH)), "the control"
    for word in ("canary-lina", "Canary", HASH):
        assert finds(machine.folder / "agent", word) == []
    assert set(finds(machine.laptop, HASH)) == {"etc/shadow"}
    node = machine.host.files.read(made_accounts.PATH)
    assert node is not None and node.mode == 0o600


def test_a_hash_is_what_the_systems_own_libcrypt_makes() -> None:
    known = "$7$C6..../....0123456789abcdef$VCxWt82k/5I3FBzcqvos2GGivJ.Qf21E.Nvnzq0L1A0"
    assert firstpassword.hashed("abc", "0123456789abcdef") == known
    name = ctypes.util.find_library("crypt")
    if name is None:
        pytest.skip("no libcrypt on this machine")
    library = ctypes.CDLL(name)
    library.crypt.restype = ctypes.c_char_p
    for word in ("bcdf-3479-ghjk", "سر"):
        made = firstpassword.hashed(word)
        assert library.crypt(word.encode(), made.encode()).decode() == made
        assert library.crypt(b"another", made.encode()).decode() != made
