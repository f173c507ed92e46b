"""The templates that schools start from: they check clean, apply, hold together, and give reasons in
two languages.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.core.model import Outcome
from agent.policy.compile import compile_site
from agent.policy.desk.check import check_documents
from agent.policy.desk.preview import needs_power, templates
from agent.policy.document import Source, read_document
from agent.policy.scheduling import During
from agent.policy.syntax.problems import Problems
from tests.policy.machine import DEVICE, Machine, outcomes

NAMES = tuple(
    f"{name}.yaml"
    for name in (
        *("baseline", "exam", "free-time", "kiosk", "large-view", "loaner", "primary", "secondary", "shared"),
    )
)
TIMED = ("exam", "lessons")


def sources() -> list[Source]:
    return [Source(f"policies/{name}", data, "ict") for name, data in sorted(templates().items())]


def test_these_templates_ship_and_check_clean_together() -> None:
    assert tuple(sorted(templates())) == NAMES
    assert check_documents(sources()) == []


@pytest.mark.parametrize("name", NAMES)
def test_each_setting_has_its_own_reason_in_two_languages(name: str) -> None:
    document = read_document(Source(name, templates()[name], "ict"), Problems())
    assert document is not None
    assert "@" in document.owner
    assert document.settings
    for one in document.settings:
        assert {"en", "ar"} <= set(one.why), one.setting.key
        assert one.why != one.setting.why
    assert needs_power(document.source) == ()


@pytest.mark.parametrize(("year", "lock"), [("3", "15m"), ("9", "10m"), ("", "30m")])
def test_a_laptop_of_each_kind_gets_them_and_gives_them_back(machine: Machine, year: str, lock: str) -> None:
    policy = compile_site(sources(), replace(DEVICE, year=year))
    assert not policy.refusals
    assert not policy.conflicts
    assert policy.settings["screen-lock.after"]["shown"] == lock
    before = machine.state()
    assert set(outcomes(machine.apply(policy)).values()) == {Outcome.CHANGED}
    assert machine.plan(policy).empty
    sites = machine.read("/etc/chromium/policies/managed/bookbag-blocked-sites.json") or ""
    assert "bet365.com" in sites
    assert ("tiktok.com" in sites) is (year == "3")
    assert not machine.apply(None).failed
    assert machine.state() == before


@pytest.mark.parametrize("group", ["exam-class", "library-kiosk", "loaner", "shared"])
def test_those_for_a_few_come_on_top_and_go_again(machine: Machine, group: str) -> None:
    usual = compile_site(sources(), replace(DEVICE, year="9"))
    policy = compile_site(sources(), replace(DEVICE, year="9", class_=group), moment=During(frozenset(TIMED)))
    assert not policy.refusals
    assert not policy.conflicts
    machine.apply(usual)
    before = machine.state()
    assert Outcome.CHANGED in outcomes(machine.apply(policy)).values()
    assert machine.plan(policy).empty
    assert not machine.apply(usual).failed
    assert machine.state() == before
