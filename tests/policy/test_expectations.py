"""Tests of policies: read strictly, and judged by what the laptop itself would compile."""

from __future__ import annotations

import random
import re

import pytest

from agent.policy import kinds
from agent.policy.desk.expectations import NOT_SET, PolicyTest, read_tests
from agent.policy.desk.judging import Failure, judge
from agent.policy.desk.preview import compile_each
from agent.policy.document import Source
from agent.policy.syntax.nodes import Place, Scalar
from agent.policy.syntax.problems import Problems
from tests.leaks import REPOSITORY
from tests.policy.machine import DEVICE, compiled, source

GOLDEN = REPOSITORY / "tests/cases/formats/fleet/tests/years.yaml"
LOCK = source("settings:\n  screen-lock.after: 10m\n  browser.blocked-sites: [a.example]\n", name="top")
MORE = source("settings:\n  browser.blocked-sites: ['*.b.example']\n", name="more", rank="class")
MOTD = source('resources:\n  - file: {path: /etc/motd, content: "hi"}\n', name="motd")


def given_tests(expect: str, given: str = "{year: 9}") -> tuple[PolicyTest, ...]:
    problems = Problems()
    text = f"v: 1\ntests:\n- given: {given}\n  expect:\n    {expect}\n"
    found = read_tests(text.encode(), "tests/t.yaml", problems)
    assert problems.errors == []
    return found


def failures(expect: str, *sources: Source) -> list[Failure]:
    (test,) = given_tests(expect)
    return list(judge(test, compiled(*sources)))


@pytest.mark.parametrize(
    "expect",
    [
        "screen-lock.after: 10m",
        "screen-lock.after: {value: 10m, from: top}",
        "screen-lock.after: {from: top}",
        "browser.homepage: not set",
        "browser.homepage: {value: not set}",
        "browser.blocked-sites: [a.example, '*.b.example']",
        "browser.blocked-sites: {has: [b.example], lacks: [c.example]}",
        "browser.blocked-sites: {from: top}",
        "browser.blocked-sites: {from: more}",
        "file:/etc/motd: set",
        "file:/etc/motd: {from: motd}",
        "file:/etc/issue: not set",
    ],
)
def test_what_is_so_is_confirmed(expect: str) -> None:
    assert failures(expect, LOCK, MORE, MOTD) == []


@pytest.mark.parametrize(
    ("expect", "expected", "got", "policy", "at"),
    [
        ("screen-lock.after: 5m", "5m", "10m", "top", "policy/ict/top.yaml:6"),
        ("screen-lock.after: not set", "not set", "10m", "top", "policy/ict/top.yaml:6"),
        ("screen-lock.after: {value: 10m, from: more}", "from more", "10m", "top", "policy/ict/top.yaml:6"),
        ("screen-lock.after: {value: 5m, from: x}", "5m and from x", "10m", "top", "policy/ict/top.yaml:6"),
        ("browser.homepage: https://a.example/", "https://a.example/", "not set", "", ""),
        ("browser.homepage: {from: top}", "from top", "not set", "", ""),
        (
            "browser.blocked-sites: {has: [c.example, a.example], lacks: ['*.b.example']}",
            "with c.example and without b.example", "a.example, b.example", "more", "policy/ict/more.yaml:7",
        ),
        ("browser.blocked-sites: {lacks: [c.example], has: [d.example]}", "with d.example",
         "a.example, b.example", "more", "policy/ict/more.yaml:7"),
        ("file:/etc/motd: not set", "not set", "set", "motd", "policy/ict/motd.yaml:6"),
        ("file:/etc/issue: set", "set", "not set", "", ""),
    ],
)  # fmt: skip
def test_what_is_not_so_is_told_with_who_decides(
    expect: str, expected: str, got: str, policy: str, at: str
) -> None:
    (failure,) = failures(expect, LOCK, MORE, MOTD)
    assert (failure.expected, failure.got, failure.policy, failure.decided_at) == (expected, got, policy, at)
    assert failure.place == "tests/t.yaml:5:5"
    assert str(failure).startswith("cannot confirm ")


def test_values_that_look_the_same_to_people_are_told_in_full() -> None:
    marks = "browser.bookmarks: [{{name: Library, url: https://{}.example/}}]"
    (failure,) = failures(marks.format("b"), source(f"settings:\n  {marks.format('a')}\n"))
    assert failure.expected == '[{"name": "Library", "url": "https://b.example/"}]'
    assert failure.got == '[{"name": "Library", "url": "https://a.example/"}]'


def test_why_something_is_not_set_is_told() -> None:
    observed = source("settings:\n  screen-lock.after: 10m\n", name="eyes", more="mode: observe\n")
    (failure,) = failures("screen-lock.after: 10m", observed)
    assert failure.got == "not set (only observed: 10m)"
    assert failures("screen-lock.after: not set", observed) == []
    mighty = source('resources:\n  - file: {path: /etc/cron.d/x, content: "x"}\n')
    (failure,) = failures("file:/etc/cron.d/x: set", mighty)
    assert "cannot accept file:/etc/cron.d/x from the ordinary role" in failure.got
    group = (
        'resources:\n  - dconf: {group: zz, values: {/org/gnome/desktop/session/idle-delay: "uint32 0"}}\n'
    )
    (failure,) = failures("dconf:zz: set", LOCK, source(group, name="own", rank="class"))
    assert "screen-lock.after holds it" in failure.got


