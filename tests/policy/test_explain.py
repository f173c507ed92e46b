"""What a student or IT is told about one setting."""

from __future__ import annotations

import json

import pytest

from agent.core.errors import BookbagError
from agent.core.model import Outcome
from agent.policy import kinds
from agent.policy.compile import compile_site
from agent.policy.explain import explain
from agent.policy.scheduling import During
from tests.policy.machine import COPIES, DEVICE, NOW, Machine, compiled, outcomes, source

UPPER = """settings:
  browser.homepage:
    value: https://district.example/
    why: {en: "The district's page", ar: "صفحة المنطقة"}
"""
LOWER = """settings:
  browser.homepage:
    value: https://school.example/
    why: {en: "Our page"}
    final: true
"""
POLICY = compiled(
    source(UPPER, name="upper", rank="district"),
    source(
        LOWER + 'resources:\n  - file: {path: /etc/motd, content: "x"}\n    why: {en: "Welcome"}\n',
        name="lower",
    ),
    source("settings:\n  browser.homepage: https://class.example/\n", name="below", rank="class"),
)


GROUP = (
    'resources:\n  - dconf: {{group: {}, values: {{/org/gnome/desktop/session/idle-delay: "uint32 {}"}}}}\n'
)


def test_a_contradiction_is_told_by_who_won_and_who_lost(machine: Machine) -> None:
    policy = compiled(source(GROUP.format("aa", 600), name="a"), source(GROUP.format("zz", 60), name="b"))
    run = machine.apply(policy)
    assert outcomes(run)["dconf:aa"] is Outcome.CHANGED
    assert outcomes(run)["dconf:zz"] is Outcome.OVERRULED
    assert not run.failed, "it is decided, and in force"
    lost = explain(policy, "dconf:zz", machine.undo, machine.host)
    assert lost.value == "overruled"
    assert lost.conflicts == ("cannot follow policy/ict/b.yaml about dconf:zz: dconf:aa holds it",)
    assert explain(policy, "dconf:aa", machine.undo, machine.host).conflicts == lost.conflicts
    assert [entry.kind for entry in machine.ledger.entries() if entry.subject == "dconf:zz"] == ["conflict"]
    assert machine.apply(policy).exit_code == 0
    two = compiled(
        source("settings:\n  browser.homepage: https://a.example/\n", name="a"),
        source("settings:\n  browser.homepage: https://b.example/\n", name="b"),
    )
    (text,) = explain(two, "browser.homepage", machine.undo, machine.host).conflicts
    assert "a comes first by name and holds" in text


SHARED = "firefox:policies"
PAGE = "settings:\n  browser.homepage: {value: 'https://portal.example/', why: {en: 'Our page'}}\n"
POP_UPS = source("settings:\n  browser.pop-ups: {value: blocked, why: {en: 'Peace'}}\n", name="pop-ups")


def test_since_when_is_not_younger_for_what_shares_a_file_with_it(machine: Machine) -> None:
    machine.apply(compiled(source(PAGE, name="page")))
    machine.now = NOW + 90 * 86_400
    both = compiled(source(PAGE, name="page"), POP_UPS)
    machine.apply(both)
    told = explain(both, "browser.homepage", machine.undo, machine.host, machine.memory.read())
    assert told.since == NOW
    assert {effect.resource: effect.since for effect in told.effects}[SHARED] == machine.now
    younger = explain(both, "browser.pop-ups", machine.undo, machine.host, machine.memory.read())
    assert younger.since == machine.now


def test_what_several_settings_decide_tells_conflicts_to_each_and_has_no_reason_of_one(
    machine: Machine,
) -> None:
    file = "resources:\n  - file: {path: /etc/firefox/policies/policies.json, content: '{}'}\n"
    both = compiled(source(PAGE, name="page"), POP_UPS, source(file, name="file", power=True))
    for key in ("browser.homepage", "browser.pop-ups"):
        (text,) = explain(both, key, machine.undo, machine.host).conflicts
        assert "policies.json" in text
    assert explain(both, SHARED, machine.undo, machine.host).why == {}
    alone = compiled(source(PAGE, name="page"))
    assert explain(alone, SHARED, machine.undo, machine.host).why == {"en": "Our page"}


