"""What is changed again and again is named and met with patience, across restarts."""

from __future__ import annotations

from agent.core.model import Outcome
from agent.policy.enforcement.memory import (
    BUCKET,
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    REFILL_S,
    Flap,
    healed,
    paused,
)
from tests.policy.machine import NOW, Machine, compiled, source

POLICY = compiled(
    source(
        "resources:\n"
        '  - file: {path: /etc/motd, content: "ours"}\n'
        '  - file: {path: /etc/issue, content: "ours"}\n'
    )
)


def drift(machine: Machine) -> Outcome:
    machine.write("/etc/motd", "drift")
    return machine.engine.audit(POLICY, ["/etc/motd"]).reports[0].outcome


def test_twenty_tamperings_in_a_row_are_all_undone(machine: Machine) -> None:
    machine.apply(POLICY)
    assert [drift(machine) for _ in range(20)] == [Outcome.HEALED] * 20


def test_a_loop_is_left_alone_and_named_while_others_are_healed(machine: Machine) -> None:
    machine.apply(POLICY)
    found = [drift(machine) for _ in range(BUCKET + 3)]
    assert found == [Outcome.HEALED] * BUCKET + [Outcome.BACKED_OFF] * 3
    machine.write("/etc/issue", "drift")
    run = machine.engine.audit(POLICY)
    by_name = {one.resource: one for one in run.reports}
    assert by_name["file:/etc/issue"].outcome is Outcome.HEALED
    assert by_name["file:/etc/motd"].code == "flapping"
    assert "again and again" in by_name["file:/etc/motd"].message
    assert run.retry_at == NOW + FIRST_PAUSE_S
    assert [entry.code for entry in machine.ledger.entries()].count("flapping") == 1


def test_what_policy_wants_otherwise_does_not_wait(machine: Machine) -> None:
    """An exam begins, whoever fought over what held before; then there is peace or patience as before."""
    machine.apply(POLICY)
    while drift(machine) is not Outcome.BACKED_OFF:
        pass
    exam = compiled(source('resources:\n  - file: {path: /etc/motd, content: "exam"}\n'))
    found = {one.resource: one.outcome for one in machine.engine.apply(exam).reports}
    assert found["file:/etc/motd"] is Outcome.CHANGED
    machine.write("/etc/motd", "drift")
    assert machine.engine.apply(exam).reports[0].outcome is Outcome.BACKED_OFF


def test_each_pause_is_twice_the_last_up_to_an_hour_and_quiet_forgets_it(machine: Machine) -> None:
    flap: Flap | None = None
    now = NOW
    for _ in range(BUCKET):
        flap = healed(flap, now)
    pauses = []
    for _ in range(9):
        assert flap is not None
        pauses.append(flap.until - now)
        assert paused(flap, now) == "flapping"
        now = flap.until
        assert not paused(flap, now)
        flap = healed(flap, now)
    assert pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    now += BUCKET * REFILL_S + LONGEST_PAUSE_S
    flap = healed(flap, now)
    assert not paused(flap, now)
    assert flap.pause_s == 0


def test_a_slow_loop_is_caught_too_and_rare_drift_never(machine: Machine) -> None:
    def heals_until_paused(every: int) -> int:
        flap, now = Flap(), NOW
        for number in range(1, 1000):
            flap = healed(flap, now)
            if paused(flap, now):
                return number
            now += every
        return 0

    assert heals_until_paused(60) in range(50, 70)
    assert heals_until_paused(REFILL_S) == 0


def test_a_clock_that_jumps_back_ends_a_pause() -> None:
    flap = Flap(BUCKET, NOW, 60, NOW + 60, "flapping")
    assert paused(flap, NOW + 1)
    assert not paused(flap, NOW - 10 * LONGEST_PAUSE_S)


def test_after_the_pause_it_is_healed_again(machine: Machine) -> None:
    machine.apply(POLICY)
    for _ in range(BUCKET + 1):
        drift(machine)
    machine.now += FIRST_PAUSE_S
    assert drift(machine) is Outcome.HEALED
    assert drift(machine) is Outcome.BACKED_OFF
