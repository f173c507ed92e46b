"""Directories that policy names: what they hold is never theirs, and what was is given back exactly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.core.model import Outcome
from agent.host.base import Node
from agent.policy.enforcement.plan import describe
from tests.policy.machine import Machine, compiled, source

PLACE = "/srv/share"
THEIRS = Node("directory", 0o2775, "games", "adm", b"", (("user.origin", b"vendor"),))
PLAIN = Node("directory", 0o755)
NAMED = f'  - directory: {{path: {PLACE}, mode: "0750", owner: games}}\n'
HELD = f'  - file: {{path: {PLACE}/ours, content: "ours\\n"}}\n'


def policy(*rows: str) -> Any:
    return compiled(source("resources:\n" + "".join(rows), power=True)) if rows else compiled()


def told(run: Any) -> dict[str, tuple[Outcome, str]]:
    return {one.resource: (one.outcome, one.message) for one in run.reports}


def test_what_somebody_put_into_it_keeps_one_that_policy_made(machine: Machine) -> None:
    machine.apply(policy(NAMED))
    machine.write(f"{PLACE}/theirs", "theirs\n")
    outcome, text = told(machine.apply(policy()))[f"directory:{PLACE}"]
    assert outcome is Outcome.KEPT and "something else lies in it" in text
    assert machine.read(f"{PLACE}/theirs") == "theirs\n"
    assert machine.undo.resources() == ()


def test_one_that_a_file_still_needs_is_as_if_it_had_been_made_for_that(machine: Machine) -> None:
    state = machine.state()
    machine.apply(policy(NAMED, HELD))
    assert machine.host.files.read(PLACE) == Node("directory", 0o750, "games")
    assert not machine.apply(policy(HELD)).failed
    assert machine.host.files.read(PLACE) == PLAIN
    assert machine.plan(policy(HELD)).empty
    machine.apply(policy())
    assert machine.state() == state


def test_one_that_a_file_made_is_named_later_and_goes_with_both(machine: Machine) -> None:
    state = machine.state()
    for rows in ((HELD,), (HELD, NAMED), (NAMED,)):
        assert not machine.apply(policy(*rows)).failed
        assert machine.plan(policy(*rows)).empty
    machine.apply(policy())
    assert machine.state() == state


def test_what_somebody_changed_since_stays(machine: Machine) -> None:
    machine.host.files.make_parents(f"{PLACE}/x")
    machine.apply(policy(NAMED))
    theirs = Node("directory", 0o711, "games")
    machine.host.files.make_directory(PLACE, theirs)
    assert told(machine.apply(policy()))[f"directory:{PLACE}"][0] is Outcome.KEPT
    assert machine.host.files.read(PLACE) == theirs


def test_drift_is_healed_and_removal_too(machine: Machine) -> None:
    wanted = policy(NAMED)
    machine.apply(wanted)
    for taken in (False, True):
        if taken:
            machine.host.files.remove_empty([PLACE])
        else:
            machine.host.files.make_directory(PLACE, PLAIN)
        run = machine.engine.audit(wanted, [PLACE])
        assert told(run)[f"directory:{PLACE}"][0] is Outcome.HEALED
        assert machine.host.files.read(PLACE) == Node("directory", 0o750, "games")


def test_what_is_done_to_it_is_in_the_ledger_and_what_was_made_on_the_way_is_not(machine: Machine) -> None:
    machine.apply(policy(NAMED))
    machine.apply(policy())
    subjects = [(one.kind, one.subject) for one in machine.ledger.entries()]
    assert ("policy", f"directory:{PLACE}") in subjects and ("restore", f"directory:{PLACE}") in subjects
    assert all(subject != "directory:/srv" for _, subject in subjects)


def test_it_is_described_without_its_attributes(machine: Machine) -> None:
    machine.host.files.make_parents(f"{PLACE}/x")
    machine.host.files.make_directory(PLACE, THEIRS)
    (step,) = machine.plan(policy(NAMED)).steps
    assert describe(step.before) == "mode: 2775, owner: games, group: adm, attributes: a set of its own"
    assert describe(step.after) == "mode: 0750, owner: games, group: root, attributes: none"


class Cut:
    """The power goes when the owner is changed already and nothing else is: only files are real here."""

    def __init__(self, real: Any) -> None:
        self.real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def make_directory(self, path: str, node: Node) -> None:
        seen = self.real.read(path)
        self.real.make_directory(path, replace(seen, owner=node.owner, group=node.group))
        raise SystemExit


@pytest.mark.parametrize("giving_back", [False, True])
def test_a_power_cut_between_owner_and_mode_is_nobody_elses_doing(tmp_path: Path, giving_back: bool) -> None:
    with Machine(tmp_path) as machine:
        machine.host.files.make_parents(f"{PLACE}/x")
        machine.host.files.make_directory(PLACE, replace(THEIRS, owner="root", group="adm"))
        state = machine.state()
        if giving_back:
            machine.apply(policy(NAMED))
        real = machine.host
        machine.host = replace(real, files=Cut(real.files))
        with pytest.raises(SystemExit):
            machine.apply(policy() if giving_back else policy(NAMED))
        machine.host = real
        assert machine.state() != state, "the control: it is half done"
        assert not machine.apply(policy()).failed
        assert machine.state() == state
