"""Ranks, final, tighter, conflicts: through compiled policies, as a laptop gets them."""

from __future__ import annotations

from itertools import permutations

import pytest

from agent.core.model import Mode
from agent.policy import kinds
from agent.policy.compiled import Compiled
from agent.policy.document import Source
from agent.policy.targeting import RANKS, DeviceFacts, meant
from tests.policy.machine import COPIES, DEVICE, compiled, source


def setting(value: str, key: str = "browser.homepage", final: bool = False) -> str:
    return f"settings:\n  {key}: {{value: {value}, final: {str(final).lower()}}}\n"


def home(name: str, rank: str, page: str, *, final: bool = False) -> Source:
    return source(setting(f"https://{page}.example/", final=final), name=name, rank=rank)


def value(policy: Compiled, key: str = "browser.homepage") -> object:
    return policy.settings[key]["value"]


def lost(policy: Compiled, key: str) -> list[str]:
    rows = policy.settings[key]["lost"]
    assert isinstance(rows, list)
    return [row["reason"] for row in rows]


def test_the_nearest_rank_wins_whatever_the_order() -> None:
    documents = [home(f"p-{rank}", rank, rank) for rank in RANKS]
    for some in permutations(documents[2:], 4):
        assert value(compiled(*some)) == "https://device.example/"
    for nearest in range(1, len(RANKS) + 1):
        assert value(compiled(*documents[:nearest])) == f"https://{RANKS[nearest - 1]}.example/"


def test_what_was_overridden_is_remembered_with_the_reason() -> None:
    policy = compiled(home("wide", "district", "a"), home("near", "school", "b"))
    assert lost(policy, "browser.homepage") == ["near speaks for rank school, which is nearer"]


def test_a_final_value_stays_against_lower_ranks() -> None:
    policy = compiled(home("wide", "district", "a", final=True), home("near", "device", "b"))
    assert value(policy) == "https://a.example/"
    assert lost(policy, "browser.homepage") == ["wide made its value final, and this would not be tighter"]
    assert policy.settings["browser.homepage"]["final"] == "wide"
    open_ended = compiled(home("wide", "district", "a"), home("near", "device", "b"))
    assert value(open_ended) == "https://b.example/"


def test_a_lower_rank_cannot_make_a_higher_value_final() -> None:
    policy = compiled(
        home("wide", "district", "a"), home("mid", "school", "b", final=True), home("near", "year", "c")
    )
    assert value(policy) == "https://b.example/"


def test_strictest_wins_from_any_rank() -> None:
    for upper, lower, wanted in (("10m", "20m", 600), ("20m", "10m", 600), ("10m", "10m", 600)):
        policy = compiled(
            source(setting(upper, "screen-lock.after"), name="upper", rank="district"),
            source(setting(lower, "screen-lock.after"), name="lower", rank="class"),
        )
        assert value(policy, "screen-lock.after") == wanted


def test_unions_join_and_a_final_one_may_be_tightened() -> None:
    key = "browser.blocked-sites"
    policy = compiled(
        source(setting("[b.example, a.example]", key, final=True), name="upper", rank="district"),
        source(setting("[a.example, c.example]", key), name="lower"),
    )
    assert value(policy, key) == ["b.example", "a.example", "c.example"]


def test_to_close_the_whole_web_is_tighter_than_any_list() -> None:
    key = "browser.blocked-sites"
    closed, some = kinds.settings()[key], ["a.example", "b.example"]
    assert closed.tighter(["*"], some)
    assert not closed.tighter(some, ["*"])
    assert closed.tighter(["*", *some], ["*"])
    policy = compiled(
        source(setting("[a.example]", key, final=True), name="upper", rank="district"),
        source(setting('["*"]', key), name="exam", rank="class"),
    )
    assert value(policy, key) == ["a.example", "*"]


def test_whoever_makes_open_sites_final_keeps_the_others_closed() -> None:
    key = "browser.allowed-sites"
    one, more = setting("[exam.example]", key), setting("[games.example]", key)
    lower = source(more, name="lower", rank="class")
    policy = compiled(source(one, name="upper"), lower)
    assert value(policy, key) == ["exam.example", "games.example"]
    policy = compiled(source(setting("[exam.example]", key, final=True), name="upper"), lower)
    assert value(policy, key) == ["exam.example"]
    assert lost(policy, key) == ["upper made its value final, and this would not be tighter"]
    opened = kinds.settings()[key]
    assert opened.tighter(["a.example"], ["a.example", "b.example"])
    assert not opened.tighter(["c.example"], ["a.example", "b.example"])


