"""People and groups under policy: what undoing does where somebody lives by now, and who stays let in."""

from __future__ import annotations

from agent.core.model import Outcome
from agent.host.accounts import Accounts
from tests.policy.machine import Machine, compiled, outcomes, source

LINA = source("resources:\n  - user: {login: lina, shown: Lina Haddad}\n", power=True)
ESSAY = "/home/lina/essay.txt"


def accounts(machine: Machine) -> Accounts:
    assert machine.host.accounts is not None
    return machine.host.accounts


def test_an_account_that_somebody_used_is_locked_and_stays(machine: Machine) -> None:
    machine.apply(compiled(LINA))
    machine.write(ESSAY, "precious", owner="lina")
    withdrawn = machine.apply(None)
    assert outcomes(withdrawn) == {"user:lina": Outcome.KEPT}
    account = accounts(machine).find("lina")
    assert account is not None and account.closed
    assert machine.read(ESSAY) == "precious"
    assert machine.undo.resources() == ()
    assert outcomes(machine.apply(None)) == {}, "once and for all"


def test_one_that_was_used_and_comes_back_is_opened_again(machine: Machine) -> None:
    machine.apply(compiled(LINA))
    machine.write(ESSAY, "precious", owner="lina")
    machine.apply(None)
    again = compiled(source("resources:\n  - user: {login: lina, locked: false}\n", power=True))
    machine.apply(again)
    account = accounts(machine).find("lina")
    assert account is not None and not account.closed
    machine.apply(None)
    account = accounts(machine).find("lina")
    assert account is not None and account.closed, "as it was before"
    assert machine.read(ESSAY) == "precious"


def test_an_account_that_was_there_before_is_never_taken_away(machine: Machine) -> None:
    accounts(machine).add("lina", "L.")
    before = machine.state()
    machine.apply(compiled(LINA))
    assert machine.state() != before, "the control"
    machine.apply(None)
    assert machine.state() == before


def test_what_somebody_undoes_by_hand_is_healed(machine: Machine) -> None:
    wanted = compiled(
        source(
            "resources:\n"
            "  - user: {login: omar}\n  - user: {login: lina, locked: true}\n"
            "  - group: {group: audio, only: true, members: [omar]}\n",
            power=True,
        )
    )
    machine.apply(wanted)
    there = accounts(machine)
    there.change("lina", "", "")
    there.set_members("audio", ("student", "omar", "lina"))
    healed = machine.apply(wanted)
    assert outcomes(healed) == {
        "user:omar": Outcome.IN_FORCE,
        "user:lina": Outcome.HEALED,
        "group:audio": Outcome.HEALED,
    }
    assert there.members("audio") == ("omar",)


def test_a_group_that_somebody_else_changed_since_is_left_to_them(machine: Machine) -> None:
    wanted = compiled(source("resources:\n  - group: {group: audio, members: [student]}\n", power=True))
    machine.apply(wanted)
    accounts(machine).set_members("audio", ("student", "daemon"))
    assert outcomes(machine.apply(None)) == {"group:audio": Outcome.KEPT}
    assert accounts(machine).members("audio") == ("student", "daemon")


def test_a_locked_administrator_does_not_count_as_one_who_is_left(machine: Machine) -> None:
    lock = compiled(source("resources:\n  - user: {login: student, locked: true}\n", power=True))
    run = machine.apply(lock)
    assert outcomes(run) == {"user:student": Outcome.CHANGED}, "the control: there is another"
    machine.apply(None)
    accounts(machine).change("ict", "ICT", "1")
    (refused,) = machine.apply(lock).failed
    assert "nobody who may administer" in refused.message
    account = accounts(machine).find("student")
    assert account is not None and not account.closed


def test_whoever_comes_in_the_same_run_is_in_the_group_at_once(machine: Machine) -> None:
    """Whatever the order in which they are written; and all of it goes again."""
    body = (
        "settings:\n  accounts.home-permissions: private\n"
        "resources:\n  - group: {group: audio, only: true, members: [lina]}\n  - user: {login: lina}\n"
    )
    accounts(machine).set_members("audio", ("student",))
    before = machine.state()
    run = machine.apply(compiled(source(body, power=True)))
    assert set(outcomes(run).values()) == {Outcome.CHANGED}
    assert accounts(machine).members("audio") == ("lina",)
    assert machine.plan(compiled(source(body, power=True))).empty
    assert not machine.apply(None).failed
    assert machine.state() == before


def test_whoever_begins_with_a_group_is_in_it_and_that_is_said(machine: Machine) -> None:
    wanted = compiled(source("resources:\n  - group: {group: student, only: true}\n", power=True))
    (told,) = machine.apply(wanted).failed
    assert (told.outcome, told.message) == (Outcome.NOT_EFFECTIVE, "student begins with it")
