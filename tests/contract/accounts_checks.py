"""What accounts and sudo do: over the laptop in a folder and over a real one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from agent.host.accounts import GIVEN, LONG_AGO, NEVER, OWN, UNSET, Account, Accounts, Sudo
from agent.host.base import Host, Node
from tests.contract.subject import LeftOut, refused

FILES = ("/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/subuid", "/etc/subgid")
NAME, GROUP = "contract-x", "contract-g"
RULES = "/etc/sudoers.d/zz-contract"


@dataclass(frozen=True)
class People:
    """A machine with at least one person, who is none of ours; ``log_in`` lets a person in and out again."""

    host: Host
    log_in: Callable[[str], str]

    @property
    def accounts(self) -> Accounts:
        """Those of the machine."""
        assert self.host.accounts is not None
        return self.host.accounts

    @property
    def somebody(self) -> str:
        """Who uses it."""
        return self.host.facts.users()[0]

    def state(self) -> list[Node | None]:
        """What must be as it was in the end, to the byte."""
        return [self.host.files.read(path) for path in FILES]

    def found(self, name: str = NAME) -> Account:
        """The account, which must be there."""
        account = self.accounts.find(name)
        assert account is not None
        return account


def check_an_account_that_nobody_used_comes_and_goes_without_a_trace(people: People) -> None:
    before = people.state()
    assert people.accounts.find(NAME) is None
    people.accounts.add(NAME, "Contract X")
    account = people.found()
    assert account.person and not account.closed and account.expires == NEVER
    assert account.shown == "Contract X" and account.home == f"/home/{NAME}"
    assert NAME in [one.name for one in people.accounts.people()]
    assert people.accounts.group_of(NAME) == NAME
    home = people.host.files.read(account.home)
    assert home is not None and home.kind == "directory"
    assert not people.accounts.used(NAME)
    assert people.state() != before, "the control"
    people.accounts.remove(NAME)
    assert people.accounts.find(NAME) is None
    assert people.host.files.read(account.home) is None
    assert people.state() == before


def check_what_lies_in_a_home_keeps_the_account(people: People) -> None:
    before = people.state()
    people.accounts.add(NAME, "Contract X")
    essay = f"/home/{NAME}/essay.txt"
    people.host.files.write(essay, Node("file", content=b"precious"))
    assert people.accounts.used(NAME)
    refused("not-allowed", people.accounts.remove, NAME)
    assert people.accounts.find(NAME) is not None and people.host.files.read(essay) is not None
    people.host.files.remove(essay)
    people.accounts.remove(NAME)
    assert people.state() == before


def check_a_folder_in_a_home_keeps_the_account(people: People) -> None:
    people.accounts.add(NAME, "")
    inside = f"/home/{NAME}/Documents/2026/essay.txt"
    people.host.files.make_parents(inside)
    assert people.accounts.used(NAME), "even an empty one"
    people.host.files.remove_empty([f"/home/{NAME}/Documents/2026", f"/home/{NAME}/Documents"])
    people.accounts.remove(NAME)


def check_accounts_of_the_system_are_never_taken_away(people: People) -> None:
    before = people.state()
    refused("not-allowed", people.accounts.remove, "daemon")
    refused("not-allowed", people.accounts.remove, "root")
    refused("not-found", people.accounts.remove, "nobody-of-that-name")
    refused("not-found", people.accounts.change, "nobody-of-that-name", "", NEVER)
    assert people.state() == before


def check_a_closed_account_lets_nobody_in_and_opens_as_it_was(people: People) -> None:
    before, who = people.state(), people.somebody
    was = people.found(who)
    assert people.log_in(who) == "", "the control: they get in"
    people.accounts.change(who, was.shown, LONG_AGO)
    assert people.found(who).closed
    assert people.log_in(who) != ""
    people.accounts.change(who, was.shown, LONG_AGO)
    people.accounts.change(who, was.shown, was.expires)
    assert people.log_in(who) == ""
    assert people.state() == before


def check_an_account_that_ends_some_day_does_so_again(people: People) -> None:
    who = people.somebody
    shown = people.found(who).shown
    before = people.state()
    people.accounts.change(who, "Another Name", "40000")
    assert (people.found(who).shown, people.found(who).expires) == ("Another Name", "40000")
    assert not people.found(who).closed
    people.accounts.change(who, shown, LONG_AGO)
    people.accounts.change(who, shown, "40000")
    assert people.found(who).expires == "40000"
    people.accounts.change(who, shown, NEVER)
    assert people.state() == before


def check_a_password_that_was_given_is_known_until_another_is_set(people: People) -> None:
    before = people.state()
    first, other = (f"$7$C6..../....{salt}${'x' * 43}" for salt in ("0123456789abcdef", "fedcba9876543210"))
    people.accounts.add(NAME, "")
    assert people.accounts.password(NAME, first) == UNSET
    for _ in range(2):
        people.accounts.give_password(NAME, first)
        assert people.accounts.password(NAME, first) == GIVEN, "to be changed at the next log-in"
    assert not people.accounts.barred(NAME) and not people.accounts.used(NAME)
    people.accounts.give_password(NAME, other)
    assert people.accounts.password(NAME, other) == GIVEN
    assert people.accounts.password(NAME, first) == OWN
    for _ in range(2):
        people.accounts.take_password(NAME)
        assert people.accounts.password(NAME, other) == UNSET and people.accounts.barred(NAME)
    people.accounts.give_password(NAME, other)
    assert people.accounts.password(NAME, other) == GIVEN
    refused("not-found", people.accounts.give_password, "nobody-of-that-name", first)
    people.accounts.remove(NAME)
    assert people.state() == before


def check_members_are_named_in_their_order(people: People) -> None:
    before, who = people.state(), people.somebody
    people.accounts.add(NAME, "")
    assert people.accounts.members(GROUP) is None
    people.accounts.add_group(GROUP)
    assert people.accounts.members(GROUP) == ()
    for names in ((NAME, who), (who, NAME), (NAME,), ()):
        people.accounts.set_members(GROUP, names)
        assert people.accounts.members(GROUP) == names
    people.accounts.set_members(GROUP, (NAME, who))
    people.accounts.remove(NAME)
    assert people.accounts.members(GROUP) == (who,), "who is gone is in no group"
    people.accounts.remove_group(GROUP)
    assert people.accounts.members(GROUP) is None
    assert people.state() == before


def check_a_group_that_is_not_there_has_no_members(people: People) -> None:
    before = people.state()
    refused("not-effective", people.accounts.set_members, GROUP, (people.somebody,))
    people.accounts.add_group(GROUP)
    refused("not-effective", people.accounts.add_group, GROUP)
    people.accounts.remove_group(GROUP)
    assert people.state() == before


def check_a_home_has_the_permissions_that_it_is_given(people: People) -> None:
    people.accounts.add(NAME, "")
    for mode in (0o755, 0o700, 0o700, 0o750):
        people.accounts.set_home_mode(NAME, mode)
        home = people.host.files.read(f"/home/{NAME}")
        assert home is not None and home.mode == mode
    people.accounts.set_home_mode(NAME, 0o700)
    people.accounts.remove(NAME)


def check_sudo_says_what_is_wrong_with_a_text(people: People) -> None:
    sudo = sudo_of(people)
    assert sudo.fault("lina ALL=(ALL:ALL) ALL\n") == ""
    assert sudo.fault("# nothing\nUser_Alias OURS = lina, omar\nALL, !root, !OURS ALL=(ALL:ALL) !ALL\n") == ""
    assert sudo.fault("lina ALL=(ALL\n")
    assert sudo.fault("lina may do everything\n")


def check_sudo_allows_what_the_last_rule_says(people: People) -> None:
    sudo, who = sudo_of(people), people.somebody
    was = people.accounts.members("sudo") or ()
    rules = people.host.files

    def ruled(text: str) -> bool:
        rules.make_parents(RULES)
        rules.write(RULES, Node("file", 0o440, content=text.encode()))
        return sudo.allows(who)

    try:
        people.accounts.set_members("sudo", ())
        assert not sudo.allows(who)
        people.accounts.set_members("sudo", (who,))
        assert sudo.allows(who), "the control: by the group"
        alias = "User_Alias CONTRACT = {0}\nALL, !root, !CONTRACT ALL=(ALL:ALL) !ALL\n"
        assert not ruled(alias.format("daemon"))
        assert ruled(alias.format(who)), "not spoken of: as the group has it"
        people.accounts.set_members("sudo", ())
        assert not ruled(alias.format(who))
        assert ruled(alias.format(who) + "CONTRACT ALL=(ALL:ALL) ALL\n")
        assert sudo.allows("root")
    finally:
        rules.remove(RULES)
        people.accounts.set_members("sudo", was)


def sudo_of(people: People) -> Sudo:
    """The machine's sudo."""
    if people.host.sudo is None:
        raise LeftOut("has no sudo")
    return people.host.sudo


def check_a_password_that_is_barred_is_given_back_to_the_byte(people: People) -> None:
    before, who = people.state(), people.somebody
    row = re.compile(rf"(?m)^{who}:[^:]*:")
    shadow = people.host.files.read("/etc/shadow")
    assert shadow is not None
    try:
        for hashed in ("$6$x$y", ""):
            text = row.sub(f"{who}:{hashed}:", shadow.content.decode())
            people.host.files.write("/etc/shadow", replace(shadow, content=text.encode()))
            made = people.state()
            assert not people.accounts.barred(who), "the control"
            people.accounts.bar(who, False)
            assert people.state() == made
            for _ in range(2):
                people.accounts.bar(who, True)
                assert people.accounts.barred(who) and people.state() != made
            people.accounts.bar(who, False)
            assert not people.accounts.barred(who)
            assert people.state() == made or not hashed, "an empty one is as of today"
        assert people.accounts.barred("daemon")
        refused("not-found", people.accounts.barred, "nobody-of-that-name")
    finally:
        people.host.files.write("/etc/shadow", shadow)
    assert people.state() == before
