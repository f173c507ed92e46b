"""network.dns: asked of what programs read, and given back to the network where it cuts the laptop off."""

from __future__ import annotations

from pathlib import Path

from agent.core.model import Outcome
from agent.host.sandbox.resolving import GIVEN
from agent.policy.enforcement.confirm import PAUSE_S, REVERTS
from agent.policy.resources.resolvers import UNIT
from tests.policy.machine import Machine, compiled, source
from tests.policy.test_trials import Tried

ID = "resolvers:everywhere"
OURS = compiled(source('settings:\n  network.dns: {value: {servers: ["192.0.2.9"]}}\n', power=True))
OTHERS = compiled(source('settings:\n  network.dns: {value: {servers: ["192.0.2.8"]}}\n', power=True))


def asked(machine: Machine) -> tuple[str, ...]:
    assert machine.host.resolving is not None
    return machine.host.resolving.servers()


def test_where_it_cuts_the_laptop_off_the_network_is_asked_again(tmp_path: Path) -> None:
    with Tried(tmp_path) as machine:
        before = machine.state()
        assert asked(machine) == GIVEN
        assert machine.run(OURS).failed == ()
        assert asked(machine) == ("192.0.2.9",)
        for reverts in range(1, REVERTS + 1):
            ran = machine.cut_off(OURS)
            assert asked(machine) == GIVEN
            (row,) = [one for one in ran.reports if one.resource == ID]
            contested = reverts == REVERTS
            assert row.code == ("contested" if contested else "cut-off")
            machine.good = True
            machine.run(OURS, PAUSE_S * reverts + 1)
            machine.run(OURS, heard=False)
            assert asked(machine) == (GIVEN if contested else ("192.0.2.9",))
        assert machine.run(OTHERS).failed == ()
        assert asked(machine) == ("192.0.2.8",), "IT decided otherwise"
        machine.run(None)
        assert (machine.state(), asked(machine)) == (before, GIVEN)


def test_who_pulls_the_cable_gets_no_other_server(tmp_path: Path) -> None:
    with Tried(tmp_path) as machine:
        machine.run(OURS)
        machine.linked = False
        machine.cut_off(OURS)
        assert asked(machine) == ("192.0.2.9",)


def test_one_that_is_not_obeyed_is_told_with_who_is_asked_instead(machine: Machine) -> None:
    assert machine.host.services is not None
    machine.host.services.set_active(UNIT, False)
    (row,) = machine.apply(OURS).reports
    assert row.outcome is Outcome.NOT_EFFECTIVE and f"programs ask {GIVEN[0]} for names" in row.message
