"""Every writer of telemetry's state, with the power cut, the process killed, the disk full at every
single call.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.powercut import Outcome, every_prefix, fail_at_every, kill_at_every
from tests.telemetry.programs import WRITERS, acknowledged

each = pytest.mark.parametrize("writer", WRITERS)
needs_strace = pytest.mark.needs("strace")


@each
@needs_strace
@pytest.mark.slow
def test_a_power_cut_anywhere_loses_nothing_acknowledged(writer: str) -> None:
    program, check = WRITERS[writer]
    tally = every_prefix(program, None, lambda directory, said: check(directory, acknowledged(said)))
    print(f"power cut: {tally}")
    assert tally.states > 12


WITHOUT_FSYNC = """
import os, pathlib, sys
os.fsync = lambda fd: None
from tests.telemetry.programs import WRITERS
WRITERS[sys.argv[2]][0](pathlib.Path(sys.argv[1]))
"""


@each
@needs_strace
@pytest.mark.slow
def test_without_its_fsyncs_each_is_caught(writer: str) -> None:
    """The positive control of the test above."""
    program = [sys.executable, "-c", WITHOUT_FSYNC, "{dir}", writer]
    check = WRITERS[writer][1]
    with pytest.raises(AssertionError, match="power cut after step"):
        every_prefix(program, None, lambda directory, said: check(directory, acknowledged(said)))


@each
@needs_strace
@pytest.mark.slow
def test_a_kill_anywhere_loses_nothing_acknowledged(writer: str) -> None:
    program, check = WRITERS[writer]
    tally = kill_at_every(program, None, lambda directory, said: check(directory, acknowledged(said)))
    print(f"kill: {tally}")
    assert tally.points >= 10


@each
@needs_strace
@pytest.mark.slow
def test_a_full_disk_anywhere_is_told_and_changes_nothing(writer: str) -> None:
    program, check = WRITERS[writer]

    def told(directory: Path, outcome: Outcome) -> None:
        last = (outcome.said.splitlines() or [outcome.errors])[-1]
        assert last == "error disk-full" or not last.startswith("error"), outcome
        assert "Traceback" not in outcome.errors
        check(directory, acknowledged(outcome.said))

    tally = fail_at_every(program, None, told)
    print(f"full disk: {tally}")
    assert tally.points > 8
