"""How often something was put back since policy wants it so, and when last: counted whatever happens between,
begun anew with another value, and at no cost on the disk.
"""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st

from agent.core.model import Outcome
from agent.policy.enforcement.memory import MOST_HEALS, Heals, counted
from tests.conftest import Rounds
from tests.policy.machine import NOW, Machine, compiled, source
from tests.powercut import EVERY, every_prefix, kill_at_every, say

MOTD, ISSUE = "file:/etc/motd", "file:/etc/issue"


def wanting(word: str) -> str:
    files = (("/etc/motd", word), ("/etc/issue", "always"))
    return "resources:\n" + "".join(f'  - file: {{path: {path}, content: "{it}"}}\n' for path, it in files)


ONE, TWO = (compiled(source(wanting(word))) for word in ("one", "two"))


def heals(machine: Machine) -> dict[str, Heals]:
    state = machine.memory.read()
    assert state is not None
    return dict(state.heals)


def test_each_heal_counts_and_the_last_is_dated(machine: Machine) -> None:
    machine.apply(ONE)
    assert heals(machine) == {}, "nothing of the first time is a heal"
    for number in range(3):
        machine.now = NOW + number * 3600
        machine.write("/etc/motd", "drift")
        machine.engine.audit(ONE, ["/etc/motd"])
    assert heals(machine) == {MOTD: Heals(3, NOW + 2 * 3600)}
    machine.now += 86_400
    machine.apply(ONE)
    assert heals(machine) == {MOTD: Heals(3, NOW + 2 * 3600)}, "looking is no heal"


def test_another_value_begins_at_nought_and_withdrawing_forgets(machine: Machine) -> None:
    machine.apply(ONE)
    for path in ("/etc/motd", "/etc/issue"):
        machine.write(path, "drift")
    machine.apply(ONE)
    assert heals(machine) == {MOTD: Heals(1, NOW), ISSUE: Heals(1, NOW)}
    machine.apply(TWO)
    assert heals(machine) == {ISSUE: Heals(1, NOW)}
    machine.apply(None)
    assert heals(machine) == {}


def test_what_was_found_as_wanted_keeps_its_date_when_it_is_healed(machine: Machine) -> None:
    """It was in force before anybody had to write it, and a heal makes it no younger."""
    machine.write("/etc/motd", "one")
    machine.apply(ONE)
    machine.now += 500
    machine.write("/etc/motd", "drift")
    assert machine.engine.audit(ONE, ["/etc/motd"]).reports[0].outcome is Outcome.HEALED
    state = machine.memory.read()
    assert state is not None and state.standing[MOTD].since == NOW
    assert state.heals == {MOTD: Heals(1, NOW + 500)}


def test_a_fight_is_counted_through_every_pause(machine: Machine) -> None:
    machine.apply(ONE)
    outcomes = []
    for _ in range(100):
        machine.write("/etc/motd", "drift")
        outcomes.append(machine.engine.audit(ONE, ["/etc/motd"]).reports[0].outcome)
        machine.now += 7
    assert Outcome.BACKED_OFF in outcomes
    assert heals(machine)[MOTD].times == outcomes.count(Outcome.HEALED) > 30


def test_the_count_has_an_end(machine: Machine) -> None:
    assert counted(Heals(MOST_HEALS, NOW), NOW + 1) == Heals(MOST_HEALS, NOW + 1)


def test_a_heal_is_written_with_what_is_written_anyway(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Journal, ledger and flapping cost what they cost; that the heal is counted adds nothing to it."""
    machine.apply(ONE)
    synced: list[str] = []
    fsync = os.fsync

    def seen(fd: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{fd}").rpartition("/")[2].partition(".")[0])
        fsync(fd)

    monkeypatch.setattr(os, "fsync", seen)
    for _ in range(3):
        synced.clear()
        machine.write("/etc/motd", "drift")
        synced.clear()
        machine.engine.audit(ONE, ["/etc/motd"])
        assert synced.count("engine") == 1


@hypothesis.settings(max_examples=15, deadline=None)
@hypothesis.given(
    turns=st.lists(st.tuples(st.sampled_from(("/etc/motd", "/etc/issue", "")), st.booleans()), max_size=12)
)
def test_the_count_is_of_the_heals_since_the_value_is_wanted(
    tmp_path_factory: pytest.TempPathFactory, turns: list[tuple[str, bool]]
) -> None:
    """Whatever drifts, whichever policy comes: the memory says what the runs reported."""
    expected = {MOTD: 0, ISSUE: 0}
    with Machine(tmp_path_factory.mktemp("laptop")) as machine:
        wanted = ONE
        machine.apply(wanted)
        for path, change in turns:
            machine.now += 60
            if path:
                machine.write(path, "drift")
            if change:
                wanted = TWO if wanted is ONE else ONE
                expected[MOTD] = 0
            for report in machine.apply(wanted).reports:
                if report.outcome is Outcome.HEALED:
                    expected[report.resource] += 1
            assert {name: one.times for name, one in heals(machine).items()} == {
                name: times for name, times in expected.items() if times
            }


# -- whatever ends a run


def healed_once(directory: Path) -> None:
    with Machine(directory) as machine:
        machine.apply(ONE)
        machine.write("/etc/motd", "drift")
        machine.apply(ONE)
        machine.write("/etc/motd", "drift again")


def heal_again(directory: Path) -> None:
    with Machine(directory) as machine:
        machine.apply(ONE)
        say("healed")


def check(directory: Path, said: str) -> None:
    """One that was cut off may be lost, none before it; and the next is counted on."""
    with Machine(directory) as machine:
        before = heals(machine)[MOTD].times
        assert before in ((2,) if said else (1, 2))
        machine.apply(ONE)
        machine.write("/etc/motd", "and again")
        machine.apply(ONE)
        assert machine.read("/etc/motd") == "one"
        assert heals(machine)[MOTD].times in (before + 1, before + 2)


SAMPLE = 8  #: points where time is short; `make soak` takes every one


@pytest.mark.needs("strace")
@pytest.mark.slow
@pytest.mark.soak(sample=True)
def test_no_power_cut_forgets_what_was_counted(soak_rounds: Rounds) -> None:
    tally = every_prefix(heal_again, healed_once, check, most=soak_rounds(sample=SAMPLE, full=EVERY))
    assert tally.points > SAMPLE // 2


@pytest.mark.needs("strace")
@pytest.mark.slow
@pytest.mark.soak
def test_no_kill_forgets_what_was_counted(soak_rounds: Rounds) -> None:
    tally = kill_at_every(heal_again, healed_once, check, most=soak_rounds(sample=SAMPLE, full=EVERY))
    assert tally.points > SAMPLE // 2
