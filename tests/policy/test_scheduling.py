"""Policies with a timetable: in force when it says, tighter where the time is not known, moved by nobody
else.
"""

from __future__ import annotations

from datetime import datetime

import pytest

from agent.policy.compile import compile_site
from agent.policy.compiled import Compiled
from agent.policy.desk.check import check_documents
from agent.policy.desk.expectations import read_tests
from agent.policy.desk.judging import judge
from agent.policy.desk.preview import compare, preview
from agent.policy.document import Source
from agent.policy.scheduling import At, During, Local, Moment
from agent.policy.syntax.problems import Problems
from tests.policy.machine import DEVICE, Machine, source
from tests.policy.test_hours import at

TABLE = (
    "timetables:\n  {name}:\n    zone: Europe/Berlin\n"
    '    weekly: [{{days: [mon, tue, wed, thu, fri], from: "08:00", until: "{until}"}}]\n'
)
GAMES = "settings:\n  browser.blocked-sites: [games.example]\n"
SCHOOL, HOME = "https://school.example/", "https://games.example/"
DURING = "when: {timetable: lessons}\n"
IN_CLASS, AT_HOME = at("2026-11-26 10:00"), at("2026-11-26 17:00")


def table(rank: str = "school", until: str = "13:15", name: str = "lessons", power: bool = False) -> Source:
    body = TABLE.format(name=name, until=until)
    return source(body, name=f"table-{rank}{'-power' if power else ''}", rank=rank, power=power)


def made(*sources: Source, moment: Moment | None = None) -> Compiled:
    return compile_site(sources, DEVICE, None, moment)


def value(policy: Compiled, key: str = "browser.blocked-sites") -> object:
    return policy.settings[key]["value"] if key in policy.settings else None


def test_it_holds_while_the_timetable_is_on_and_at_no_other_time() -> None:
    lesson = source(GAMES, name="lesson", more=DURING)
    assert value(made(table(), lesson, moment=At(IN_CLASS))) == ["games.example"]
    assert value(made(table(), lesson, moment=At(AT_HOME))) is None
    assert value(made(table(), lesson)) is None, "at the desk no timetable is on unless it is said"
    assert value(made(table(), lesson, moment=During(frozenset(["lessons"])))) == ["games.example"]


def test_outside_of_it_is_every_other_time() -> None:
    leisure = source(GAMES, name="leisure", more="when: {outside: lessons}\n")
    assert value(made(table(), leisure, moment=At(IN_CLASS))) is None
    assert value(made(table(), leisure, moment=At(AT_HOME))) == ["games.example"]


def test_it_says_until_when_and_equal_times_are_equal_policies() -> None:
    lesson = source(GAMES, name="lesson", more=DURING)
    early, late = (made(table(), lesson, moment=At(one)) for one in (IN_CLASS, IN_CLASS + 600))
    home = made(table(), lesson, moment=At(AT_HOME))
    assert early.until == at("2026-11-26 13:15") and home.until == at("2026-11-27 08:00")
    assert early.fingerprint == late.fingerprint != home.fingerprint
    assert early.inputs == home.inputs
    assert early.timely(IN_CLASS) and early.timely(early.until - 1)
    assert not early.timely(early.until) and not early.timely(IN_CLASS - 1) and not early.timely(None)
    assert early.scheduled == [("lesson", True)] and home.scheduled == []


def test_without_a_timetable_every_time_is_alike() -> None:
    plain = made(source(GAMES))
    assert plain.timely(None) and plain.timely(0) and plain.until == 0
    assert plain.fingerprint == plain.inputs


# -- the time is not known


def test_what_tightens_holds_when_the_time_is_not_known() -> None:
    usual = source(
        "settings:\n  screen-lock.after: 10m\n  browser.blocked-sites: [a.example]\n", name="usual"
    )
    tight = "settings:\n  screen-lock.after: 2m\n  browser.blocked-sites: [b.example]\n"
    exam = source(tight, name="exam", rank="class", more=DURING)
    doubt = made(table(), usual, exam, moment=At(None))
    assert value(doubt) == ["a.example", "b.example"]
    assert value(doubt, "screen-lock.after") == 120
    assert doubt.scheduled == [("exam", False)]
    assert doubt.timely(None) and not doubt.timely(AT_HOME)


