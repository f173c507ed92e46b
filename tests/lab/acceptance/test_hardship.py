"""No cable, no trusted time, no sync: all holds and heals, and status says how old its word is (I-3, I-5)."""

from __future__ import annotations

import time

import pytest

from tests.lab import clock
from tests.lab.acceptance.clocks import wrong_clock
from tests.lab.acceptance.conftest import HOME, School
from tests.lab.acceptance.school import bookbag, homepage_of, settled, status, up
from tests.lab.laptop import Laptop

MOTD = "/etc/motd"
DAY = 86_400


def holds_and_heals(laptop: Laptop) -> None:
    """Everything is in force, and what a student does is undone."""
    assert homepage_of(laptop) == HOME
    for path in (MOTD, "/etc/chromium/policies/managed/bookbag-blocked-sites.json", "/etc/dconf/db/bookbag"):
        file = laptop.path(path)
        right = file.read_bytes()
        file.write_bytes(b"mine\n")
        settled(laptop, lambda _, file=file, right=right: file.read_bytes() == right, 20)  # type: ignore[misc]


def published_later(school: School) -> str:
    """Publish something new; the homepage it sets."""
    address = f"http://library.example/{time.time_ns()}"
    school.desk.policy("newer", {"browser.homepage": address})
    school.desk.publish()
    return address


def test_with_the_cable_cut(school: School) -> None:
    laptop = school.lina
    laptop.set_cable(False)
    age = status(laptop)["word"]["age_s"]
    address = published_later(school)
    failed = bookbag(laptop, "sync", codes=(1,))
    assert "cannot" in failed.stderr
    holds_and_heals(laptop)
    told = status(laptop)
    assert told["word"]["age_s"] >= age and told["sync"]["good_ago_s"] > 0
    assert [error["code"] for error in told["errors"] if error["about"] == "sync"] == ["network"]
    said = laptop.run(["bookbag", "status"], check=False).stdout
    assert "word       signed " in said and " ago" in said
    settled(school.omar, lambda omar: homepage_of(omar) == address)  # the news was there to be had
    laptop.set_cable(True)
    settled(laptop, lambda laptop: homepage_of(laptop) == address)


@pytest.mark.soak  # without a lab it is always tried: tests/daemon/test_end_to_end.py
def test_with_the_metadata_expired(school: School) -> None:
    laptop = school.lina
    published_later(school)
    with wrong_clock(laptop, time.time() + 10 * DAY):
        address = published_later(school)
        said = bookbag(laptop, "sync", codes=(1, 4, 5, 6))
        assert "expired" in said.stdout + said.stderr
        told = status(laptop)
        assert told["word"]["expired"] is True
        assert 9 * DAY < told["word"]["age_s"] < 11 * DAY
        assert "expired" in {error["code"] for error in told["errors"]}
        text = laptop.run(["bookbag", "status"], check=False).stdout
        assert "signed 10 days ago, expired" in text or "signed 9 days ago, expired" in text
        assert homepage_of(laptop) != address
        for_sure = homepage_of(laptop)
        file = laptop.path(MOTD)
        right = file.read_bytes()
        file.write_bytes(b"mine\n")
        settled(laptop, lambda _: file.read_bytes() == right, 20)
        assert homepage_of(laptop) == for_sure
    bookbag(laptop, "sync")
    assert homepage_of(laptop) == address, "positive control: only time was in the way"
    assert status(laptop)["word"]["expired"] is False


def test_with_the_clock_in_1970(school: School) -> None:
    laptop = school.lina
    before = status(laptop)["clock"]["at"]
    with wrong_clock(laptop, 60):
        holds_and_heals(laptop)
        told = status(laptop)
        assert told["clock"]["at"] >= before, "time never goes backwards"
        assert told["word"]["age_s"] < DAY
        address = published_later(school)
        bookbag(laptop, "sync")
        assert homepage_of(laptop) == address, "news comes all the same, and its signed time is believed"


def test_with_the_clock_in_2099(school: School) -> None:
    laptop = school.lina
    before = status(laptop)["clock"]["at"]
    with wrong_clock(laptop, clock.seconds("2099-01-01 00:00:00")):
        holds_and_heals(laptop)
        told = status(laptop)
        assert told["clock"]["quality"] == "suspect"
        assert told["clock"]["at"] < before + 30 * DAY
        assert "suspect" in laptop.run(["bookbag", "status"], check=False).stdout
        address = published_later(school)
        bookbag(laptop, "sync", codes=(0, 2, 4, 6))
        assert homepage_of(laptop) == address, "nothing counts as expired by a clock that nobody believes"
    settled(laptop, lambda laptop: status(laptop)["clock"]["quality"] == "good")


@pytest.mark.soak
def test_with_sync_broken(school: School) -> None:
    laptop = school.lina
    broken = "/etc/systemd/system/bookbag-worker-sync@.service.d/90-broken.conf"
    laptop.write(broken, "[Service]\nExecStart=\nExecStart=/bin/false\n")
    laptop.run(["systemctl", "daemon-reload"])
    try:
        address = published_later(school)
        bookbag(laptop, "sync", codes=(1,))
        holds_and_heals(laptop)
        told = status(laptop)
        assert told["workers"]["sync"]["failures"] >= 1
        assert [error["code"] for error in told["errors"] if error["about"] == "sync"] == ["worker-died"]
        assert isinstance(told["word"]["age_s"], int)
        assert homepage_of(laptop) != address
    finally:
        laptop.path(broken).unlink()
        laptop.run(["systemctl", "daemon-reload"])
    bookbag(laptop, "sync")
    assert homepage_of(laptop) == address


def test_with_sync_masked_and_the_network_gone_through_a_restart(school: School) -> None:
    laptop = school.lina
    socket = "bookbag-worker-sync.socket"
    laptop.run(["systemctl", "mask", "--now", socket])
    laptop.set_cable(False)
    try:
        laptop.reboot()
        up(laptop)
        holds_and_heals(laptop)
        told = status(laptop)
        assert isinstance(told["word"]["age_s"], int)
        assert told["sync"]["good_ago_s"] is None, "no source reached since start"
    finally:
        laptop.set_cable(True)
        laptop.run(["systemctl", "unmask", socket])
        laptop.run(["systemctl", "start", socket])
    settled(laptop, lambda laptop: bookbag(laptop, "sync"))
