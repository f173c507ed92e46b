"""What is arranged for one laptop beside its policies: above every rank, over a final value of the signer's
own role, told nowhere, gone when it is over."""

from __future__ import annotations

import json

import pytest

from agent.core.errors import BookbagError
from agent.core.model import Power
from agent.daemon import decisions
from agent.policy import arranging, kinds
from agent.policy.arranging import NOTHING, Arrangement
from agent.policy.compile import compile_site
from agent.policy.compiled import Compiled
from agent.policy.document import Source, read_document
from agent.policy.enforcement.plan import report_dict
from agent.policy.explain import explain
from agent.policy.resources.dconf import Dconf
from agent.policy.resources.dconf_profile import DconfProfile
from agent.policy.scheduling import During
from agent.policy.syntax.problems import Problems
from tests.policy.machine import DEVICE, Machine, source

ON = "/org/gnome/desktop/a11y/applications/screen-magnifier-enabled"
FACTOR = "/org/gnome/desktop/a11y/magnifier/mag-factor"
DELAY = "/org/gnome/desktop/session/idle-delay"
CLOSED = source(
    "settings:\n  accessibility.magnifier: {value: off, final: true}\n  accessibility.text-size: large\n",
    name="exam",
)
MAGNIFIED = Arrangement("1f" * 16, {"accessibility.magnifier": "3x"}, ("ict",), 2_000_000_000)
SECRETS = ("magnif", "3x", "mag-factor", "3.0")


def made(*sources: Source, arrangement: Arrangement = MAGNIFIED) -> Compiled:
    return compile_site(sources, DEVICE, arrangement=arrangement)


def got(machine: Machine, key: str = ON) -> str | None:
    assert machine.host.dconf is not None
    return machine.host.dconf.effective("student", key)


def test_it_holds_over_a_final_value_of_the_signers_role_and_ends_without_a_trace(machine: Machine) -> None:
    exam = made(CLOSED, arrangement=NOTHING)
    machine.apply(exam)
    before = machine.state()
    assert got(machine) == "false", "the control: others have none in the exam"
    held = made(CLOSED)
    assert not machine.apply(held).failed
    assert (got(machine), got(machine, FACTOR)) == ("true", "3.0")
    assert got(machine, "/org/gnome/desktop/interface/text-scaling-factor") == "1.25", "the rest of it holds"
    assert not machine.plan(held).steps
    assert not machine.apply(exam).failed
    assert got(machine) == "false" and machine.state() == before


@pytest.mark.parametrize("rank", ["ministry", "school", "device"])
def test_a_final_value_of_another_role_stays(rank: str) -> None:
    body = "settings:\n  accessibility.magnifier: {value: off, final: true}\n"
    theirs = source(body, name="theirs", rank=rank)
    other = Arrangement("1f" * 16, {"accessibility.magnifier": "3x"}, ("library",), 2_000_000_000)
    held = made(theirs, arrangement=other)
    assert held.arranged["accessibility.magnifier"]["held_by"] == "theirs"
    assert not [item for item in held.items() if item.arranged]
    loose = made(source(body.replace(", final: true", ""), name="theirs", rank=rank), arrangement=other)
    assert loose.arranged["accessibility.magnifier"]["held_by"] == "", "what is not final gives way"
    assert [item.id for item in loose.items() if item.arranged] == ["dconf:zz-arranged"]


def test_what_two_persons_made_final_one_of_them_does_not_loosen() -> None:
    body = "settings:\n  accessibility.magnifier: {value: off, final: true}\n"
    theirs = source(body, name="theirs", power=True)
    for roles, holder in ((("root",), "theirs"), (("power/root", "root"), "")):
        held = made(theirs, arrangement=Arrangement("1f" * 16, MAGNIFIED.values, roles, 2_000_000_000))
        assert held.arranged["accessibility.magnifier"]["held_by"] == holder
        assert bool([item for item in held.items() if item.arranged]) is not bool(holder)


def test_a_file_of_that_name_excuses_nothing_that_is_forced(machine: Machine) -> None:
    forced = source("settings:\n  screen-lock.after: 5m\n")
    assert not machine.apply(made(forced, arrangement=NOTHING)).failed
    machine.write("/etc/dconf/db/bookbag.d/zz-arranged", "[org/gnome/desktop/session]\nidle-delay=uint32 0\n")
    assert machine.host.dconf is not None
    machine.host.dconf.compile("bookbag")
    assert got(machine, DELAY) == "uint32 0", "the control: that is what the student gets"
    assert machine.plan(made(forced, arrangement=NOTHING)).steps, "and it is noticed"


def test_it_takes_its_own_keys_and_no_others_from_what_is_written_directly(machine: Machine) -> None:
    direct = source(f'resources:\n  - dconf: {{group: x, values: {{{ON}: "false", {DELAY}: "uint32 60"}}}}\n')
    assert not machine.apply(made(direct)).failed
    assert (got(machine), got(machine, DELAY)) == ("true", "uint32 60")
    assert machine.host.dconf is not None
    assert machine.host.dconf.writable("student", ON) and not machine.host.dconf.writable("student", DELAY)
    held = [item.id for item in made(direct).items() if item.arranged]
    assert held == ["dconf:zz-arranged"], "what the policy brings along is the policy's, and is counted"
    only = source(f'resources:\n  - dconf: {{group: x, values: {{{ON}: "false"}}}}\n')
    assert not machine.apply(made(only)).failed
    assert got(machine) == "true"
    assert not machine.apply(made(only, arrangement=NOTHING)).failed
    assert got(machine) == "false"


