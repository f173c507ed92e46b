"""Lines of ours in a file that is somebody else's: what others do to it stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.model import Outcome
from agent.host.base import Node
from agent.policy.compiled import Compiled
from agent.policy.resources.block import HOSTS
from tests.policy.machine import Machine, compiled, outcomes, source
from tests.policy.test_trials import Tried

ID = f"block:{HOSTS}"
THEIRS = "127.0.0.1 localhost\n"
OURS = "# bookbag: begin, managed by the school\n0.0.0.0 a.example\n:: a.example\n# bookbag: end\n"


def closed(*names: str) -> Compiled:
    return compiled(source(f"settings:\n  network.blocked-names: [{', '.join(names)}]\n"))


@pytest.mark.parametrize("before", ["", "x", THEIRS, THEIRS * 3 + "\n\n", "\n", "a\r\n", "é\x00\n"])
def test_what_was_there_is_there_again_to_the_byte(machine: Machine, before: str) -> None:
    machine.write(HOSTS, before, mode=0o600, owner="somebody", note=b"mine")
    was = machine.state()
    machine.apply(closed("a.example"))
    text = machine.read(HOSTS)
    assert text is not None and text.endswith(OURS) and text.startswith(before)
    machine.apply(closed("b.example"))
    machine.apply(None)
    assert machine.state() == was


def test_where_there_was_no_file_there_is_none_again(machine: Machine) -> None:
    was = machine.state()
    machine.apply(closed("a.example"))
    assert machine.read(HOSTS) == OURS
    machine.apply(None)
    assert machine.state() == was


def test_what_others_add_stays_wherever_in_our_time_they_add_it(machine: Machine) -> None:
    machine.write(HOSTS, THEIRS)
    machine.apply(closed("a.example"))
    machine.write(HOSTS, f"{THEIRS}{OURS}10.2.0.9 library.example\n")
    assert outcomes(machine.apply(closed("a.example"))) == {ID: Outcome.IN_FORCE}
    machine.apply(closed("a.example", "b.example"))
    machine.write(HOSTS, f"10.2.0.8 printer.example\n{machine.read(HOSTS)}")
    machine.apply(closed("b.example"))
    machine.apply(None)
    assert machine.read(HOSTS) == f"10.2.0.8 printer.example\n{THEIRS}10.2.0.9 library.example\n"


def test_lines_that_somebody_takes_out_or_changes_come_back(machine: Machine) -> None:
    machine.write(HOSTS, THEIRS)
    machine.apply(closed("a.example"))
    for tampered in (
        THEIRS,
        THEIRS + OURS.replace("0.0.0.0 a.example\n", ""),
        THEIRS + OURS + OURS,
        THEIRS + OURS.replace("# bookbag: end\n", ""),
    ):
        machine.write(HOSTS, tampered)
        machine.apply(closed("a.example"))
        text = machine.read(HOSTS)
        assert text is not None and text.startswith(THEIRS)
        assert text.count("0.0.0.0 a.example\n") >= 1
        assert text.endswith(OURS)


def test_a_link_or_a_folder_in_its_place_is_left_and_named(machine: Machine) -> None:
    machine.host.files.make_parents(HOSTS)
    machine.host.files.write(HOSTS, Node("symlink", 0o777, content=b"/run/hosts"))
    (report,) = machine.apply(closed("a.example")).reports
    assert (report.outcome, report.code) == (Outcome.FAILED, "bad-path")


def test_a_list_that_names_the_schools_own_service_gives_that_name_back(tmp_path: Path) -> None:
    policy = closed("casino.example", "service.example")
    with Tried(tmp_path) as machine:
        machine.own = ("service.example",)
        machine.run(policy)
        assert machine.trying().waiting()[0] == 1
        machine.cut_off(policy)
        machine.own = ()  # as after a restart, before anything is configured
        (report,) = machine.run(policy).reports
        assert (report.outcome, report.code) == (Outcome.BACKED_OFF, "cut-off")
        text = machine.read(HOSTS)
        assert text is not None
        assert "0.0.0.0 casino.example\n" in text, "nothing else is opened"
        assert "service.example" not in text


def test_a_list_without_it_is_not_on_trial(tmp_path: Path) -> None:
    with Tried(tmp_path) as machine:
        machine.own = ("service.example",)
        machine.run(closed("casino.example"))
        assert machine.trials.read() is None
