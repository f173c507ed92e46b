"""A timer that policy names directly, and that a setting decides about too."""

from __future__ import annotations

import subprocess

import pytest

from agent.core.model import Outcome
from agent.policy.desk.check import check_documents
from agent.policy.resources.timer import Timer
from agent.policy.syntax.calendar import _week
from tests.policy.machine import Machine, compiled, outcomes, source

UPDATES = 'settings:\n  updates.automatic:\n    value: {packages: all, hours: "15:30-17:00"}\n'
DIRECT = 'resources:\n  - timer: {unit: apt-daily.timer, calendar: ["06:00"]}\n'


def test_what_the_setting_and_a_document_both_decide_is_a_conflict_and_the_settings(machine: Machine) -> None:
    setting = source(UPDATES, name="updates", power=True)
    wanted = compiled(setting, source(DIRECT, name="direct", power=True))
    (row,) = wanted.conflicts
    assert (row["subject"], row["holder"]) == ("timer:apt-daily.timer", "updates.automatic")
    run = machine.apply(wanted)
    assert Outcome.OVERRULED in {one.outcome for one in run.reports}
    alone = compiled(setting)
    assert [item.resource() for item in wanted.items()] == [item.resource() for item in alone.items()]
    assert machine.plan(alone).empty


def test_it_is_told_before_publishing_too() -> None:
    both = [source(UPDATES, name="updates", power=True), source(DIRECT, name="direct", power=True)]
    assert not any(check_documents([one]) for one in both), "the control"
    assert any("apt-daily.timer" in str(finding) for finding in check_documents(both))


def test_the_same_as_the_setting_says_is_no_conflict() -> None:
    (updates,) = [
        one for one in compiled(source(UPDATES, power=True)).items() if one.id.endswith("daily.timer")
    ]
    timer = updates.resource()
    assert isinstance(timer, Timer)
    times = ", ".join(f'"{one}"' for one in timer.calendar)
    same = f"resources:\n  - timer: {{unit: apt-daily.timer, calendar: [{times}], spread: {timer.spread}s}}\n"
    both = compiled(source(UPDATES, name="updates", power=True), source(same, name="direct", power=True))
    assert not both.conflicts


def test_one_that_does_not_run_is_not_effective(machine: Machine) -> None:
    services = machine.host.services
    assert services is not None
    services.set_active("apt-daily.timer", False)
    run = machine.apply(compiled(source(DIRECT, power=True)))
    assert outcomes(run) == {"timer:apt-daily.timer": Outcome.NOT_EFFECTIVE}


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("Mon", "Mon"),
        ("Tue,Mon", "Mon,Tue"),
        ("Mon..Tue", "Mon,Tue"),
        ("Mon..Wed", "Mon..Wed"),
        ("Sun,Mon,Tue..Thu", "Mon..Thu,Sun"),
        ("Mon..Sun", ""),
    ],
)
def test_days_are_told_as_systemd_tells_them(written: str, told: str) -> None:
    assert _week(written) == told


@pytest.mark.needs("systemd-analyze")
@pytest.mark.parametrize(
    "written", ["Mon,Wed,Tue 16:00", "Sun,Sat *-*-01 09:00", "*-02-29 07:05:30", "Mon..Sun 06:00"]
)
def test_what_is_read_is_what_systemd_itself_makes_of_it(written: str) -> None:
    said = source(f'resources:\n  - timer: {{unit: apt-daily.timer, calendar: ["{written}"]}}\n', power=True)
    (item,) = compiled(said).items()
    timer = item.resource()
    assert isinstance(timer, Timer)
    run = subprocess.run(["systemd-analyze", "calendar", written], capture_output=True, text=True, check=True)
    lines = [line.strip() for line in run.stdout.splitlines()]
    assert timer.calendar == [one.partition(":")[2].strip() for one in lines if one.startswith("Normalized")]
