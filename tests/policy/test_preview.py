"""What the desk's plan says: device by device, from → to."""

from __future__ import annotations

from dataclasses import replace

from agent.policy.desk.preview import compare, preview
from agent.policy.document import Source
from tests.policy.machine import DEVICE, policy

NINE = replace(DEVICE, device="9" * 32, name="nine")
TEN = replace(DEVICE, device="a" * 32, name="ten", year="10", class_="10a")
BASE = Source("base.yaml", policy("settings:\n  screen-lock.after: 30m\n", name="base"), "ict")
EXAMS = Source(
    "exams.yaml",
    policy("settings:\n  screen-lock.after: 5m\n", name="exams", more="applies-to: {year: 10}\n"),
    "ict",
)
MOTD = Source(
    "motd.yaml", policy('resources:\n  - file: {path: /etc/motd, content: "hi"}\n', name="motd"), "ict"
)


def test_each_device_gets_what_is_meant_for_it() -> None:
    nine, ten = preview([BASE, EXAMS, MOTD], [NINE, TEN])
    assert nine.settings == {"screen-lock.after": "30m"}
    assert ten.settings == {"screen-lock.after": "5m"}
    assert nine.resources == {"file:/etc/motd": "path=/etc/motd, content=hi"}
    assert ten.policies == {"screen-lock.after": "exams", "file:/etc/motd": "motd"}


def test_only_devices_that_change_are_listed_from_to_and_by_whom() -> None:
    devices = [NINE, TEN]
    diffs = compare(preview([BASE, MOTD], devices), preview([BASE, EXAMS], devices))
    lines = {
        diff.device.name: [(one.key, one.before, one.after, one.policy) for one in diff.lines]
        for diff in diffs
    }
    gone = ("file:/etc/motd", "path=/etc/motd, content=hi", "", "motd")
    assert lines == {"nine": [gone], "ten": [gone, ("screen-lock.after", "30m", "5m", "exams")]}
    assert not compare(preview([BASE], devices), preview([BASE], devices))
    assert len(compare([], preview([BASE], devices))) == 2


def test_a_policy_for_one_device_is_not_given_to_its_classmates() -> None:
    twin = replace(NINE, device="b" * 32, name="twin")
    alone = Source(
        "alone.yaml",
        policy("settings:\n  screen-lock.after: 2m\n", name="alone", more="applies-to: {device: twin}\n"),
        "ict",
    )
    nine, two = preview([BASE, alone], [NINE, twin])
    assert nine.settings == {"screen-lock.after": "30m"}
    assert two.settings == {"screen-lock.after": "2m"}


def test_refusals_and_conflicts_are_seen_before_publishing() -> None:
    other = Source(
        "other.yaml", policy('resources:\n  - file: {path: /etc/motd, content: "ho"}\n', name="o"), "ict"
    )
    cron = Source(
        "cron.yaml", policy("resources:\n  - file: {path: /etc/x, absent: true}\n", name="cron"), "ict"
    )
    (one,) = preview([MOTD, other, cron], [NINE])
    assert "file:/etc/x" in one.refusals[0]
    assert "file:/etc/motd" in one.conflicts[0]
