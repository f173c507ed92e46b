"""Packages by policy: on their way is no failure; whose they are by now decides what becomes of them when the
policy goes; and what one person may list stays theirs beside what two do.
"""

from __future__ import annotations

from dataclasses import asdict

from agent.core import exit_codes
from agent.core.model import Outcome
from agent.host.packages import AUTO, HALF, MANUAL, YES, Package, Told, Wish
from agent.host.sandbox.packages import OFF, SandboxPackages
from agent.policy.compiled import Compiled
from tests.policy.machine import Machine, compiled, outcomes, source

HELLO = "package:hello"
OURS, THEIRS = Package(YES, held=False, mark=AUTO), Package(YES, held=False, mark=MANUAL)


def asked(text: str, *, power: bool = True, name: str = "test", rank: str = "school") -> Compiled:
    return compiled(said(text, power=power, name=name, rank=rank))


def said(text: str, *, power: bool = False, name: str = "test", rank: str = "school"):  # type: ignore[no-untyped-def]
    body = f"settings:\n  software.packages:\n    value: {text}\n"
    return source(body, power=power, name=name, rank=rank)


def there(machine: Machine) -> SandboxPackages:
    assert isinstance(machine.host.packages, SandboxPackages)
    return machine.host.packages


PRESENT, ABSENT, HELD = asked("{present: [hello]}"), asked("{absent: [hello]}"), asked("{held: [hello]}")


def test_what_is_on_its_way_is_neither_there_nor_a_failure(machine: Machine) -> None:
    there(machine).note_line(OFF)
    run = machine.apply(PRESENT)
    assert outcomes(run)[HELLO] is Outcome.NOT_YET
    assert (run.failed, run.exit_code) == ((), exit_codes.CHANGED)
    assert not machine.plan(PRESENT).empty
    standing = machine.memory.read()
    assert standing is not None and standing.standing[HELLO].outcome == Outcome.NOT_YET
    again = machine.apply(PRESENT)
    assert outcomes(again)[HELLO] is Outcome.NOT_YET and not again.changed

    there(machine).note_line("")
    assert outcomes(machine.apply(PRESENT))[HELLO] is Outcome.CHANGED
    assert there(machine).find("hello") == OURS and machine.plan(PRESENT).empty
    machine.apply(None)
    assert there(machine).find("hello") == Package() and machine.undo.resources() == ()


def test_what_comes_between_two_looks_is_in_the_ledger_and_ours_to_undo(machine: Machine) -> None:
    there(machine).note_line(OFF)
    machine.apply(PRESENT)
    there(machine).note("hello", OURS)
    assert outcomes(machine.apply(PRESENT))[HELLO] is Outcome.IN_FORCE
    rows = [row for row in machine.ledger.entries(newest=50) if row.subject == HELLO]
    assert [(row.kind, row.outcome) for row in rows] == [("policy", "changed")]
    machine.apply(PRESENT)
    assert len([row for row in machine.ledger.entries(newest=50) if row.subject == HELLO]) == 1

    there(machine).note("hello", Package())
    there(machine).note_line("")
    assert outcomes(machine.apply(PRESENT))[HELLO] is Outcome.HEALED, "it had been in force"
    machine.apply(None)
    assert there(machine).find("hello") == Package()


def test_what_cannot_come_is_a_failure_of_its_own(machine: Machine) -> None:
    there(machine).note_away("hello")
    run = machine.apply(asked("{present: [hello, sl]}"))
    assert outcomes(run)[HELLO] is Outcome.FAILED
    (report,) = run.failed
    assert (report.code, "no source" in report.message) == ("not-found", True)
    assert there(machine).find("sl") == OURS


def test_nothing_that_waited_is_installed_after_the_policy_went(machine: Machine) -> None:
    there(machine).note_line(OFF)
    machine.apply(PRESENT)
    machine.apply(None)
    there(machine).note_line("")
    machine.apply(None)
    assert there(machine).find("hello") == Package() and machine.undo.resources() == ()


