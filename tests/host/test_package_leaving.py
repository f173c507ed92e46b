"""What goes with a package: what is wished to go, and what came along for it; never what the laptop needs by
now, what somebody wanted, or what a script of a package's own would delete.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.host.linux.dpkg import Known, clears_up
from agent.host.linux.package_leaving import along_with, refusal
from agent.host.linux.package_notes import Came, PackageNotes
from agent.host.packages import AUTO, MANUAL, YES, Package

MADE = """#!/bin/sh
set -e
# Automatically added by dh_installsystemd/13.11
if [ "$1" = "purge" ]; then
    deb-systemd-helper purge 'x.service' >/dev/null || true
fi
# End automatically added section
"""
WRITTEN = f'{MADE}if [ "$1" = purge ]; then rm -rf /var/lib/x; fi\n'


def known(mark: str = AUTO, *, vital: bool = False) -> Known:
    return Known(Package(YES, held=False, mark=mark), vital=vital, configured=False)


def why(*going: str, mark: str = AUTO, leaving: tuple[str, ...] = (), noted: tuple[str, ...] = ()) -> str:
    every = frozenset(("hello", *going))

    def look(one: str) -> Known:
        return known(mark, vital=one == "x-vital")

    return refusal("hello", every, frozenset(leaving), look, noted.__contains__)


def test_what_came_for_it_goes_with_it_and_nothing_else() -> None:
    assert why() == ""
    assert why("lib", noted=("lib",)) == ""
    assert why("other", leaving=("other",)) == ""
    assert why("lib", noted=("lib",), mark=MANUAL) == "lib needs it, and stays"
    assert why("lib", "theirs", noted=("lib",)) == "theirs needs it, and stays"


@pytest.mark.parametrize("name", ["nftables", "python3.11", "x-vital"])
def test_what_the_laptop_does_not_do_without_goes_for_nobody(name: str) -> None:
    assert "does not do without" in why(name, noted=(name,), leaving=(name,))


@pytest.mark.parametrize("name", ["network-manager", "lvm2", "sssd-ad"])
def test_what_the_laptop_starts_by_goes_with_nothing(name: str) -> None:
    assert "does not do without" in why(name, noted=(name,))
    assert why(name, leaving=(name,)) == "", "the control: two persons wished it"


def test_what_came_along_and_is_needed_by_now_stays() -> None:
    orphans = frozenset(("lib", "nftables", "network-manager", "x-vital"))
    assert along_with(orphans, lambda one: known(vital=one == "x-vital")) == {"lib"}


def test_whose_a_package_is_shows_in_the_notes(tmp_path: Path) -> None:
    notes = PackageNotes(str(tmp_path / "packages"))
    notes.keep_came("hello", Came(("lib",), configured=False))
    assert [notes.is_ours(one) for one in ("hello", "lib", "theirs")] == [True, True, False]


def test_what_a_script_of_its_own_would_delete_is_left(tmp_path: Path) -> None:
    def says(name: str) -> bool:
        return clears_up(name, str(tmp_path))

    (tmp_path / "plain.list").write_text("")
    (tmp_path / "made.postrm").write_text(MADE)
    (tmp_path / "base.postrm").write_text(WRITTEN)
    (tmp_path / "lib:amd64.postrm").write_text(WRITTEN)
    assert [says(one) for one in ("plain", "made", "nowhere", "bas", "postrm")] == [False] * 5
    assert says("base") and says("lib")