def test_it_names_file_line_owner_rank_and_what_lost(machine: Machine) -> None:
    machine.write("/etc/chromium/policies/managed/bookbag-homepage.json", "{}")
    machine.apply(POLICY)
    machine.now += 500
    machine.apply(POLICY)
    said = explain(POLICY, "browser.homepage", machine.undo, machine.host, machine.memory.read())
    assert said.value == "https://school.example/"
    assert [(one.place, one.owner, one.rank) for one in said.said_by] == [
        ("policy/ict/lower.yaml:6", "ict@north.example", "school")
    ]
    assert [(one.value, one.place, one.reason) for one in said.overrode] == [
        (
            "https://district.example/",
            "policy/ict/upper.yaml:6",
            "lower speaks for rank school, which is nearer",
        ),
        (
            "https://class.example/",
            "policy/ict/below.yaml:7",
            "lower made its value final, and this would not be tighter",
        ),
    ]
    assert said.final == "lower"
    assert said.since == NOW
    effect, *beside = said.effects
    assert effect.resource == "chromium:homepage"
    assert [one.resource for one in beside] == ["firefox:policies", *COPIES]
    assert effect.in_force
    assert effect.before.startswith("file: 2 bytes")
    assert json.loads(json.dumps(said.to_dict()))["since"] == NOW


def test_reasons_come_in_the_readers_language_or_the_nearest(machine: Machine) -> None:
    said = explain(POLICY, "browser.homepage", machine.undo, machine.host)
    assert said.reason("en-GB") == "Our page"
    assert said.reason("sw") == "Our page"
    assert said.reason("ar"), "the setting's own sentence, where the policy gives none"


def test_drift_and_effects_are_seen_now_not_remembered(machine: Machine) -> None:
    machine.apply(POLICY)
    machine.write("/etc/chromium/policies/managed/zz.json", '{"HomepageLocation": "x"}')
    effect, *others = explain(POLICY, "browser.homepage", machine.undo, machine.host).effects
    assert all(other.in_force for other in others)
    assert not effect.in_force
    assert "zz.json overrides" in effect.now
    assert effect.since == 0


def test_resources_written_directly_explain_too(machine: Machine) -> None:
    said = explain(POLICY, "file:/etc/motd", machine.undo, machine.host)
    assert said.reason("en") == "Welcome"
    assert said.said_by[0].place == "policy/ict/lower.yaml:11"
    assert not said.effects[0].in_force


def test_of_a_list_that_several_wrote_everybodys_reason_is_told(machine: Machine) -> None:
    """Who decided a part without a word says what the setting itself says; nobody is told twice."""
    text = "settings:\n  browser.blocked-sites:\n    value: [{}.example]\n"
    ours = text.format("dice") + "    why: {en: Gambling is closed}\n"
    theirs = text.format("chat") + "    why: {en: So are strangers, ar: غرباء}\n"
    again = text.format("cards") + "    why: {en: Gambling is closed}\n"
    both = compiled(source(ours, name="a"), source(theirs, name="b"), source(again, name="c"))
    why = explain(both, "browser.blocked-sites", machine.undo, machine.host).why
    assert why == {"en": "Gambling is closed So are strangers", "ar": "غرباء"}
    silent = compiled(source(ours, name="a"), source(text.format("chat"), name="b"))
    usual = kinds.settings()["browser.blocked-sites"].why
    why = explain(silent, "browser.blocked-sites", machine.undo, machine.host).why
    assert why == {"en": f"Gambling is closed {usual['en']}", "ar": usual["ar"]}


def test_a_refused_one_says_why(machine: Machine) -> None:
    policy = compiled(source("resources:\n  - file: {path: /etc/cron.d/x, absent: true}\n"))
    said = explain(policy, "file:/etc/cron.d/x", machine.undo, machine.host)
    assert said.value == "refused"
    assert "can run code as root" in said.refusals[0]


