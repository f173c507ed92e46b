"""Which units run by standing order, from what systemd says of them."""

from __future__ import annotations

import pytest

from agent.host.linux.units import blocks, stands

CRON = {
    "Id": "cron.service",
    "ActiveState": "active",
    "CanStart": "yes",
    "Transient": "no",
    "Type": "simple",
    "RemainAfterExit": "no",
    "TriggeredBy": "",
    "WantedBy": "multi-user.target",
    "RequiredBy": "",
}
HAND = {**CRON, "Id": "by-hand.service", "WantedBy": ""}


@pytest.mark.parametrize(
    "unit",
    [
        CRON,
        HAND,
        {**CRON, "Id": "graphical.target"},
        {**CRON, "Id": "cups.service", "TriggeredBy": "cups.socket cups.path"},
        {**CRON, "Type": "oneshot", "RemainAfterExit": "yes"},
        {**CRON, "Type": "dbus", "WantedBy": "", "RequiredBy": "network.target"},
        {**HAND, "Id": "snap-core-1.mount"},
    ],
)
def test_what_was_ordered_stands(unit: dict[str, str]) -> None:
    assert stands(unit)


@pytest.mark.parametrize(
    "unit",
    [
        {},
        {**CRON, "ActiveState": "inactive"},
        {**CRON, "ActiveState": "activating"},
        {**CRON, "CanStart": "no"},
        {**CRON, "Transient": "yes"},
        {**CRON, "Type": "oneshot"},
        {**HAND, "TriggeredBy": "apt-daily.timer"},
        {**HAND, "Type": "dbus", "Id": "upower.service"},
        {**CRON, "Id": "session-3.scope"},
        {**CRON, "Id": "user-1000.slice"},
        {**CRON, "Id": "user@1000.service"},
        {**CRON, "Id": "run-user-1000.mount"},
        {**CRON, "Id": "dev-sda1.device"},
        {**CRON, "Id": "bookbag.service"},
    ],
)
def test_what_comes_when_asked_or_belongs_to_a_session_does_not(unit: dict[str, str]) -> None:
    assert not stands(unit)


def test_what_systemd_shows_is_taken_apart() -> None:
    text = "Id=a.service\nType=simple\nWantedBy=x=y\n\nId=b.target\nnonsense\n\n\nActiveState=active\n"
    found = blocks(text)
    assert [one["Id"] for one in found] == ["a.service", "b.target"]
    assert found[0]["WantedBy"] == "x=y"
    assert blocks("") == []
