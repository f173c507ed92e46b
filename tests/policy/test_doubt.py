"""Nobody opens anything by making the time doubtful: no setting, no exception, no report."""

from __future__ import annotations

import pytest

from agent.policy import kinds
from agent.policy.bases.graded import Graded
from agent.policy.bases.setting import Setting
from agent.policy.compiled import Compiled
from agent.policy.scheduling import At
from tests.policy.machine import source
from tests.policy.test_scheduling import AT_HOME, DURING, IN_CLASS, made, table, value

OUTSIDE = "when: {outside: lessons}\n"
BLOCKED, ALLOWED = "browser.blocked-sites", "browser.allowed-sites"


def settings(**given: str) -> str:
    return "settings:\n" + "".join(f"  browser.{key}-sites: {text}\n" for key, text in given.items())


def test_what_may_be_final_takes_no_exception() -> None:
    """In a lesson the ministry's word is final: stopping the clock then makes no exception."""
    ruling = source(settings(blocked="{value: [games.example], final: true}"), rank="ministry", more=DURING)
    excepting = source(settings(allowed="[games.example]"), name="excepting")
    lesson, doubt, home = (
        made(table("ministry"), ruling, excepting, moment=At(at)) for at in (IN_CLASS, None, AT_HOME)
    )
    assert value(lesson, BLOCKED) == value(doubt, BLOCKED) == ["games.example"]
    assert value(lesson, ALLOWED) is None and value(doubt, ALLOWED) is None
    assert value(home, ALLOWED) == ["games.example"], "the control"
    assert [row["subject"] for row in doubt.conflicts] == [ALLOWED]


def test_exceptions_that_an_exam_would_end_do_not_stay() -> None:
    exam = source(settings(blocked="['*']", allowed="{value: [exam.example], final: true}"), more=DURING)
    of_class = source(settings(allowed="[games.example, exam.example]"), name="of-class", rank="class")
    doubt = made(table(), exam, of_class, moment=At(None))
    assert value(made(table(), exam, of_class, moment=At(IN_CLASS)), ALLOWED) == ["exam.example"]
    assert value(doubt, BLOCKED) == ["*"]
    assert value(doubt, ALLOWED) == ["exam.example"], "what is open with and without the exam stays"
    assert doubt.decided_by(ALLOWED).policy == "of-class"
    home = made(table(), of_class, moment=At(None))
    assert value(home, ALLOWED) == ["games.example", "exam.example"], "the control"


@pytest.mark.parametrize(
    ("setting", "given"),
    [
        ("telemetry.records", "[health]"),
        ("desktop.removable-media", "opened"),
        ("browser.homepage", "https://games.example/"),
        ("time.servers", "[time.games.example]"),
        ("accounts.administrators", "[somebody]"),
        ("accounts.automatic-login", "somebody"),
    ],
)
def test_where_nothing_is_set_nothing_is_opened(setting: str, given: str) -> None:
    leisure = source(f"settings:\n  {setting}: {given}\n", more=OUTSIDE, power=True)
    assert value(made(table(power=True), leisure, moment=At(AT_HOME)), setting) is not None
    assert value(made(table(power=True), leisure, moment=At(None)), setting) is None


@pytest.mark.parametrize(
    ("setting", "given"),
    [
        ("desktop.removable-media", "ignored"),
        ("screen-lock.after", "5m"),
        (BLOCKED, "[games.example]"),
        ("network.firewall", "{value: {incoming: closed}}"),
        ("accounts.hours", '["mon-thu 07:30-16:00"]'),
        ("accounts.automatic-login", "off"),
        ("accounts.idle-log-out", "30m"),
    ],
)
def test_where_nothing_is_set_what_tightens_holds(setting: str, given: str) -> None:
    exam = source(f"settings:\n  {setting}: {given}\n", more=DURING, power=True)
    assert value(made(table(power=True), exam, moment=At(None)), setting) is not None


@pytest.mark.parametrize("at", [IN_CLASS, None])
def test_what_is_refused_hides_nothing(at: int | None) -> None:
    """One person's firewall is not accepted, and takes no place from that of two."""
    strong, weak = (
        f"settings:\n  network.firewall: {{value: {{incoming: {it}}}}}\n" for it in ("[ssh]", "closed")
    )
    exam = source(strong, name="exam", more=DURING, power=True)
    found = made(table(power=True), exam, source(weak, name="weak", rank="class"), moment=At(at))
    assert value(found, "network.firewall") == {"incoming": ["ssh"]}
    assert [(row["subject"], row["code"]) for row in found.refusals] == [("network.firewall", "root-power")]


def test_the_loosest_word_is_never_what_tightens() -> None:
    for setting in kinds.settings().values():
        if isinstance(setting, Graded):
            assert [setting.restricts(word) for word in setting.words] == [
                False,
                *[True] * (len(setting.words) - 1),
            ], setting.key


def test_whoever_can_be_tighter_says_whether_it_is_tighter_than_nothing() -> None:
    """These cannot say: one makes exceptions, one only reports, one lets in whom it names."""
    silent = {
        one.key
        for one in kinds.settings().values()
        if type(one).tighter is not Setting.tighter and type(one).restricts is Setting.restricts
    }
    assert silent == {ALLOWED, "telemetry.records", "accounts.administrators"}


def test_of_two_that_may_hold_the_tighter_one_does() -> None:
    def held(*bodies: str) -> Compiled:
        lines = ("settings:\n  screen-lock.after: " + body for body in bodies)
        hours = zip(lines, ("during", "outside"), (DURING, OUTSIDE), strict=True)
        return made(
            table(),
            *(source(text + "\n", name=name, more=more) for text, name, more in hours),
            moment=At(None),
        )

    assert value(held("10m", "5m"), "screen-lock.after") == 300
    assert value(held("5m", "10m"), "screen-lock.after") == 300
