"""What a student keeps, with the power cut, the process killed and the disk full at every call that writes
it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.portal.keeping import Keeping, Kept
from agent.portal.people import Who
from agent.portal.tokens import Tokens
from tests.powercut import Outcome, every_prefix, fail_at_every, kill_at_every, say

pytestmark = pytest.mark.needs("strace")

LINA = Who("1000")
PAGES = ("one.html", "two.html", "three.html")


def read(directory: Path) -> None:
    """What a student does: opens pages, and wants to find one again."""
    tokens = Tokens.open(str(directory / "secret"))
    say(f"secret {tokens.form(LINA)}")
    kept = Keeping(str(directory))
    for page in PAGES:
        try:
            kept.stopped(LINA, "ict.book", page=page)
            say(page)
        except BookbagError as problem:
            say(problem.code)
    try:
        kept.favour(LINA, "ict.film", on=True)
        say("favourite")
    except BookbagError as problem:
        say(problem.code)


def whole(directory: Path, said: str) -> None:
    """What was said to be kept is kept, or something newer; never a part of it."""
    found = Keeping(str(directory)).read(LINA)
    words = said.split("\n")
    reached = [at for at, page in enumerate(PAGES) if page in words]
    if reached:
        assert found.places["ict.book"].page in PAGES[reached[-1] :]
    if "favourite" in words:
        assert found.favourites == ("ict.film",)
    assert not [path for path in directory.iterdir() if "corrupt" in path.name], "nothing was found damaged"
    for word in words:
        if word.startswith("secret "):
            again = Tokens.open(str(directory / "secret"))
            assert len((directory / "secret").read_bytes()) == 32 and len(again.form(LINA)) == 32


def test_a_power_cut_anywhere_loses_nothing_that_was_kept() -> None:
    assert every_prefix(read, None, whole).states > 12


WITHOUT_FSYNC = """
import os, pathlib, sys
os.fsync = lambda fd: None
from tests.portal.test_powercut import read
read(pathlib.Path(sys.argv[1]))
"""


def test_without_its_fsyncs_it_is_caught() -> None:
    """The positive control."""
    with pytest.raises(AssertionError, match="power cut after step"):
        every_prefix([sys.executable, "-c", WITHOUT_FSYNC, "{dir}"], None, whole)


@pytest.mark.slow
def test_a_kill_anywhere_loses_nothing() -> None:
    assert kill_at_every(read, None, whole).points >= 10


@pytest.mark.slow
def test_a_full_disk_anywhere_is_told_and_leaves_what_was_there() -> None:
    def told(directory: Path, outcome: Outcome) -> None:
        assert outcome.code == 0, outcome.errors
        whole(directory, outcome.said)
        assert "disk-full" in outcome.said or Keeping(str(directory)).read(LINA) != Kept()

    assert fail_at_every(read, None, told).points >= 10