def test_nothing_that_is_told_says_what_is_arranged(machine: Machine) -> None:
    exam = made(CLOSED, arrangement=NOTHING)
    machine.apply(exam)
    was = machine.apply(exam).reports
    known_before = decisions.settings(exam, was, machine.undo, None, "")
    entries = len(list(machine.ledger.entries(newest=100)))
    held = made(CLOSED)
    plan = machine.plan(held)
    ran = machine.apply(held)
    shown = decisions.settings(held, ran.reports, machine.undo, None, "")
    assert shown == known_before, "what others may read is what it was"
    known = explain(held, "accessibility.magnifier", machine.undo, machine.host).to_dict()
    assert (known["value"], known["arranged"], known["said_by"]) == ("arranged", MAGNIFIED.until, ())
    whole = explain(held, "dconf:zz-arranged", machine.undo, machine.host).to_dict()
    fresh = list(machine.ledger.entries(newest=100))[: -entries or None]
    assert [(one.kind, one.subject) for one in fresh] == [("policy", "dconf:zz-arranged")]
    rows = [report_dict(one) for one in ran.reports if one not in was]
    ledger = [[one.message, dict(one.detail)] for one in fresh]
    told = json.dumps([plan.to_dict()["changes"], ledger, rows, {**known, "key": ""}, whole])
    assert "dconf:zz-arranged" in told and len(rows) == 1
    assert not [secret for secret in SECRETS if secret in told]
    machine.apply(exam)
    fresh = list(machine.ledger.entries(newest=100))[: -entries or None]
    assert {one.subject for one in fresh} == {"dconf:zz-arranged"}, "its end says no more than its beginning"
    assert decisions.settings(exam, machine.apply(exam).reports, machine.undo, None, "") == known_before
    machine.apply(held)
    machine.write("/etc/dconf/profile/user", "user-db:user\n")
    machine.write("/etc/dconf/db/bookbag", "{}")
    (step,) = [one for one in machine.plan(held).steps if one.id == "dconf:zz-arranged"]
    assert step.before is not None and step.before["effective"] == "student does not get what is arranged"


def test_an_observed_policy_does_not_tell_either(machine: Machine) -> None:
    watched = source("settings:\n  accessibility.magnifier: off\n", more="mode: observe\n")
    other = source("settings:\n  accessibility.text-size: large\n", name="other")
    plain, held = made(watched, other, arrangement=NOTHING), made(watched, other)
    machine.apply(plain)
    before = [(one.resource, one.outcome) for one in machine.apply(plain).reports]
    machine.apply(held)
    rows = [(one.resource, one.outcome) for one in machine.apply(held).reports]
    assert [one for one in rows if one[0] != "dconf:zz-arranged"] == before
    assert "dconf:magnifier (observed)" in dict(before), "the control"


def test_where_nothing_is_arranged_the_policy_is_what_it_always_was() -> None:
    plain = compile_site([CLOSED], DEVICE)
    assert plain.data == made(CLOSED, arrangement=NOTHING).data
    assert "arranged" not in plain.data and plain.fingerprint == plain.inputs
    prints = {one.fingerprint for one in (plain, made(CLOSED), made(CLOSED, arrangement=OTHER))}
    assert len(prints) == 3
    assert {one.told for one in (plain, made(CLOSED), made(CLOSED, arrangement=OTHER))} == {plain.fingerprint}
    assert made(CLOSED).inputs == plain.inputs, "the school's word is the same"


OTHER = Arrangement("2f" * 16, {"accessibility.magnifier": "3x"}, ("ict",), 2_000_000_000)


def test_an_exam_by_timetable_finds_it_there() -> None:
    span = '{from: "2030-01-01 09:00", until: "2030-01-01 11:00"}'
    table = f"timetables:\n  exam: {{zone: Etc/UTC, dates: [{span}]}}\n"
    body = "when: {timetable: exam}\nsettings:\n  accessibility.magnifier: {value: off, final: true}\n"
    for during in (During(), During(frozenset(["exam"]))):
        held = compile_site([source(table + body)], DEVICE, None, during, arrangement=MAGNIFIED)
        assert held.arranged["accessibility.magnifier"]["held_by"] == ""
        assert [item.id for item in held.items() if item.arranged][-1] == "dconf:zz-arranged"


def test_what_can_be_arranged_is_offered_to_its_student_and_gives_no_power() -> None:
    may = {key: one for key, one in kinds.settings().items() if one.arrangeable}
    assert {"input.layouts", "language.region", "desktop.night-light"} <= set(may)
    assert {key for key in kinds.settings() if key.startswith("accessibility.")} <= set(may)
    assert not {"browser.homepage", "accounts.hours", "screen-lock.after"} & set(may)
    for key, setting in may.items():
        document = read_document(source(f"settings:\n  {setting.example}\n"), Problems())
        assert document is not None
        for one in setting.resources(document.settings[0].value):
            assert isinstance(one, (Dconf, DconfProfile)) and one.power()[0] is Power.ORDINARY, key
            assert isinstance(one, DconfProfile) or not one.locked, key


def test_a_value_is_read_as_its_setting_reads_it() -> None:
    assert arranging.value_of("input.layouts", ["ara", "us"])[1] == ["ara", "us"]
    assert arranging.value_of("accessibility.screen-reader", "on")[1] == "on"
    for key, value in (("input.layouts", "ara"), ("accessibility.screen-reader", "yes"), ("x.y", "on")):
        with pytest.raises(BookbagError):
            arranging.value_of(key, value)


def test_no_policy_takes_the_name_of_its_group() -> None:
    problems = Problems()
    body = (
        'resources:\n  - dconf: {group: %s, values: {/org/gnome/desktop/session/idle-delay: "uint32 60"}}\n'
    )
    assert read_document(source(body % "zz-arranged"), problems) is None and problems.errors
    assert read_document(source(body % "zz-arranged-too"), Problems()) is not None
