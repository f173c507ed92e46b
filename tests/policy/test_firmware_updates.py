"""updates.firmware: whether fwupd can be started, on a laptop that has it and on one that has not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.core.model import Outcome
from agent.host.services import DISABLED, MASKED, STATIC, Service
from agent.policy.compiled import Compiled
from agent.policy.settings.updates.firmware import DAEMON, LOOKED_FOR, OFF, TIMER
from tests.policy.machine import Machine, compiled, outcomes, source
from tests.policy.test_fragment import Without, services


def word(text: str) -> Compiled:
    return compiled(source(f"settings:\n  updates.firmware: {text}\n", power=True))


def stand(machine: Machine) -> tuple[Service, Service]:
    return services(machine).state(DAEMON), services(machine).state(TIMER)


@pytest.mark.parametrize("words", [(OFF,), (LOOKED_FOR,), (OFF, LOOKED_FOR), (LOOKED_FOR, OFF)])
def test_each_word_after_the_other_holds_at_once_and_nothing_is_left(
    machine: Machine, words: tuple[str, ...]
) -> None:
    before, were = machine.state(), stand(machine)
    for one in words:
        assert not machine.apply(word(one)).failed
        assert machine.plan(word(one)).empty
        if one == OFF:
            assert stand(machine) == (Service(MASKED, False), Service(MASKED, False))
        else:
            assert stand(machine) == (Service(STATIC, False), Service(DISABLED, True))
    assert not machine.apply(None).failed
    assert (machine.state(), stand(machine)) == (before, were)


def test_a_laptop_without_fwupd_is_told_of_and_left_as_it_is(machine: Machine) -> None:
    before = machine.state()
    machine.host = replace(machine.host, services=Without(services(machine)))
    assert set(outcomes(machine.apply(word(OFF))).values()) == {Outcome.NOT_SUPPORTED}
    assert machine.state() == before