def test_no_setting_can_be_set_to_the_words_for_not_being_set() -> None:
    for setting in kinds.settings().values():
        problems = Problems()
        setting.value.read(Scalar(Place("x", 1, 1), NOT_SET), problems)
        assert problems.errors, setting.key


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("tests: []", "1:1", "'v'"),
        ("v: 1", "1:1", "'tests'"),
        ("v: 2\ntests: []", "1:4", "up to 1"),
        ("v: one\ntests: []", "1:4", "the text 'one'"),
        ("v: 1\ntests: {}", "2:8", "expected a list of tests"),
        ("v: 1\ntests: []\nmore: 1", "3:1", "'more'"),
        ("- v: 1", "1:1", "a list"),
        ("v: 1\ntests: [a]", "2:9", "the text 'a'"),
        ("v: 1\ntests: [{given: {}}]", "2:9", "'expect'"),
        ("v: 1\ntests: [{expect: {screen-lock.after: 10m}}]", "2:9", "'given'"),
        ("v: 1\ntests: [{given: {yaer: 9}, expect: {screen-lock.after: 10m}}]", "2:18", "'yaer'"),
        ("v: 1\ntests: [{given: {year: [9]}, expect: {screen-lock.after: 10m}}]", "2:24", "a list"),
        (
            "v: 1\ntests: [{given: {device: a, year: 9}, expect: {screen-lock.after: 10m}}]",
            "2:9",
            "by its name",
        ),
        ("v: 1\ntests: [{given: {}, expect: {}}]", "2:29", "a mapping of settings"),
        ("v: 1\ntests: [{given: {}, expect: {screen-lock.afer: 10m}}]", "2:30", "'screen-lock.afer'"),
        ("v: 1\ntests: [{given: {}, expect: {screen-lock.after: 10}}]", "2:49", "it has no unit"),
        ("v: 1\ntests: [{given: {}, expect: {screen-lock.after: {}}}]", "2:49", "'value'"),
        ("v: 1\ntests: [{given: {}, expect: {screen-lock.after: {is: 10m}}}]", "2:50", "'is'"),
        ("v: 1\ntests: [{given: {}, expect: {screen-lock.after: {has: [10m]}}}]", "2:55", "a list"),
        (
            "v: 1\ntests: [{given: {}, expect: {screen-lock.after: {value: not set, from: a}}}]",
            "2:30",
            "more",
        ),
        ("v: 1\ntests: [{given: {}, expect: {screen-lock.after: {from: Me}}}]", "2:56", "'Me'"),
        ("v: 1\ntests: [{given: {}, expect: {file:/etc/motd: hi}}]", "2:46", "one of set, not set"),
        ("v: 1\ntests: [{given: {}, expect: {chromium:x: set}}]", "2:30", "'chromium:x'"),
        ("v: 1\ntests: [*a]", "2:9", "alias"),
    ],
)
def test_a_test_that_is_wrong_is_refused_with_its_place(text: str, place: str, message: str) -> None:
    problems = Problems()
    read_tests(text.encode(), "t.yaml", problems)
    assert [(error.place, message in f"{error.message}; {error.remedy}") for error in problems.errors] == [
        (f"t.yaml:{place}", True)
    ], [str(error) for error in problems.errors]


def test_every_mistake_is_told_at_once_and_a_flood_of_them_ends() -> None:
    problems = Problems()
    wrong = "- {given: {}, expect: {screen-lock.after: 10}}\n"
    read_tests(f"v: 1\ntests:\n{wrong * 3}".encode(), "t.yaml", problems)
    assert [error.place for error in problems.errors] == [f"t.yaml:{line}:43" for line in (3, 4, 5)]
    problems = Problems()
    assert read_tests(f"v: 1\ntests:\n{wrong * 900}".encode(), "t.yaml", problems) == ()
    assert len(problems.errors) == 200


def test_bytes_of_any_kind_are_refused_with_a_place_or_read() -> None:
    chance = random.Random("tests of policies")
    good, noticed = GOLDEN.read_bytes(), 0
    nasty = (
        b"\x00",
        b"\xff",
        b"&a ",
        b"*a",
        b"{",
        b"]",
        b"[" * 30,
        b"\t",
        b"'",
        b": ",
        b"? ",
        b"v",
        b"9" * 30,
    )
    for _ in range(200):
        at = chance.randrange(len(good))
        problems = Problems()
        read_tests(good[:at] + chance.choice(nasty) + good[at + chance.randrange(3) :], "t.yaml", problems)
        noticed += bool(problems.errors)
        assert all(re.fullmatch(r"t\.yaml:[0-9]+:[0-9]+", error.place) for error in problems.errors)
    assert noticed > 100, noticed


def test_the_golden_file() -> None:
    problems = Problems()
    first, second, third = read_tests(GOLDEN.read_bytes(), "years.yaml", problems)
    assert problems.errors == []
    assert (first.laptop, second.laptop, third.laptop) == ("school north-high, year 9", "lap-1", "any laptop")
    assert [one.form for one in first.expect] == [
        {"value": 600, "from": "secondary-school"},
        {"has": ["casino.example"], "lacks": ["atlas.north.example"]},
        {"value": "not set"},
    ]
    assert [(one.key, one.form["value"]) for one in second.expect[1:]] == [
        ("file:/etc/motd", "set"), ("file:/etc/issue", "set"), ("file:/etc/hosts", "not set"),
    ]  # fmt: skip
    assert third.expect[0].form == {"value": []}


def test_a_test_sees_what_the_laptop_compiles_and_nothing_else() -> None:
    (made,) = compile_each([LOCK, MORE, MOTD], [DEVICE])
    assert made.data == compiled(LOCK, MORE, MOTD).data