def test_what_somebody_wants_by_now_stays_and_a_hold_of_ours_goes(machine: Machine) -> None:
    machine.apply(asked("{present: [hello], held: [hello]}"))
    there(machine).note("hello", Package(YES, held=True, mark=MANUAL))  # apt install hello
    machine.apply(None)
    assert there(machine).find("hello") == THEIRS
    assert machine.undo.resources() == ()


def test_what_somebodys_package_needs_stays(machine: Machine) -> None:
    machine.apply(PRESENT)
    there(machine).note_needs("theirs", "hello")
    there(machine).note("theirs", THEIRS)
    assert outcomes(machine.apply(None))[HELLO] is Outcome.KEPT
    assert there(machine).find("hello") == OURS


def test_what_was_there_before_is_never_taken_away(machine: Machine) -> None:
    for before in (THEIRS, Package(YES, held=True, mark=MANUAL), OURS):
        there(machine).note("hello", before)
        machine.apply(PRESENT)
        machine.apply(None)
        assert there(machine).find("hello") == before


def test_what_was_just_being_installed_when_policy_came_is_not_ours(machine: Machine) -> None:
    there(machine).note("hello", Package(HALF, held=False, mark=MANUAL))
    machine.apply(PRESENT)
    machine.apply(None)
    assert there(machine).find("hello") == THEIRS


def test_what_was_removed_and_held_comes_back_as_it_was(machine: Machine) -> None:
    for before in (THEIRS, OURS, Package(YES, held=True, mark=AUTO)):
        there(machine).note("hello", before)
        machine.apply(ABSENT)
        assert there(machine).find("hello").installed == "no"
        machine.apply(None)
        assert there(machine).find("hello") == before
        machine.apply(HELD)
        assert there(machine).find("hello").held
        machine.apply(None)
        assert there(machine).find("hello") == before


def test_what_comes_back_may_take_its_time_too(machine: Machine) -> None:
    there(machine).note("hello", THEIRS)
    machine.apply(ABSENT)
    there(machine).note_line(OFF)
    run = machine.apply(None)
    assert outcomes(run)[HELLO] is Outcome.NOT_YET and not run.failed
    assert HELLO in machine.undo.resources()
    there(machine).note_line("")
    assert outcomes(machine.apply(None))[HELLO] is Outcome.RESTORED
    assert there(machine).find("hello") == THEIRS and machine.undo.resources() == ()


def test_of_one_package_the_nearer_rank_is_followed_and_every_hold_holds() -> None:
    both = compiled(
        said("{present: [a1, b1], held: [c1]}", power=True, name="far", rank="district"),
        said("{absent: [a1], present: [d1]}", power=True, name="near", rank="class"),
    )
    value = both.settings["software.packages"]["value"]
    assert value == {"present": ["b1", "d1"], "absent": ["a1"], "held": ["c1"]}


def test_what_one_person_may_list_is_taken_beside_what_two_do() -> None:
    both = compiled(
        said("{held: [c1]}", power=True, name="far", rank="district"),
        said("{present: [a1]}", name="near"),
    )
    assert not both.refusals
    assert both.settings["software.packages"]["value"] == {"present": ["a1"], "held": ["c1"]}
    control = compiled(
        said("{held: [c1]}", power=True, name="far", rank="district"),
        said("{present: [a1], held: [a1]}", name="near"),
    )
    assert [row["code"] for row in control.refusals] == ["root-power"]
    assert control.settings["software.packages"]["value"] == {"held": ["c1"]}


def test_why_it_waits_is_told(machine: Machine) -> None:
    there(machine).note_line(OFF)
    machine.apply(PRESENT)
    assert asdict(there(machine).told("hello", Wish(installed=True, held=False))) == asdict(
        Told("", "it is being fetched")
    )
    standing = machine.memory.read()
    assert standing is not None and standing.standing[HELLO].text == "it is being fetched"