def test_final_bookmarks_take_no_more() -> None:
    key = "browser.bookmarks"
    one, two = "[{name: A, url: https://a.example/}]", "[{name: B, url: https://b.example/}]"
    upper = source(setting(one, key, final=True), name="upper", rank="district")
    policy = compiled(upper, source(setting(two, key), name="lower"))
    assert [entry["name"] for entry in value(policy, key)] == ["A"]  # type: ignore[attr-defined]


def test_a_joined_list_has_a_limit_and_the_farther_rank_keeps_its_place() -> None:
    key = "browser.blocked-sites"

    def many(letter: str) -> str:
        return "[" + ", ".join(f"{letter}{number}.example" for number in range(600)) + "]"

    policy = compiled(
        source(setting(many("a"), key), name="upper", rank="district"),
        source(setting(many("b"), key), name="lower"),
    )
    assert len(value(policy, key)) == 600  # type: ignore[arg-type]
    assert lost(policy, key) == ["the joined list would have more than 1000 entries"]


def test_equal_ranks_that_contradict_are_reported_and_the_first_by_id_holds() -> None:
    for documents in permutations([home("aa", "school", "first"), home("bb", "school", "second")]):
        policy = compiled(*documents)
        assert value(policy) == "https://first.example/"
        assert [row["subject"] for row in policy.conflicts] == ["browser.homepage"]
        assert "aa comes first by name and holds" in policy.conflicts[0]["message"]


def test_equal_ranks_that_agree_are_no_conflict() -> None:
    policy = compiled(home("aa", "school", "same"), home("bb", "school", "same"))
    assert not policy.conflicts
    assert len(policy.settings["browser.homepage"]["origins"]) == 2  # type: ignore[arg-type]


# -- targeting


@pytest.mark.parametrize(
    ("applies_to", "expected"),
    [
        ({}, True),
        ({"school": ("north-high",)}, True),
        ({"school": ("south", "north-high")}, True),
        ({"school": ("south",)}, False),
        ({"school": ("north-high",), "year": ("9",)}, True),
        ({"school": ("north-high",), "year": ("10",)}, False),
        ({"class": ("9a", "9b")}, True),
        ({"device": ("lap-1",)}, True),
        ({"device": (DEVICE.device,)}, True),
        ({"device": ("lap-2",)}, False),
    ],
)
def test_lists_are_or_and_keys_are_and(applies_to: dict[str, tuple[str, ...]], expected: bool) -> None:
    assert meant(applies_to, DEVICE) is expected


def test_a_device_that_is_nothing_yet_is_meant_by_no_group() -> None:
    nobody = DeviceFacts(site="north", device="e" * 32)
    assert meant({}, nobody)
    assert not meant({"school": ("",)}, nobody)
    assert not meant({"year": ("9",)}, nobody)


# -- observe


def test_an_observed_policy_is_compiled_beside_and_enforces_nothing() -> None:
    watched = source(setting("https://b.example/"), name="watched", rank="device", more="mode: observe\n")
    policy = compiled(home("real", "school", "a"), watched)
    assert value(policy) == "https://a.example/"
    assert policy.settings["browser.homepage (observed)"]["value"] == "https://b.example/"
    assert [(item.id, item.observe_only) for item in policy.items()] == [
        ("chromium:homepage", False),
        ("firefox:policies", False),
        *((copy, False) for copy in COPIES),
        ("chromium:homepage", True),
        ("firefox:policies", True),
        *((copy, True) for copy in COPIES),
    ]
    assert [row["mode"] for row in policy.policies] == [Mode.ENFORCE, Mode.OBSERVE]


def telling(name: str, rank: str, records: str, *, final: bool = False) -> Source:
    return source(setting(records, "telemetry.records", final), name=name, rank=rank)


def test_of_reports_only_what_every_rank_names_is_made() -> None:
    everything, health, off = "[compliance, health]", "[health]", "off"
    for final in (False, True):
        for given, held in (
            ((everything,), ["compliance", "health"]),
            ((everything, health), ["health"]),
            ((health, everything), ["health"]),
            ((health, "[compliance]"), []),
            ((everything, off), []),
            ((off, everything), []),
            ((everything, health, off), []),
        ):
            ranks = zip(RANKS, given, strict=False)
            policy = compiled(*(telling(f"p-{rank}", rank, one, final=final) for rank, one in ranks))
            assert value(policy, "telemetry.records") == held, given
