"""What apt says that it would do, and who offers it: what cannot be told counts as nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.host.linux.apt_get import File, Later, bare, checked, course_of, lists_of
from agent.host.linux.package_sources import (
    Target,
    files_of_the_distribution,
    fingerprint,
    from_the_distribution,
    unread,
)
from agent.host.linux.package_work import AGAIN, HOUR, patience
from agent.host.processes import Ended
from tests.contract.subject import refused

PLAIN = "Inst hello (2.10-3 Debian:12.5/stable [amd64])\n"
NEW = "Inst libc6 [2.36-9] (2.36-9+deb12u3 Debian:12.2/stable, Debian-Security:12/security [amd64]) []\n"


def foreign(text: str) -> str:
    """Why one person may not have it."""
    with pytest.raises(BookbagError) as raised:
        from_the_distribution("hello", course_of(text))
    assert raised.value.code == "not-allowed"
    return raised.value.message


def test_what_the_distribution_offers_one_person_may_have() -> None:
    course = course_of(f"{PLAIN}{NEW}Conf hello (2.10-3 Debian:12.5/stable [amd64])\nRemv bye [1.0]\n")
    assert course.installs == {"hello": ("Debian",), "libc6": ("Debian", "Debian-Security")}
    assert course.names == {"hello", "libc6"} and course.removes == {"bye"}
    from_the_distribution("hello", course)


def test_of_several_architectures_each_is_judged() -> None:
    both = "Inst lib:i386 (1.0 Vendor:1/x [i386])\nInst lib (1.0 Debian:12.5/stable [amd64])\n"
    assert "comes from Vendor" in foreign(both)
    assert course_of(both).names == {"lib"}


@pytest.mark.parametrize("offered", ["Debian", "Ubuntu", "vendor.example", ""])
def test_a_source_that_does_not_say_who_it_is_is_not_the_distribution(offered: str) -> None:
    """Its suite or its host stands where others have their label."""
    assert "without a name" in foreign(f"Inst hello (2.10-3 {offered} [amd64])\n")


def test_what_is_not_understood_is_not_passed_over() -> None:
    refused("bad-content", course_of, f"{PLAIN}Inst evil [1.0\n")


@pytest.mark.parametrize(
    "said",
    [
        b"dpkg: error: dpkg frontend lock was locked by another process with pid 7\nNote: removing it\n",
        b"dpkg: error: dpkg frontend lock is locked by another process\n",
        b"E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 7 (apt)\n",
    ],
)
def test_who_is_busy_is_waited_for(said: bytes) -> None:
    with pytest.raises(Later):
        checked(Ended(100, b"", said))
    refused("not-effective", checked, Ended(100, b"", b"dpkg: error processing package hello\n"))


DEBIAN = Target("http://deb.example/debian/", "http://deb.example/debian/dists/s/InRelease", "Debian")
VENDOR = Target("http://deb.example/debian/vendor/", "http://deb.example/debian/vendor/./InRelease", "Vendor")
NAMELESS = Target("http://nameless.example/", "http://nameless.example/./InRelease", "")


@pytest.mark.parametrize(
    ("uri", "whose"),
    [
        ("http://deb.example/debian/pool/hello.deb", ""),
        ("http://deb.example/debian/vendor/hello.deb", "Vendor"),
        ("http://nameless.example/hello.deb", "http://nameless.example/hello.deb"),
        ("http://me:secret@elsewhere.example/hello.deb", "http://elsewhere.example/hello.deb"),
    ],
)
def test_of_one_version_that_two_offer_the_file_is_the_distributions(uri: str, whose: str) -> None:
    """Debian has it and the vendor too, but it is the vendor's hash that would be believed."""
    file = File(uri, "hello.deb", 1, "0" * 64)
    from_the_distribution("hello", course_of("Inst hello (2.10-3 Debian:12.5/stable, Vendor:1/x [amd64])\n"))
    if not whose:
        files_of_the_distribution("hello", [file], [DEBIAN, VENDOR])
        return
    with pytest.raises(BookbagError, match=f"hello.deb comes from {whose}, which"):
        files_of_the_distribution("hello", [file], [DEBIAN, VENDOR, NAMELESS])


def test_where_two_have_one_address_neither_is_the_distribution() -> None:
    posing = Target(DEBIAN.base, VENDOR.release, "Vendor")
    with pytest.raises(BookbagError, match="comes from Vendor"):
        files_of_the_distribution("x", [File(f"{DEBIAN.base}x.deb", "x.deb", 1, "")], [DEBIAN, posing])


def test_what_policy_added_is_not_the_distribution_whatever_it_calls_itself() -> None:
    base, ours = "http://vendor.example/", "/etc/apt/sources.list.d/bookbag-vendor.sources"
    text = (
        f"{base}|{base}dists/s/|{ours}:2|Debian\n"
        f"{DEBIAN.base}|{DEBIAN.base}dists/s/|/etc/apt/sources.list.d/debian.sources:1|Debian\n"
        f"{DEBIAN.base}|{DEBIAN.base}dists/b/|{ours}:2|Debian Backports\n"
    )
    there = [Target(*one) for one in lists_of(text)]
    assert [(one.file, one.label) for one in there][:1] == [(ours, "Debian")] and len(there) == 3
    files_of_the_distribution("x", [File(f"{DEBIAN.base}x.deb", "x.deb", 1, "")], there)
    posing = File(f"{base}hello.deb", "hello.deb", 1, "")
    with pytest.raises(BookbagError, match="comes from a source that policy added, which"):
        files_of_the_distribution("hello", [posing], there)
    files_of_the_distribution("hello", [posing], [Target(base, f"{base}dists/s/InRelease", "Debian", "x")])


def test_what_could_not_be_read_is_named_without_its_password() -> None:
    wanted = ("http://me:secret@a.example/./InRelease", DEBIAN.release)
    assert unread(wanted, [DEBIAN]) == ("http://a.example/./InRelease",)
    assert bare("E: https://me:secret@a.example/x and http://b.example/@c") == (
        "E: https://a.example/x and http://b.example/@c"
    )


def test_other_files_of_sources_are_looked_at_anew(tmp_path: Path) -> None:
    seen = [fingerprint(str(tmp_path))]
    (tmp_path / "sources.list.d").mkdir()
    for name, text in (("a.sources", "x"), ("a.sources", "y"), ("b.list", "y")):
        (tmp_path / "sources.list.d" / name).write_text(text)
        seen.append(fingerprint(str(tmp_path)))
    assert len(set(seen)) == 4
    (tmp_path / "sources.list.d/c.disabled").write_text("z")
    assert fingerprint(str(tmp_path)) == seen[-1], "the control: apt does not read it"


def test_a_source_that_stays_broken_is_asked_ever_less_often() -> None:
    waits = [patience(failures) for failures in range(20)]
    assert waits[0] == AGAIN and waits == sorted(waits) and waits[-1] == HOUR
    assert sum(waits[:5]) > HOUR
    assert patience(10**9) == HOUR