def test_what_loosens_does_not() -> None:
    usual = source(f"settings:\n  browser.homepage: {SCHOOL}\n  browser.blocked-sites: ['*']\n", name="usual")
    loose = f"settings:\n  browser.homepage: {HOME}\n  browser.allowed-sites: [games.example]\n"
    leisure = source(loose, name="leisure", rank="class", more="when: {outside: lessons}\n")
    doubt = made(table(), usual, leisure, moment=At(None))
    assert value(doubt, "browser.homepage") == SCHOOL and value(doubt, "browser.allowed-sites") is None
    known = made(table(), usual, leisure, moment=At(AT_HOME))
    assert value(known, "browser.homepage") == HOME
    assert value(known, "browser.allowed-sites") == ["games.example"]


def test_what_cannot_be_compared_waits_until_the_time_is_known() -> None:
    motd = 'resources:\n  - file: {path: /etc/motd, content: "exam"}\n'
    exam = source(motd, name="exam", more=DURING)
    assert [one.id for one in made(table(), exam, moment=At(IN_CLASS)).items()] == ["file:/etc/motd"]
    assert list(made(table(), exam, moment=At(None)).items()) == []


# -- whose timetable


def test_a_nearer_rank_moves_no_farther_ones_hours() -> None:
    lesson = source(GAMES, name="lesson", more=DURING)
    shorter = table("class", until="09:00")
    assert value(made(table(), shorter, lesson, moment=At(IN_CLASS))) == ["games.example"]
    of_class = source(GAMES, name="of-class", rank="class", more=DURING)
    assert value(made(table(), shorter, of_class, moment=At(IN_CLASS))) is None, "its own class's hours"


def test_a_school_has_hours_of_its_own_where_it_speaks_itself() -> None:
    lesson = source(GAMES, name="lesson", more=DURING)
    late = at("2026-11-26 15:00")
    assert value(made(table("ministry"), table(until="16:00"), lesson, moment=At(late))) == ["games.example"]
    ruling = source(GAMES, name="ruling", rank="ministry", more=DURING)
    assert value(made(table("ministry"), table(until="16:00"), ruling, moment=At(late))) is None


def test_one_signature_moves_nothing_that_takes_two() -> None:
    strong = source(GAMES, name="strong", more=DURING, power=True)
    assert value(made(table(until="09:00"), table(power=True), strong, moment=At(IN_CLASS))) is not None
    alone = made(table(until="09:00"), strong, moment=At(AT_HOME))
    assert [row["code"] for row in alone.refusals] == ["not-found"]
    assert value(alone) == ["games.example"], "its hours are not known: what it tightens holds"


def test_a_document_goes_by_its_own_hours_before_those_of_its_rank() -> None:
    early = TABLE.format(name="lessons", until="09:00")
    own = source(GAMES + TABLE.format(name="lessons", until="13:15"), name="own", more=DURING)
    assert value(made(source(early, name="aaa"), own, moment=At(IN_CLASS))) == ["games.example"]


def test_a_peer_moves_no_hours_by_giving_others() -> None:
    """As with two values of one rank: what is tighter holds where they differ, and it is said."""
    lesson = source(GAMES, name="lesson", more=DURING)
    peer = source(TABLE.format(name="lessons", until="09:00"), name="aaa")
    found = {
        at: made(table(), peer, lesson, moment=At(at)) for at in (IN_CLASS, at("2026-11-26 08:30"), AT_HOME)
    }
    held = [(value(one), one.scheduled) for one in found.values()]
    assert held == [
        (["games.example"], [("lesson", False)]),
        (["games.example"], [("lesson", True)]),
        (None, []),
    ]
    assert {row["code"] for one in found.values() for row in one.refusals} == {"conflict"}
    assert found[IN_CLASS].until == at("2026-11-26 13:15")
    assert found[at("2026-11-26 08:30")].until == at("2026-11-26 09:00")
    strong = table(power=True)
    assert made(strong, peer, lesson, moment=At(IN_CLASS)).scheduled == [("lesson", True)], "two persons'"


