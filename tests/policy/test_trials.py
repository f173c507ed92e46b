"""Commit-confirm on a laptop in a folder: the engine, its journal, its memory and what is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.model import Outcome
from agent.host.nft_table import plain
from agent.policy.compiled import Compiled
from agent.policy.enforcement.confirm import (
    APPLIED,
    CONTESTED,
    GRACE_S,
    KEPT,
    MISSES,
    PAUSE_S,
    REVERTED,
    REVERTS,
    Contact,
    Trial,
    Trials,
)
from agent.policy.enforcement.engine import Engine
from agent.policy.enforcement.plan import Plan, Run
from agent.policy.enforcement.trials import Trying
from agent.policy.resources.firewall import Firewall
from agent.store.statefile import StateFile
from tests.conftest import Rounds
from tests.policy.machine import Machine, compiled, source
from tests.powercut import EVERY, every_prefix, kill_at_every, say

ID = "firewall:bookbag"
EXAM = compiled(
    source("settings:\n  network.firewall: {value: {incoming: closed, outgoing: [web]}}\n", power=True)
)
LESSON = compiled(
    source("settings:\n  network.firewall: {value: {incoming: [ssh], outgoing: [web]}}\n", power=True)
)
CLOSED = compiled(source("settings:\n  network.firewall: {value: {incoming: closed}}\n", power=True))
MOTD = compiled(source('resources:\n  - file: {path: /etc/motd, content: "x"}\n'))


class Tried(Machine):
    """A machine that the supervisor tells how the service was reached."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.good = True  #: whether the service answers
        self.linked = True
        self.own: tuple[str, ...] = ()  #: host names of the service
        self.trials = StateFile(self.layout.state_file("trials"), Trials, "trials")

    def trying(self, *, heard: bool = True) -> Trying:
        contact = Contact(self.now - 1, self.good) if heard else None
        return Trying(self.trials, contact, linked=self.linked, now=self.now, own=self.own)

    def engine_now(self, *, heard: bool = True) -> Engine:
        trying = self.trying(heard=heard)
        return Engine(self.host, self.undo, self.ledger, self.memory, self.now, trying)

    def run(self, policy: Compiled | None, seconds: int = 10, *, heard: bool = True) -> Run:
        """Some time later, a run with the newest contact."""
        self.now += seconds
        return self.engine_now(heard=heard).apply(policy)

    def look(self, policy: Compiled) -> Plan:
        return self.engine_now().plan(policy)

    def trial(self) -> Trial:
        known = self.trials.read()
        assert known is not None
        return known.trials[ID]

    def cut_off(self, policy: Compiled) -> Run:
        """The service is missed until that counts."""
        self.good = False
        ran = [self.run(policy, GRACE_S // MISSES) for _ in range(MISSES + 1)]
        return ran[-1]

    def loaded(self) -> Firewall | None:
        """Which rules hold."""
        assert self.host.firewall is not None
        listed = self.host.firewall.listed()
        kinds = (
            Firewall([], ["web"]),
            Firewall([], ["web"], reopened=True),
            Firewall(["ssh"], ["web"]),
            Firewall(["ssh"], ["web"], reopened=True),
        )
        return next((one for one in kinds if _same(one, listed)), None)


def _same(one: Firewall, listed: object) -> bool:
    return listed == plain(tuple(one._objects()))


def outcome(ran: Run) -> tuple[Outcome, str]:
    (row,) = [one for one in ran.reports if one.resource == ID]
    return row.outcome, row.code


def test_a_good_one_stays(tmp_path: Path) -> None:
    with Tried(tmp_path) as machine:
        assert outcome(machine.run(EXAM)) == (Outcome.CHANGED, "")
        trial = machine.trial()
        assert trial == Trial(trial.digest, APPLIED, machine.now, machine.now + GRACE_S, True)
        assert machine.trying().waiting() == (1, 2 * GRACE_S)
        assert outcome(machine.run(EXAM)) == (Outcome.IN_FORCE, "")
        assert machine.trial().stage == KEPT
        assert machine.trying().waiting() == (0, 0)
        assert outcome(machine.cut_off(EXAM)) == (Outcome.IN_FORCE, ""), "a later outage is not its doing"
        assert machine.loaded() == Firewall([], ["web"])


def test_one_that_cuts_off_is_taken_back_and_persons_gain_nothing(tmp_path: Path) -> None:
    with Tried(tmp_path) as machine:
        machine.run(EXAM)
        ran = machine.cut_off(EXAM)
        assert machine.loaded() == Firewall([], ["web"], reopened=True)
        assert outcome(ran) == (Outcome.BACKED_OFF, "cut-off")
        assert ran.exit_code == 4
        again = machine.run(EXAM)
        assert outcome(again) == (Outcome.BACKED_OFF, "cut-off")
        assert not again.done
        assert machine.look(EXAM).empty
        assert [one.code for one in machine.look(EXAM).reports] == ["cut-off"]
        rows = [one for one in machine.ledger.entries() if one.code == "cut-off"]
        assert len(rows) == 1, "it is told once"


def test_it_is_tried_again_and_the_third_time_it_is_contested(tmp_path: Path) -> None:
    with Tried(tmp_path) as machine:
        ran = machine.run(EXAM)
        for reverts in range(1, REVERTS + 1):
            ran = machine.cut_off(EXAM)
            assert machine.trial().reverts == reverts
            assert machine.loaded() == Firewall([], ["web"], reopened=True)
            machine.good = True
            assert outcome(machine.run(EXAM, PAUSE_S // 2))[0] in (Outcome.BACKED_OFF, Outcome.FAILED)
            machine.run(EXAM, PAUSE_S * reverts)
            tried = machine.loaded() == Firewall([], ["web"])
            assert tried == (reverts < REVERTS)
        assert machine.trial().stage == CONTESTED
        assert outcome(ran) == (Outcome.FAILED, "contested")
        assert "any other value is tried anew" in next(one.message for one in ran.reports)
        machine.run(EXAM, 99 * PAUSE_S)
        assert machine.loaded() == Firewall([], ["web"], reopened=True)
        assert outcome(machine.run(LESSON)) == (Outcome.CHANGED, ""), "IT decided otherwise"
        assert machine.trial().reverts == 0
        assert machine.loaded() == Firewall(["ssh"], ["web"])


def test_who_pulls_the_cable_undoes_nothing(tmp_path: Path) -> None:
    with Tried(tmp_path) as machine:
        machine.run(EXAM)
        machine.linked = False
        for _ in range(3):
            assert outcome(machine.cut_off(EXAM)) == (Outcome.IN_FORCE, "")
        assert machine.loaded() == Firewall([], ["web"])
        machine.linked = machine.good = True
        machine.run(EXAM)
        assert machine.trial().stage == KEPT


def test_a_laptop_that_never_reaches_the_service_gets_its_tightening(tmp_path: Path) -> None:
    with Tried(tmp_path) as machine:
        machine.good = False
        assert outcome(machine.run(EXAM)) == (Outcome.CHANGED, "")
        machine.cut_off(EXAM)
        assert outcome(machine.cut_off(EXAM)) == (Outcome.IN_FORCE, "")
        assert machine.loaded() == Firewall([], ["web"])
        assert machine.trying().waiting() == (1, 0), "it is not worth asking often"


def test_what_leaves_the_way_out_open_is_not_on_trial(tmp_path: Path) -> None:
    with Tried(tmp_path) as machine:
        machine.run(CLOSED)
        assert machine.trials.read() is None
        assert outcome(machine.cut_off(CLOSED)) == (Outcome.IN_FORCE, "")


def test_taken_back_while_another_policy_comes_the_other_is_tried(tmp_path: Path) -> None:
    with Tried(tmp_path) as machine:
        machine.run(EXAM)
        machine.cut_off(EXAM)
        ran = machine.run(LESSON)
        assert outcome(ran) == (Outcome.CHANGED, "")
        assert not machine.trial().reachable_before, (
            "it is out of reach just now: nothing is known to be lost"
        )


def test_withdrawn_it_is_forgotten_and_all_is_as_before(tmp_path: Path) -> None:
    with Tried(tmp_path) as machine:
        before = machine.state()
        machine.run(EXAM)
        machine.cut_off(EXAM)
        machine.run(None)
        assert machine.state() == before
        assert machine.host.firewall is not None and machine.host.firewall.listed() is None
        known = machine.trials.read()
        assert known is not None and not known.trials


def test_drift_of_what_is_taken_back_is_healed_to_that(tmp_path: Path) -> None:
    with Tried(tmp_path) as machine:
        machine.run(EXAM)
        machine.cut_off(EXAM)
        assert machine.host.firewall is not None
        machine.host.firewall.clear()
        assert outcome(machine.run(EXAM)) == (Outcome.BACKED_OFF, "cut-off")
        assert machine.loaded() == Firewall([], ["web"], reopened=True)


def test_an_observed_one_is_never_on_trial(tmp_path: Path) -> None:
    policy = compiled(
        source(
            "settings:\n  network.firewall: {value: {incoming: closed, outgoing: [web]}}\n",
            power=True,
            more="mode: observe\n",
        )
    )
    with Tried(tmp_path) as machine:
        machine.run(policy)
        assert machine.trials.read() is None


# -- cut short anywhere


def start(directory: Path) -> None:
    with Tried(directory) as machine:
        machine.run(MOTD)


def apply(directory: Path) -> None:
    with Tried(directory) as machine:
        machine.run(EXAM)
        say("applied")


def check_applied(directory: Path, said: str) -> None:
    """Whatever was cut short, nothing is in force that is not on trial; and it can still be taken back."""
    with Tried(directory) as machine:
        known = machine.trials.read()
        if machine.host.files.read("/etc/bookbag/firewall.json") is not None or said:
            assert known is not None and known.trials[ID].reachable_before
        machine.now += 100
        machine.run(EXAM)
        machine.run(EXAM, heard=False)
        assert machine.loaded() == Firewall([], ["web"])
        assert not machine.run(None).failed
        assert machine.undo.resources() == ()


def cut(directory: Path) -> None:
    start(directory)
    apply(directory)
    with Tried(directory) as machine:
        machine.now += 10
        machine.good = False
        for _ in range(MISSES):
            machine.run(EXAM)


def take_back(directory: Path) -> None:
    with Tried(directory) as machine:
        machine.good = False
        machine.run(EXAM, GRACE_S * 2)
        say("taken back")


def check_taken_back(directory: Path, said: str) -> None:
    with Tried(directory) as machine:
        if said:
            assert machine.trial().stage == REVERTED
            assert machine.loaded() == Firewall([], ["web"], reopened=True)
        machine.good = False
        machine.run(EXAM, GRACE_S * 2, heard=False)
        assert machine.trial().stage == REVERTED
        assert machine.trial().reverts == 1
        assert machine.loaded() == Firewall([], ["web"], reopened=True)
        assert not machine.run(None).failed
        assert machine.host.firewall is not None and machine.host.firewall.listed() is None


SAMPLE = 6  #: points where time is short, evenly spread; `make soak` takes every one


@pytest.mark.needs("strace")
@pytest.mark.slow
@pytest.mark.soak(sample=True)
@pytest.mark.parametrize("what", ["applied", "taken-back"])
def test_after_a_power_cut_anywhere_it_is_on_trial_or_back(what: str, soak_rounds: Rounds) -> None:
    program, before, check = PROGRAMS[what]
    assert every_prefix(program, before, check, most=soak_rounds(sample=SAMPLE, full=EVERY)).states > 2


@pytest.mark.needs("strace")
@pytest.mark.slow
@pytest.mark.soak(sample=True)
@pytest.mark.parametrize("what", ["applied", "taken-back"])
def test_killed_anywhere_it_is_on_trial_or_back(what: str, soak_rounds: Rounds) -> None:
    program, before, check = PROGRAMS[what]
    assert kill_at_every(program, before, check, most=soak_rounds(sample=SAMPLE, full=EVERY)).points > 2


PROGRAMS = {"applied": (apply, start, check_applied), "taken-back": (take_back, cut, check_taken_back)}
