"""Which packages bring a file, by what dpkg keeps: what it does not tell is never taken for "none"."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.host.linux.owners import FOLDER, Owners

INSTALLED = ("dash", "libc6", "passwd")


def lists(folder: Path) -> None:
    info = folder / "info"
    info.mkdir()
    (info / "dash.list").write_text("/.\n/bin\n/bin/dash\n/bin/sh\n")
    (info / "libc6:amd64.list").write_text("/.\n/usr/lib/x86_64-linux-gnu/libc.so.6\n/usr/bin/both\n")
    (info / "passwd.list").write_text("/.\n/usr/bin/chage\n/usr/bin/both\n/usr/share/doc/passwd\n")
    (info / "passwd.postinst").write_text("/usr/bin/none\n")


def test_every_name_of_it_counts_and_nothing_else(tmp_path: Path) -> None:
    lists(tmp_path)
    owners = Owners(lambda: INSTALLED, str(tmp_path))
    assert owners.of(["/usr/bin/chage", "/bin/chage"]) == ("passwd",)
    assert owners.of(["/usr/bin/dash", "/bin/dash"]) == ("dash",)
    assert owners.of(["/usr/bin/both"]) == ("libc6", "passwd")
    assert owners.of(["/usr/bin/none", "/usr/bin/chage-too"]) == ()


def test_what_another_package_moved_out_of_its_way_keeps_its_package(tmp_path: Path) -> None:
    lists(tmp_path)
    owners = Owners(lambda: INSTALLED, str(tmp_path))
    assert owners.of(["/bin/dash.distrib"]) == (), "the control"
    (tmp_path / "diversions").write_text(
        "/usr/bin/chage\n/usr/bin/chage.old\n:\n/bin/dash\n/bin/dash.distrib\nx\n"
    )
    assert owners.of(["/bin/dash.distrib"]) == ("dash",)
    assert owners.of(["/usr/bin/chage.old"]) == owners.of(["/usr/bin/chage"]) == ("passwd",)


def test_what_comes_later_is_seen(tmp_path: Path) -> None:
    lists(tmp_path)
    owners = Owners(lambda: INSTALLED, str(tmp_path))
    assert owners.of(["/usr/games/sol"]) == ()
    (tmp_path / "info/aisleriot.list").write_text("/usr/games/sol\n")
    assert owners.of(["/usr/games/sol"]) == ("aisleriot",)


def test_a_damaged_dpkg_brings_no_program_that_can_be_done_without(tmp_path: Path) -> None:
    lists(tmp_path)
    (tmp_path / "info/passwd.list").unlink()
    with pytest.raises(BookbagError, match="no list of the files of passwd") as caught:
        Owners(lambda: INSTALLED, str(tmp_path)).of(["/usr/bin/chage"])
    assert caught.value.code == "not-effective"
    with pytest.raises(BookbagError, match="which package brings it"):
        Owners(lambda: (), str(tmp_path / "nothing")).of(["/usr/bin/chage"])


@pytest.mark.skipif(not Path(FOLDER, "info/dpkg.list").exists(), reason="no dpkg here")
def test_of_a_real_one() -> None:
    owners = Owners(lambda: ("dpkg",))
    assert owners.of(["/usr/bin/dpkg"]) == ("dpkg",)
    assert "perl-base" in owners.of(["/usr/bin/perl"])
