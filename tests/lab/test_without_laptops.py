"""Parts of the lab that can be shown without booting anything: these tests run everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab import apt_sources, cache, paths, programs
from tests.lab.apt_sources import Source
from tests.lab.errors import LabError

ONE_LINE = """
# deb http://old.example/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] http://one.example/debian bookworm main contrib # best
deb http://tools.example/apt tools-bookworm main
deb http://one.example/debian bookworm-updates contrib
deb-src http://one.example/debian bookworm main
"""
DEB822 = """
Types: deb deb-src
# a comment
URIs: http://two.example/debian
Suites: bookworm
 bookworm-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----

Types: deb
URIs: http://two.example/security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
"""


@pytest.fixture
def etc_apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("BOOKBAG_LAB_MIRROR", raising=False)
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


def test_sources_in_the_one_line_format(etc_apt: Path) -> None:
    (etc_apt / "sources.list").write_text(ONE_LINE)
    assert apt_sources.debian_sources(etc_apt) == [Source("http://one.example/debian", "bookworm")]


def test_sources_in_the_paragraph_format(etc_apt: Path) -> None:
    (etc_apt / "sources.list.d/debian.sources").write_text(DEB822)
    assert [source.line() for source in apt_sources.debian_sources(etc_apt)] == [
        "deb http://two.example/debian bookworm main",
        "deb http://two.example/debian bookworm-updates main",
        "deb http://two.example/security bookworm-security main",
    ]


def test_a_machine_of_another_family_needs_a_named_archive(
    etc_apt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (etc_apt / "sources.list").write_text("deb http://other.example/ubuntu noble main")
    with pytest.raises(LabError, match="BOOKBAG_LAB_MIRROR"):
        apt_sources.debian_sources(etc_apt)
    monkeypatch.setenv("BOOKBAG_LAB_MIRROR", "http://named.example/debian")
    assert apt_sources.debian_sources(etc_apt) == [Source("http://named.example/debian", "bookworm")]


def test_a_laptops_paths_never_leave_it(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/absolute").symlink_to("/run/target")
    (tmp_path / "etc/up").symlink_to("../../../../etc/passwd")
    (tmp_path / "etc/loop").symlink_to("loop")
    (tmp_path / "link").symlink_to("/etc")
    assert paths.resolve(tmp_path, "/etc/absolute") == tmp_path / "run/target"
    assert paths.resolve(tmp_path, "/etc/up") == tmp_path / "etc/passwd"
    assert paths.resolve(tmp_path, "/link/absolute/x") == tmp_path / "run/target/x"
    assert paths.resolve(tmp_path, "../../etc") == tmp_path / "etc"
    with pytest.raises(LabError, match="circle"):
        paths.resolve(tmp_path, "/etc/loop")


def test_what_is_cached_is_whole_or_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOKBAG_LAB_CACHE", str(tmp_path))
    (tmp_path / "thing-1.part").mkdir()
    (tmp_path / "thing-1.part/half").touch()

    def fail(shop: cache.Workshop) -> None:
        assert not (shop.part / "half").exists(), "what a killed build left is gone"
        (shop.part / "half").touch()
        raise LabError("no")

    with pytest.raises(LabError):
        cache.made("thing", "1", fail)
    assert not list(tmp_path.glob("thing-*"))
    made = cache.made("thing", "1", lambda shop: (shop.part / "whole").touch())
    assert (made / "whole").exists()
    assert cache.made("thing", "1", fail) == made
    with (
        cache.locked(tmp_path / "thing.lock") as mine,
        cache.locked(tmp_path / "thing.lock", wait=False) as other,
    ):
        assert (mine, other) == (True, False)


def test_every_program_the_lab_needs_is_in_the_list_of_packages() -> None:
    text = Path(__file__).with_name("debian-packages.txt").read_text()
    listed = {line.split("#")[0].strip() for line in text.splitlines()}
    assert set(programs.NEEDED.values()) <= listed