def test_hours_that_are_only_observed_move_nothing_in_force() -> None:
    lesson = source(GAMES, name="lesson", more=DURING)
    tried = source(TABLE.format(name="lessons", until="09:00"), name="tried", more="mode: observe\n")
    assert value(made(table("ministry"), tried, lesson, moment=At(IN_CLASS))) == ["games.example"]
    looked = source(GAMES, name="looked", more=DURING + "mode: observe\n")
    assert value(made(table("ministry"), tried, looked, moment=At(IN_CLASS))) is None


def test_a_zone_that_this_laptop_lacks_costs_its_hours_and_nothing_else() -> None:
    body = "settings:\n  screen-lock.after: 5m\n" + TABLE.format(name="lessons", until="13:15")
    newer = source(body.replace("Europe/Berlin", "Europe/Newtown"), name="newer")
    lesson = source(GAMES, name="lesson", more=DURING)
    found = made(newer, lesson, moment=At(AT_HOME))
    assert value(found, "screen-lock.after") == 300
    assert value(found) == ["games.example"] and found.scheduled == [("lesson", False)]
    (row,) = found.refusals
    assert (row["code"], row["subject"]) == ("not-supported", "policy:newer")
    finding = check_documents([newer, lesson])[-1]
    assert "unknown time zone 'Europe/Newtown'" in finding.message and finding.place.endswith(":9:11")


def test_a_timetable_for_others_is_none_of_ours() -> None:
    body = TABLE.format(name="lessons", until="13:15")
    other = source(body, name="other", more="applies-to: {school: another}\n")
    found = made(other, source(GAMES, name="lesson", more=DURING), moment=At(AT_HOME))
    (row,) = found.refusals
    assert "has a timetable 'lessons'" in row["message"] and row["subject"] == "policy:lesson"


# -- at the desk


@pytest.mark.parametrize(
    ("key", "begin", "end", "right"),
    [
        ("dates", "2027-06-01 08:30", "2027-06-01 08:31", True),
        ("dates", "2027-06-01 08:30", "2027-06-01 08:30", False),
        ("dates", "2027-06-1  08:30", "2027-06-01 09:30", False),
        ("dates", "٢٠٢٧-06-01 08:30", "2027-06-01 09:30", False),
        ("except", "2027-06-01", "2027-06-01", True),
        ("except", "2027-W22-1", "2027-06-01", False),
    ],
)
def test_times_are_written_in_one_way_and_end_after_they_begin(
    key: str, begin: str, end: str, right: bool
) -> None:
    span = f'    {key}: [{{from: "{begin}", until: "{end}"}}]\n'
    hours = '    weekly: [{days: [mon], from: "08:00", until: "24:00"}]\n' if key == "except" else ""
    findings = check_documents([source(f"timetables:\n  exam:\n    zone: Etc/UTC\n{hours}{span}")])
    assert (findings == []) is right, findings


def test_check_names_a_timetable_that_nobody_gives_and_one_that_two_give() -> None:
    lesson = source(GAMES, name="lesson", more=DURING)
    assert check_documents([table(), lesson]) == []
    (missing,) = check_documents([lesson])
    assert missing.code == "not-found" and missing.place == "policy/ict/lesson.yaml:1:1"
    body = TABLE.format(name="lessons", until="14:00")
    (twice,) = check_documents([table(), source(body, name="again"), lesson])
    assert twice.code == "conflict" and "two timetables 'lessons'" in twice.message
    elsewhere = source(body, name="again", more="applies-to: {school: another}\n")
    assert [one.code for one in check_documents([elsewhere, lesson])] == []


