"""A path that goes from one kind of resource to another: whatever came and went, what was there before comes
back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.core.model import Outcome, Report
from agent.policy.enforcement import handover
from agent.policy.enforcement.plan import Plan
from tests.policy.machine import Machine, compiled, source
from tests.policy.test_engine import Failing, Full

PLACE = "/etc/thing.conf"
FILE = f'resources:\n  - file: {{path: {PLACE}, content: "ours\\n"}}\n'
LINK = f"resources:\n  - file: {{path: {PLACE}, link: /etc/hostname}}\n"
BLOCK = f"resources:\n  - block: {{path: {PLACE}, lines: [a line]}}\n"
DIRECTORY = f'resources:\n  - directory: {{path: {PLACE}, mode: "0750", group: games}}\n'
WITHIN = f'resources:\n  - file: {{path: {PLACE}/deep/file, content: "ours\\n"}}\n'
ORDERS = [(FILE, BLOCK), (BLOCK, FILE), (FILE, BLOCK, FILE), (BLOCK, FILE, BLOCK), (LINK, BLOCK, LINK)]


def take(machine: Machine, body: str) -> None:
    wanted = compiled(source(body, power=True)) if body else compiled()
    assert not machine.apply(wanted).failed
    assert machine.plan(wanted).empty, "a second run changes nothing"


@pytest.mark.parametrize("first", [FILE, LINK, DIRECTORY, WITHIN])
@pytest.mark.parametrize("second", [FILE, LINK, DIRECTORY, WITHIN])
def test_a_file_becomes_a_directory_and_a_directory_a_file(tmp_path: Path, first: str, second: str) -> None:
    with Machine(tmp_path) as machine:
        state = machine.state()
        for body in (first, second, first):
            take(machine, body)
        take(machine, "")
        assert machine.state() == state
        assert machine.undo.resources() == ()


@pytest.mark.parametrize("before", [None, "theirs\n"])
@pytest.mark.parametrize("bodies", ORDERS)
def test_what_was_there_before_comes_back(
    tmp_path: Path, before: str | None, bodies: tuple[str, ...]
) -> None:
    with Machine(tmp_path) as machine:
        if before is not None:
            machine.write(PLACE, before)
        state = machine.state()
        for body in bodies:
            take(machine, body)
            assert machine.state() != state, "the control: something was there"
        take(machine, "")
        assert machine.state() == state


def test_the_second_starts_from_what_was_there_before(tmp_path: Path) -> None:
    with Machine(tmp_path) as machine:
        machine.write(PLACE, "theirs\n")
        take(machine, FILE)
        take(machine, BLOCK)
        text = machine.read(PLACE) or ""
        assert text.startswith("theirs\n") and "a line" in text and "ours" not in text


def test_what_somebody_changed_meanwhile_is_the_second_ones_beginning(tmp_path: Path) -> None:
    with Machine(tmp_path) as machine:
        machine.write(PLACE, "theirs\n")
        take(machine, FILE)
        machine.write(PLACE, "somebody's\n")
        take(machine, BLOCK)
        take(machine, "")
        assert machine.read(PLACE) == "somebody's\n"


def test_what_cannot_be_given_back_is_not_taken_over(tmp_path: Path) -> None:
    with Machine(tmp_path) as machine:
        machine.write(PLACE, "theirs\n")
        take(machine, FILE)
        real, wanted = machine.host, compiled(source(BLOCK, power=True))
        machine.host = replace(real, files=Failing(real.files, PLACE))
        run = machine.apply(wanted)
        assert {one.outcome for one in run.reports} == {Outcome.FAILED}
        assert {one.resource: one.code for one in run.reports} == {
            f"file:{PLACE}": "disk-full",
            f"block:{PLACE}": "conflict",
        }
        machine.host = real
        take(machine, BLOCK)
        take(machine, "")
        assert machine.read(PLACE) == "theirs\n"


def test_what_was_given_back_is_told_even_where_what_follows_cannot_begin(tmp_path: Path) -> None:
    with Machine(tmp_path) as machine:
        machine.write(PLACE, "theirs\n")
        take(machine, FILE)
        real, wanted = machine.undo, compiled(source(BLOCK, power=True))
        machine.undo = Full(real)  # type: ignore[assignment]
        with pytest.raises(BookbagError) as caught:
            machine.apply(wanted)
        assert caught.value.code == "disk-full"
        assert machine.read(PLACE) == "theirs\n"
        (last,) = machine.ledger.entries(newest=1)
        assert (last.kind, last.subject, last.outcome) == ("restore", f"file:{PLACE}", "restored")
        remembered = machine.memory.read()
        assert remembered is not None and f"file:{PLACE}" not in remembered.standing
        assert remembered.policy != wanted.fingerprint, "not all of it was looked at"
        machine.undo = real
        take(machine, BLOCK)
        take(machine, "")
        assert machine.read(PLACE) == "theirs\n"


def test_the_later_look_tells_how_it_stands_and_the_policys_own_word_stays() -> None:
    stood = [Report(name, Outcome.IN_FORCE) for name in ("group:a", "group:b", "file:/c")]
    decided = Report("group:a", Outcome.OVERRULED, "conflict", "another document decides it")
    later = [Report("group:a", Outcome.FAILED, "internal"), Report("group:b", Outcome.IN_FORCE)]
    both = handover.together(Plan("", (), (decided, *stood)), Plan("", (), tuple(later)))
    assert set(both.reports) == {decided, *later, stood[2]}
    assert len(both.reports) == 4
