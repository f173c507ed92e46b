"""What apt says that it would do, and who offers it: what cannot be told counts as nobody."""

from __future__ import annotations

import pytest

from agent.core.errors import BookbagError
from agent.host.linux.apt_get import Later, checked, course_of
from agent.host.linux.package_work import from_the_distribution
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
