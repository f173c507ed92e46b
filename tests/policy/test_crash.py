"""A run that is cut anywhere converges at the next one, and everything can still be undone exactly."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from agent.host.base import Node
from agent.policy.compiled import Compiled
from tests.conftest import Rounds
from tests.policy.machine import Machine, compiled, source
from tests.powercut import EVERY, Outcome, every_prefix, fail_at_every, kill_at_every, say

Record = Callable[[str, object], None]
GIVEN = {
    "/etc/motd": ("theirs", 0o600),
    "/etc/issue": ("theirs too", 0o644),
    "/etc/handed": ("theirs\n", 0o644),
}


def policy(*rows: str, handed: str) -> Compiled:
    """``handed``: what root power has at a path that goes from a file to a block in it."""
    ordinary = source("resources:\n" + "".join(f"  - file: {row}\n" for row in rows))
    return compiled(ordinary, source(f"resources:\n  - {handed}\n", name="handed", power=True))


BEFORE = policy(
    '{path: /etc/motd, content: "one"}',
    '{path: /usr/share/bookbag/gone/a, content: "a"}',
    handed='file: {path: /etc/handed, content: "ours"}',
)
AFTER = policy(
    '{path: /etc/motd, content: "two"}',
    "{path: /etc/issue, absent: true}",
    '{path: /usr/share/bookbag/new/b, content: "b", mode: "0640"}',
    handed="block: {path: /etc/handed, lines: [a line]}",
)
WANTED = {
    "/etc/motd": "two",
    "/etc/issue": None,
    "/usr/share/bookbag/new/b": "b",
    "/usr/share/bookbag/gone": None,
    "/etc/handed": "theirs\n# bookbag: begin, managed by the school\na line\n# bookbag: end\n",
}


@cache
def furniture() -> frozenset[str]:
    """What every laptop in a folder begins with."""
    with tempfile.TemporaryDirectory() as folder, Machine(Path(folder)) as machine:
        return frozenset(machine.state())


def start(directory: Path) -> None:
    """A laptop on which the first policy is in force."""
    with Machine(directory) as machine:
        for path, (content, mode) in GIVEN.items():
            machine.write(path, content, mode=mode)
        assert not machine.apply(BEFORE).failed


def enforce(directory: Path) -> None:
    """The run that is cut: one file changes, one goes, one comes, one is removed with its folder, and
    one is given back before a block comes into it."""
    with Machine(directory) as machine:
        machine.apply(AFTER)
        say("applied")


def check(directory: Path, said: str) -> None:
    with Machine(directory) as machine:
        if said:
            assert machine.plan(AFTER).empty, "it was acknowledged, and is not in force"
        assert not machine.apply(AFTER).failed
        assert {path: machine.read(path) for path in WANTED} == WANTED
        assert machine.plan(AFTER).empty
        assert not machine.apply(None).failed
        files = {path: node for path, node in machine.state().items() if node.kind != "directory"}
        given = {
            path: Node("file", mode, content=content.encode()) for path, (content, mode) in GIVEN.items()
        }
        assert {path: node for path, node in files.items() if path not in furniture()} == given
        assert machine.host.files.names("/usr") is None, "a folder of ours stayed behind"
        assert machine.undo.resources() == ()


SAMPLE = 20  #: points where time is short, evenly spread; `make soak` takes every one


@pytest.mark.needs("strace")
@pytest.mark.slow
@pytest.mark.soak(sample=True)
def test_a_power_cut_anywhere_converges(soak_rounds: Rounds, record_property: Record) -> None:
    tally = every_prefix(enforce, start, check, most=soak_rounds(sample=SAMPLE, full=EVERY))
    record_property("soak", f"a power cut in an apply: {tally}")
    assert tally.states > SAMPLE // 2


@pytest.mark.needs("strace")
@pytest.mark.slow
@pytest.mark.soak(sample=True)
def test_a_kill_anywhere_converges(soak_rounds: Rounds, record_property: Record) -> None:
    tally = kill_at_every(enforce, start, check, most=soak_rounds(sample=SAMPLE, full=EVERY))
    record_property("soak", f"SIGKILL in an apply: {tally}")
    assert tally.points > SAMPLE // 2


@pytest.mark.needs("strace")
@pytest.mark.slow
@pytest.mark.soak(sample=True)
def test_a_full_disk_anywhere_leaves_nothing_half_done(soak_rounds: Rounds, record_property: Record) -> None:
    def told(directory: Path, outcome: Outcome) -> None:
        check(directory, "")

    calls = ("write", "pwrite64", "rename", "renameat")
    tally = fail_at_every(enforce, start, told, calls=calls, most=soak_rounds(sample=SAMPLE, full=EVERY))
    record_property("soak", f"a full disk in an apply: {tally}")
    assert tally.points > SAMPLE // 2
