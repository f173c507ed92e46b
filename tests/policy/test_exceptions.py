"""Exceptions to a list, as sites that open although others are closed: never to what a farther rank made
final.
"""

from __future__ import annotations

import json

import pytest

from agent.policy.compiled import Compiled
from agent.policy.syntax.sites import opens
from tests.policy.machine import compiled, source

CLOSED, OPEN = "browser.blocked-sites", "browser.allowed-sites"


def school(closed: str, *, final: bool, allowed: tuple[str, ...], rank: str = "school") -> Compiled:
    """The ministry closes a site; somebody of ``rank`` allows some."""
    word = f"settings:\n  {CLOSED}: {{value: {json.dumps([closed])}, final: {json.dumps(final)}}}\n"
    return compiled(
        source(word, name="ministry", rank="ministry"),
        source(f"settings:\n  {OPEN}: {json.dumps(allowed)}\n", name="school", rank=rank),
    )


@pytest.mark.parametrize(
    ("site", "closed"),
    [
        ("casino.example", "*.casino.example"),
        ("www.casino.example", "casino.example"),
        ("casino.example/poker", "casino.example"),
        ("uk.example", "casino.uk.example"),
    ],
)
def test_nobody_nearer_opens_what_was_closed_for_good(site: str, closed: str) -> None:
    made = school(closed, final=True, allowed=(site, "library.example"))
    assert made.settings[OPEN]["value"] == ["library.example"]
    (told,) = made.conflicts
    assert told["subject"] == OPEN and told["holder"] == CLOSED
    assert f"about {site}: ministry made {CLOSED} final" in told["message"]
    assert "policy/ict/school.yaml:" in told["message"]


def test_the_control_what_is_not_final_may_be_opened() -> None:
    made = school("*.casino.example", final=False, allowed=("casino.example",))
    assert made.settings[OPEN]["value"] == ["casino.example"]
    assert made.conflicts == []


def test_who_made_it_final_may_open_some_of_it() -> None:
    made = school("*", final=True, allowed=("exam.example",), rank="ministry")
    assert made.settings[OPEN]["value"] == ["exam.example"]
    assert made.conflicts == []


def test_where_nothing_is_left_the_setting_is_not_there_and_it_is_told() -> None:
    made = school("*", final=True, allowed=("exam.example",))
    assert OPEN not in made.settings
    assert [row["subject"] for row in made.conflicts] == [OPEN]
    assert "exam.example" not in json.dumps(made.data["items"])


@pytest.mark.parametrize(
    ("site", "closed", "so"),
    [
        ("a.example", "*", True),
        ("a.example", "a.example", True),
        ("b.a.example", "a.example", True),
        ("a.example", "b.a.example", True),
        ("ba.example", "a.example", False),
        ("a.example", "ba.example", False),
        ("a.example/x", "a.example", True),
        ("a.example", "a.example/x", True),
        ("a.example/x", "a.example/xy", True),
        ("a.example/x", "a.example/y", False),
    ],
)
def test_what_opening_a_site_would_open(site: str, closed: str, so: bool) -> None:
    assert opens(site, closed) is so
