"""Directories that root makes for users without rights, in places where those can play tricks."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from agent.core.layout import Layout
from agent.daemon import wiring


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_directory_is_made_with_its_mode_and_owner(tmp_path: Path) -> None:
    wiring.make_for(str(tmp_path / "opened"), 0o2750, (os.geteuid(), os.getegid()))
    assert mode_of(tmp_path / "opened") == 0o2750
    wiring.make_for(str(tmp_path / "plain"), 0o2750, None)
    assert mode_of(tmp_path / "plain") == 0o750


def test_whoever_puts_a_link_in_its_place_gets_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner of the directory around it is quick: what root made a moment ago is a link to elsewhere."""
    victim, place = tmp_path / "root-only", tmp_path / "spool" / "blobs"
    victim.mkdir(mode=0o700)
    place.parent.mkdir()
    make, tricks = os.mkdir, []

    def raced(path: str, mode: int = 0o777, **more: int) -> None:
        make(path, mode, **more)
        if path == str(place):
            place.rmdir()
            place.symlink_to(victim)
            tricks.append(path)

    monkeypatch.setattr(os, "mkdir", raced)
    wiring.make_for(str(place), 0o2777, (os.geteuid(), os.getegid()))
    assert tricks and mode_of(victim) == 0o700


def test_what_lies_in_the_place_of_one_stops_nobody_else(tmp_path: Path) -> None:
    """A user without rights must not keep root from locking a laptop."""
    layout = Layout(str(tmp_path))
    wiring.prepare(layout)
    for path in (layout.blobs, f"{layout.content}/opened"):
        os.rmdir(path)
        Path(path).write_text("in the way")
    wiring.prepare(layout)
    assert Path(layout.blobs).read_text() == "in the way"
