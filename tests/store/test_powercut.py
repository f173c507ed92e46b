"""Every store, with the power cut, the process killed, the disk full at every single call that it makes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.powercut import Outcome, every_prefix, fail_at_every, kill_at_every
from tests.store.programs import STORES, acknowledged, check_time, tell_time

each = pytest.mark.parametrize("store", STORES)
needs_strace = pytest.mark.needs("strace")


@each
@needs_strace
def test_a_power_cut_anywhere_loses_nothing_acknowledged(store: str) -> None:
    program, check = STORES[store]
    tally = every_prefix(program, None, lambda directory, said: check(directory, acknowledged(said)))
    print(f"power cut: {tally}")
    assert tally.states > 12


WITHOUT_FSYNC = """
import os, pathlib, sys
os.fsync = lambda fd: None
from tests.store.programs import STORES
STORES[sys.argv[2]][0](pathlib.Path(sys.argv[1]))
"""


@each
@needs_strace
def test_without_its_fsyncs_each_store_is_caught(store: str) -> None:
    """The positive control of the test above."""
    program = [sys.executable, "-c", WITHOUT_FSYNC, "{dir}", store]
    check = STORES[store][1]
    with pytest.raises(AssertionError, match="power cut after step"):
        every_prefix(program, None, lambda directory, said: check(directory, acknowledged(said)))


@each
@needs_strace
@pytest.mark.slow
def test_a_kill_anywhere_loses_nothing_acknowledged(store: str) -> None:
    program, check = STORES[store]
    tally = kill_at_every(program, None, lambda directory, said: check(directory, acknowledged(said)))
    print(f"kill: {tally}")
    assert tally.points >= 10


@each
@needs_strace
@pytest.mark.slow
def test_a_full_disk_anywhere_is_told_and_changes_nothing(store: str) -> None:
    program, check = STORES[store]

    def told(directory: Path, outcome: Outcome) -> None:
        last = (outcome.said.splitlines() or [outcome.errors])[-1]
        # What SQLite meets while opening its files reaches us without the reason.
        allowed = ["error disk-full"] + ["error io-error"] * (store == "ledger")
        assert last in allowed or not last.startswith("error")
        assert "Traceback" not in outcome.errors
        check(directory, acknowledged(outcome.said))

    tally = fail_at_every(program, None, told)
    print(f"full disk: {tally}")
    assert tally.points > 8


@needs_strace
def test_time_handed_out_is_never_taken_back_by_a_power_cut() -> None:
    tally = every_prefix(tell_time, None, check_time)
    print(f"power cut: {tally}")
    assert tally.states > 12


@needs_strace
@pytest.mark.slow
def test_time_does_not_stop_when_the_disk_is_full() -> None:
    def told(directory: Path, outcome: Outcome) -> None:
        assert len(outcome.said.split()) == 3, outcome.errors
        check_time(directory, outcome.said)

    tally = fail_at_every(tell_time, None, told, calls=("openat", "write", "fsync", "rename"))
    print(f"full disk: {tally}")
    assert tally.points > 8