@pytest.mark.parametrize(
    ("key", "remedy"),
    [
        ("browser.homepag", "did you mean 'browser.homepage'?"),
        ("screen-lock.after", "a school could: How long"),
    ],
)
def test_what_is_not_set_here_is_not_found(machine: Machine, key: str, remedy: str) -> None:
    with pytest.raises(BookbagError) as caught:
        explain(POLICY, key, machine.undo, machine.host)
    assert caught.value.code == "not-found"
    assert caught.value.remedy.startswith(remedy)


def test_how_often_it_was_put_back_and_why_it_is_not_in_force(machine: Machine) -> None:
    machine.apply(POLICY)
    machine.now += 60
    machine.write("/etc/motd", "mine")
    machine.apply(POLICY)
    (effect,) = explain(POLICY, "file:/etc/motd", machine.undo, machine.host, machine.memory.read()).effects
    assert (effect.healed, effect.healed_last, effect.outcome) == (1, NOW + 60, "in-force")
    machine.write("/etc/chromium/policies/managed/zz.json", '{"HomepageLocation": "x"}')
    machine.apply(POLICY)
    told = explain(POLICY, "browser.homepage", machine.undo, machine.host, machine.memory.read())
    (effect,) = [one for one in told.effects if one.resource == "chromium:homepage"]
    assert (effect.healed, effect.outcome) == (0, "not-effective") and "zz.json" in effect.message


def test_an_overdue_review_is_told_from_the_day_after(machine: Machine) -> None:
    for today, overdue in (("2027-08-01", False), ("2027-08-02", True), ("", False)):
        said = explain(POLICY, "browser.homepage", machine.undo, machine.host, today=today)
        (one,) = said.said_by
        assert (one.review_by, one.overdue) == ("2027-08-01", overdue)


LESSON = "when: {timetable: lesson}\n"
HOURS = (
    'timetables:\n  lesson:\n    zone: Etc/UTC\n    weekly: [{days: [mon], from: "08:00", until: "09:00"}]\n'
)
FREE = 'resources:\n  - file: {path: /etc/issue, content: "free"}\n'
TIMED = (
    source(UPPER, name="upper", rank="district"),
    source("settings:\n  screen-lock.after: 10m\n", name="always", more=HOURS),
    source(
        "settings:\n  screen-lock.after: 2m\n  browser.blocked-sites: ['*']\n"
        'resources:\n  - file: {path: /etc/motd, content: "lesson"}\n',
        name="lesson",
        more=LESSON,
    ),
    source(FREE, name="free", more="when: {outside: lesson}\n"),
)


@pytest.mark.parametrize(
    ("key", "now", "then"),
    [
        ("browser.blocked-sites", "", "*"),
        ("screen-lock.after", "10m", "2m"),
        ("browser.homepage", "https://district.example/", None),
        ("file:/etc/motd", "", "6 bytes"),
        ("file:/etc/issue", "nothing", ""),
    ],
)
def test_what_a_lesson_will_set_is_told_before_it_begins(
    machine: Machine, key: str, now: str, then: str | None
) -> None:
    policy = compiled(*TIMED)
    later = {"lesson": compile_site(TIMED, DEVICE, None, During(frozenset(["lesson"])))}
    told = explain(policy, key, machine.undo, machine.host, later=later)
    assert told.value == now
    if then is None:
        assert told.ahead == ()
        return
    (ahead,) = told.ahead
    assert ahead.timetable == "lesson" and ahead.value.startswith(then)
    assert [one.policy for one in ahead.said_by] == (["lesson"] if then else [])
    with pytest.raises(BookbagError):
        explain(policy, "browser.pop-ups", machine.undo, machine.host, later=later)


def test_explaining_changes_nothing(machine: Machine) -> None:
    before = machine.state()
    explain(POLICY, "browser.homepage", machine.undo, machine.host)
    assert machine.state() == before