def test_during_and_outside_do_not_contradict_each_other() -> None:
    one = source("settings:\n  browser.homepage: https://a.example/\n", name="one", more=DURING)
    other = "settings:\n  browser.homepage: https://b.example/\n"
    outside = source(other, name="other", more="when: {outside: lessons}\n")
    assert check_documents([table(), one, outside]) == []
    assert [found.code for found in check_documents([table(), one, source(other, name="other")])] == [
        "conflict"
    ]


def test_a_plan_shows_what_holds_then_and_that_hours_move() -> None:
    def lines(*sources: Source) -> list[tuple[str, str, str]]:
        before, after = preview([table()], [DEVICE]), preview(sources, [DEVICE])
        return [(one.key, one.before, one.after) for diff in compare(before, after) for one in diff.lines]

    usual = source("settings:\n  screen-lock.after: 30m\n", name="usual")
    exam = source("settings:\n  screen-lock.after: 5m\n", name="exam", rank="class", more=DURING)
    hours = "Europe/Berlin: mon tue wed thu fri 08:00–13:15"
    assert lines(table(), usual, exam) == [
        ("screen-lock.after", "", "30m"),
        ("screen-lock.after (while lessons)", "", "5m"),
        ("when exam holds", "", f"lessons, {hours}"),
    ]
    moved = preview([table(until="16:00"), usual, exam], [DEVICE])
    (diff,) = compare(preview([table(), usual, exam], [DEVICE]), moved)
    assert [(one.key, one.after) for one in diff.lines] == [
        ("when exam holds", f"lessons, {hours.replace('13:15', '16:00')}")
    ]


def test_a_plan_hides_no_hours_behind_others_of_the_same_name() -> None:
    ruling = source("settings:\n  screen-lock.after: 5m\n", name="ruling", rank="ministry", more=DURING)
    lesson = source(GAMES, name="lesson", more=DURING)
    before, after = (
        preview([table("ministry", until=until), ruling, table(), lesson], [DEVICE])
        for until in ("16:00", "09:00")
    )
    (diff,) = compare(before, after)
    assert [one.key for one in diff.lines] == ["when ruling holds"]


@pytest.mark.parametrize(("given", "fails"), [("2026-11-26 10:00", 0), ("2026-11-26 13:15", 1), ("", 1)])
def test_tests_of_policies_say_at_what_time(given: str, fails: int) -> None:
    text = "v: 1\ntests:\n- given: {year: 9}\n  expect: {browser.blocked-sites: [games.example]}\n"
    problems = Problems()
    (test,) = read_tests((text + (f'  at: "{given}"\n' if given else "")).encode(), "tests/t.yaml", problems)
    assert not problems.errors and test.at == (datetime.fromisoformat(given) if given else None)
    found = made(
        table(), source(GAMES, name="lesson", more=DURING), moment=Local(test.at) if test.at else None
    )
    failures = list(judge(test, found))
    assert len(failures) == fails
    if fails and given:
        assert "year 9 at 2026-11-26 13:15" in str(failures[0])


# -- on a laptop


def test_a_lesson_begins_and_ends_and_leaves_no_trace(machine: Machine) -> None:
    lesson = source(GAMES, name="lesson", more=DURING)
    before = sorted(path.relative_to(machine.laptop) for path in machine.laptop.rglob("*"))
    machine.apply(made(table(), lesson, moment=At(AT_HOME)))
    assert sorted(path.relative_to(machine.laptop) for path in machine.laptop.rglob("*")) == before
    machine.apply(made(table(), lesson, moment=At(IN_CLASS)))
    folder = machine.laptop / "etc/chromium/policies/managed"
    assert "games.example" in "".join(path.read_text() for path in folder.iterdir())
    machine.apply(made(table(), lesson, moment=At(AT_HOME)))
    assert sorted(path.relative_to(machine.laptop) for path in machine.laptop.rglob("*")) == before
