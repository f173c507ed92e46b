"""The lock contract over the laptop in a folder; tests/contract/test_lab.py has it over a real one."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from agent.core.layout import Layout
from agent.core.model import State
from agent.host.choose import open_host
from agent.host.locking.login_gate import CLOSED, OPEN, lets_in
from agent.host.sandbox import trying
from tests.conftest import Rounds
from tests.contract.checks import LOCK
from tests.contract.lock_checks import Lockable
from tests.powercut import EVERY, Outcome, every_prefix, fail_at_every, kill_at_every, say


def lockable(folder: Path) -> Lockable:
    return Lockable(open_host(Layout(str(folder))), "student", lambda: trying.log_in(str(folder)))


@pytest.mark.parametrize("name", LOCK)
def test_lock(name: str, tmp_path: Path) -> None:
    LOCK[name](lockable(tmp_path))


WAYS = tuple(trying.WAYS)


@pytest.mark.parametrize("way", WAYS)
def test_a_restart_changes_nothing(way: str, tmp_path: Path) -> None:
    laptop, folder = lockable(tmp_path), str(tmp_path)
    assert trying.log_in(folder, way=way) == ""
    priors = laptop.lock()
    assert trying.log_in(folder, way=way) != ""
    trying.restart(folder)
    assert all(layer.closed() for layer in laptop.host.lock_layers)
    assert trying.log_in(folder, way=way) != ""
    laptop.unlock(priors)
    assert trying.log_in(folder, way=way) == ""
    trying.restart(folder)
    assert trying.log_in(folder, way=way) == ""


def test_a_gate_that_says_nothing_is_no_gate() -> None:
    """What pam_access itself decides; the lab asks the real one the same."""
    assert not lets_in(None) and not lets_in(CLOSED) and lets_in(OPEN)
    assert lets_in(b"") and lets_in(b"# - : ALL : ALL\n") and lets_in(b"\0" * 99)
    assert not lets_in(b"-:ALL:ALL\n+:ALL:ALL\n"), "the first that matches"
    assert lets_in(b"+ : omar : ALL\n- : ALL : ALL\n"), "somebody"


# -- cut short anywhere


def start(directory: Path) -> None:
    """A laptop with a lingering person who is logged in."""
    laptop = lockable(directory)
    laptop.linger()
    assert laptop.log_in() == ""


@cache
def priors() -> dict[str, State]:
    """What a laptop as `start` makes it has before it is locked: each the same."""
    with TemporaryDirectory() as folder:
        start(Path(folder))
        return {layer.name: layer.observe() for layer in lockable(Path(folder)).host.lock_layers}


def lock(directory: Path) -> None:
    lockable(directory).lock()
    say("locked")


def start_locked(directory: Path) -> None:
    start(directory)
    lockable(directory).lock()


def unlock(directory: Path) -> None:
    lockable(directory).unlock(priors())
    say("unlocked")


def check(directory: Path, said: str) -> None:
    """What was said holds; and from wherever it stopped the laptop can be locked, and unlocked again."""
    laptop = lockable(directory)
    layers = laptop.host.lock_layers
    if said == "locked\n":
        assert all(layer.closed() for layer in layers)
        assert laptop.log_in() != ""
    if said == "unlocked\n":
        assert {layer.name: layer.observe() for layer in layers} == priors()
    laptop.lock()
    trying.restart(str(directory))
    assert all(layer.closed() for layer in layers)
    assert laptop.log_in() != ""
    laptop.unlock(priors())
    assert {layer.name: layer.observe() for layer in layers} == priors()
    assert laptop.log_in() == ""


def after_the_power_came_back(directory: Path, said: str) -> None:
    trying.restart(str(directory))
    check(directory, said)


def after_an_error(directory: Path, outcome: Outcome) -> None:
    assert outcome.code == 0 or "BookbagError" in outcome.errors, outcome.errors
    check(directory, outcome.said)


SAMPLE = 20  #: points of each program where time is short, evenly spread; `make soak` takes every one
PROGRAMS = [(lock, start), (unlock, start_locked)]


@pytest.mark.slow
@pytest.mark.soak(sample=True)
@pytest.mark.parametrize(("program", "begin"), PROGRAMS)
def test_a_power_cut_anywhere_leaves_it_lockable_and_unlockable(
    program: object, begin: object, soak_rounds: Rounds
) -> None:
    most = soak_rounds(sample=SAMPLE, full=EVERY)
    assert every_prefix(program, begin, after_the_power_came_back, most=most).states > SAMPLE // 2  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.soak(sample=True)
@pytest.mark.parametrize(("program", "begin"), PROGRAMS)
def test_a_kill_anywhere_leaves_it_lockable_and_unlockable(
    program: object, begin: object, soak_rounds: Rounds
) -> None:
    most = soak_rounds(sample=SAMPLE, full=EVERY)
    assert kill_at_every(program, begin, check, most=most).points > SAMPLE // 2  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.soak(sample=True)
@pytest.mark.parametrize(("program", "begin"), PROGRAMS)
def test_a_full_disk_anywhere_is_said_and_leaves_it_lockable(
    program: object, begin: object, soak_rounds: Rounds
) -> None:
    most = soak_rounds(sample=SAMPLE, full=EVERY)
    assert fail_at_every(program, begin, after_an_error, most=most).points > SAMPLE // 2  # type: ignore[arg-type]
