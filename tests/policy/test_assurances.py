"""What no policy can make a laptop: looked for, told where it is not, and never a failure, a change or a row
of the undo journal.
"""

from __future__ import annotations

from agent.core.model import Outcome
from agent.host.assurances import DISK, LOADER, SECURE_BOOT
from agent.host.sandbox.assurances import SandboxAssurances
from tests.policy.machine import Machine, compiled, source

TEXT = "settings:\n  security.disk-encryption: required\n  security.secure-boot: any\n"
POLICY = compiled(source(TEXT))
WATCHED = compiled(source(TEXT, more="mode: observe\n"))
WHY = "what lies in / is not encrypted"


def made(machine: Machine) -> SandboxAssurances:
    assert isinstance(machine.host.assurances, SandboxAssurances)
    return machine.host.assurances


def test_what_is_lacking_is_told_with_its_reason_and_fails_nothing(machine: Machine) -> None:
    made(machine).lose(DISK, WHY)
    made(machine).lose(SECURE_BOOT, "nobody asked for it")
    before = machine.state()
    plan = machine.plan(POLICY)
    assert plan.empty and plan.exit_code == 0
    run = machine.apply(POLICY)
    assert run.exit_code == 0 and not run.failed and not run.done
    rows = {one.resource: (one.outcome, one.code, one.message) for one in run.reports}
    assert rows == {
        "assurance:disk-encryption": (Outcome.UNMET, "unmet", WHY),
        "assurance:secure-boot": (Outcome.IN_FORCE, "", ""),
    }
    assert machine.state() == before and machine.undo.resources() == ()
    assert not machine.apply(None).reports, "there is nothing to give back"


def test_what_was_lacking_and_was_mended_is_in_force_and_the_other_way_round(machine: Machine) -> None:
    for lack, outcome in (("", Outcome.IN_FORCE), (WHY, Outcome.UNMET), ("", Outcome.IN_FORCE)):
        made(machine).lose(DISK, lack)
        found = {one.resource: one.outcome for one in machine.engine.audit(POLICY).reports}
        assert found["assurance:disk-encryption"] is outcome


def test_only_observed_it_is_told_in_the_same_words(machine: Machine) -> None:
    made(machine).lose(DISK, WHY)
    (row, _) = machine.apply(WATCHED).reports
    assert (row.resource, row.outcome, row.message) == (
        "assurance:disk-encryption (observed)",
        Outcome.UNMET,
        WHY,
    )


def test_one_failing_sight_of_it_stops_nothing_else(machine: Machine) -> None:
    both = compiled(source("settings:\n  security.boot-password: required\n  screen-lock.after: 10m\n"))
    made(machine).lose(LOADER, "GRUB lets everybody change what is started")
    run = machine.apply(both)
    assert {str(one.outcome) for one in run.reports} == {"unmet", "changed"}
    assert run.exit_code == 2
