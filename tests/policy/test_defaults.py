"""Desktop settings that are defaults: for everybody who chose nothing else, and nobody is held to them."""

from __future__ import annotations

import json

from agent.core.model import Outcome, Power
from agent.daemon.workers import telemetry
from agent.host.base import Dconf as DconfHost
from agent.policy import kinds
from agent.policy.bases.offered import Offered
from agent.policy.resources.dconf import Dconf
from tests.policy.machine import Machine, compiled, outcomes, source

SIZE = "/org/gnome/desktop/interface/text-scaling-factor"
LARGER = compiled(source("settings:\n  accessibility.text-size: larger\n"))
OWN = "/home/student/.config/dconf/user.txt"
DATABASE = "dconf:text-size"
OTHERS = "/etc/dconf/db/site"


def dconf(machine: Machine) -> DconfHost:
    """The laptop's own."""
    assert machine.host.dconf is not None
    return machine.host.dconf


def test_every_offered_word_is_an_ordinary_default() -> None:
    offered = [one for one in kinds.settings().values() if isinstance(one, Offered)]
    assert len(offered) >= 10
    for one in offered:
        for word in one.words:
            made = [each for each in one.compile(word) if isinstance(each, Dconf)]
            assert made and not any(each.locked for each in made), (one.key, word)
            assert {each.power()[0] for each in made} == {Power.ORDINARY}, (one.key, word)


def test_a_students_own_choice_counts_and_is_no_fault(machine: Machine) -> None:
    machine.apply(LARGER)
    assert dconf(machine).effective("student", SIZE) == "1.5"
    machine.write(OWN, "[org/gnome/desktop/interface]\ntext-scaling-factor=1.0\n")
    assert dconf(machine).effective("student", SIZE) == "1.0"
    assert not machine.plan(LARGER).steps
    assert not machine.engine.audit(LARGER).failed
    machine.apply(None)
    assert machine.read(OWN) is not None, "it is theirs, also when the policy is withdrawn"


def test_the_control_a_locked_value_does_not_leave_it_to_them(machine: Machine) -> None:
    machine.write(OWN, "[org/gnome/desktop/interface]\ntext-scaling-factor=1.0\n")
    body = f'resources:\n  - dconf: {{group: text-size, values: {{{SIZE}: "1.5"}}%s}}\n'
    for how, got in (("", "1.5"), (", locked: false", "1.0"), ("", "1.5")):
        machine.apply(compiled(source(body % how)))
        assert dconf(machine).effective("student", SIZE) == got, how
        assert dconf(machine).writable("student", SIZE) is bool(how)


def test_what_a_student_cannot_change_or_does_not_get_is_not_effective(machine: Machine) -> None:
    machine.apply(LARGER)
    good = machine.read("/etc/dconf/db/bookbag") or ""
    machine.write("/etc/dconf/profile/user", "user-db:user\nsystem-db:bookbag\nsystem-db:site\n")
    machine.write(OTHERS, json.dumps({"values": {}, "locks": [SIZE]}))
    (step,) = machine.plan(LARGER).steps
    assert step.before is not None and step.id == DATABASE
    assert step.before["effective"] == f"student gets nothing for {SIZE}", "their lock hides our value too"
    machine.write(OTHERS, json.dumps({"values": {SIZE: "1.5"}, "locks": [SIZE]}))
    (step,) = machine.plan(LARGER).steps
    assert step.before is not None and step.before["effective"] == f"student cannot change {SIZE}"
    machine.write(OTHERS, "{}")
    assert not machine.plan(LARGER).steps, "the control"
    machine.write("/etc/dconf/db/bookbag", "{}")
    assert outcomes(machine.engine.audit(LARGER))[DATABASE] is Outcome.HEALED
    assert machine.read("/etc/dconf/db/bookbag") == good


def test_locks_that_somebody_puts_there_are_taken_back(machine: Machine) -> None:
    machine.apply(LARGER)
    machine.write("/etc/dconf/db/bookbag.d/locks/text-size", f"{SIZE}\n")
    assert outcomes(machine.engine.audit(LARGER))[DATABASE] is Outcome.HEALED
    assert dconf(machine).writable("student", SIZE)


def test_what_was_compiled_before_there_was_a_choice_is_locked() -> None:
    old = {"group": "x", "values": {SIZE: "1.5"}}
    assert Dconf(**old).locked and Dconf(**old).record() == old  # type: ignore[arg-type]
    assert Dconf(**old, locked=False).record() == {**old, "locked": False}  # type: ignore[arg-type]


def test_no_report_may_name_what_tells_of_a_childs_need() -> None:
    assert telemetry._may_name("screen-lock.after") and telemetry._may_name("dconf"), "the control"
    assert not telemetry._may_name("nonsense.of-somebody")
    personal = {key for key in kinds.settings() if key.startswith("accessibility.")}
    assert personal and not any(map(telemetry._may_name, personal))
