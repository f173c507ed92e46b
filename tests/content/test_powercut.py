"""A look of the content worker, with the power cut, the process killed, the disk full at every single step:
never an item that is listed and does not open, never a working version lost."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Rounds
from tests.content import programs
from tests.powercut import EVERY, Outcome, every_prefix, fail_at_every, kill_at_every

Record = Callable[[str, object], None]
SAMPLE = 12  #: points where time is short, evenly spread; `make soak` takes every one
LOOK = [sys.executable, "-m", "tests.content.programs", "look", "{dir}"]
needs_strace = pytest.mark.needs("strace")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("begun")
    programs.begin(folder)
    return folder


@needs_strace
@pytest.mark.slow
def test_a_power_cut_anywhere_loses_no_version_and_lists_none_that_does_not_open(begun: Path) -> None:
    tally = every_prefix(
        LOOK, begun, lambda directory, said: programs.check(directory, looked="looked" in said)
    )
    print(f"power cut: {tally}")
    assert tally.states > 30


@needs_strace
@pytest.mark.slow
def test_without_its_fsyncs_it_is_caught(begun: Path) -> None:
    """The positive control of the test above."""
    program = [sys.executable, "-m", "tests.content.programs", "without-fsync", "{dir}"]
    with pytest.raises(AssertionError, match="power cut after step"):
        every_prefix(
            program, begun, lambda directory, said: programs.check(directory, looked="looked" in said)
        )


@needs_strace
@pytest.mark.slow
@pytest.mark.soak(sample=True)
def test_a_kill_anywhere(begun: Path, soak_rounds: Rounds, record_property: Record) -> None:
    tally = kill_at_every(
        LOOK,
        begun,
        lambda directory, said: programs.check(directory, looked="looked" in said),
        most=soak_rounds(sample=SAMPLE, full=EVERY),
    )
    record_property("soak", f"SIGKILL in a look at content: {tally}")
    assert tally.points > SAMPLE // 2


@needs_strace
@pytest.mark.slow
@pytest.mark.soak(sample=True)
def test_a_full_disk_anywhere(begun: Path, soak_rounds: Rounds, record_property: Record) -> None:
    """It is said, as a state of the item or as an error; what works goes on working."""

    def told(directory: Path, outcome: Outcome) -> None:
        assert outcome.said in ("looked\n", "refused disk-full\n", "refused io-error\n"), outcome
        assert "Traceback" not in outcome.errors, outcome.errors
        programs.check(directory, looked=False)

    tally = fail_at_every(LOOK, begun, told, most=soak_rounds(sample=SAMPLE, full=EVERY))
    record_property("soak", f"a full disk in a look at content: {tally}")
    assert tally.points > SAMPLE // 2
