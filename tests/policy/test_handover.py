"""A path that goes from one kind of resource to another: whatever came and went, what was there before comes
back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agent.core.model import Outcome
from tests.policy.machine import Machine, compiled, source
from tests.policy.test_engine import Failing

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
