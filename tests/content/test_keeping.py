"""What is kept where there is not room for everything: the rule, as a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.content.keeping import LATELY, LEAST_FREE, Standing, decide, room
from agent.content.wishes import Wish

TODAY = "2027-03-01"


def wish(name: str, stored: int = 100, *, pin: bool = False, due: str = "") -> Wish:
    return Wish(name, "maths", "0" * 64, 0, stored, stored, 1, {"en": name}, "site", pin=pin, due=due)


PLAIN, PINNED = wish("plain"), wish("pinned", pin=True)
SOON, SOONER = wish("soon", due="2027-03-14"), wish("sooner", due="2027-03-02")
OVERDUE, FAR = wish("overdue", due="2027-02-28"), wish("far", due="2027-06-01")
LARGE, SMALL = wish("large", 900), wish("small", 10)
HERE = {"maths.plain": Standing(here=100)}


@pytest.mark.parametrize(
    ("wishes", "standings", "order"),
    [
        ([PLAIN, PINNED], {}, ["pinned", "plain"]),
        ([SOON, SOONER, PINNED], {}, ["pinned", "sooner", "soon"]),
        ([OVERDUE, SOON, FAR], {}, ["soon", "far", "overdue"]),  # what is over is as if it had no date
        ([PLAIN, SOON], {"maths.plain": Standing(100, opened=60)}, ["soon", "plain"]),
        ([SMALL, PLAIN], {"maths.plain": Standing(100, opened=60)}, ["plain", "small"]),
        ([SMALL, PLAIN], {"maths.plain": Standing(0, opened=LATELY + 1)}, ["small", "plain"]),
        ([SMALL, PLAIN], HERE, ["plain", "small"]),  # what is here stays
        ([SMALL, LARGE], {}, ["small", "large"]),
        (
            [SMALL, LARGE],
            {"maths.small": Standing(here=10), "maths.large": Standing(here=900)},
            ["large", "small"],  # dear to fetch again
        ),
        ([PINNED, PLAIN], {"maths.plain": Standing(asked=True)}, ["plain", "pinned"]),
        ([wish("b"), wish("a")], {}, ["a", "b"]),
        ([wish("odd", due="1 March"), PLAIN], {}, ["odd", "plain"]),
    ],
)
def test_what_is_worth_more_comes_first(
    wishes: list[Wish], standings: dict[str, Standing], order: list[str]
) -> None:
    kept = decide(wishes, standings, 10_000, TODAY)
    assert kept.order == tuple(f"maths.{name}" for name in order)
    assert decide(wishes[::-1], standings, 10_000, TODAY) == kept


def test_what_does_not_fit_says_how_much_it_lacks_and_what_is_smaller_still_comes() -> None:
    kept = decide([PINNED, LARGE, SMALL], {}, 150, TODAY)
    assert kept.order == ("maths.pinned", "maths.small")
    assert kept.lacking == {"maths.large": 900 - 40}


def test_the_older_version_stays_where_the_new_one_does_not_fit() -> None:
    kept = decide([LARGE], {"maths.large": Standing(former=300)}, 500, TODAY)
    assert kept.order == ()
    assert kept.staying == {"maths.large"}
    assert decide([LARGE], {"maths.large": Standing(former=600)}, 500, TODAY).staying == set()


def test_without_a_date_nothing_is_due() -> None:
    assert decide([SOON, wish("a")], {}, 1000, "").order == ("maths.a", "maths.soon")


@pytest.mark.parametrize(
    ("quota", "share", "used", "free", "expected"),
    [
        (0, 50, 0, 20 << 30, 10 << 30),
        (0, 50, 10 << 30, 10 << 30, 10 << 30),  # what it takes counts as free: it does not creep
        (0, 90, 0, 10 << 30, 8 << 30),  # the disk keeps its two GiB
        (5 << 30, 50, 0, 100 << 30, 5 << 30),
        (50 << 30, 50, 0, 10 << 30, 8 << 30),
        (0, 50, 0, 1 << 30, 0),
        (0, 50, 1 << 30, 0, 0),
    ],
)
def test_the_room(quota: int, share: int, used: int, free: int, expected: int) -> None:
    assert room(quota, share, used, free) == expected


@given(
    st.lists(st.tuples(st.integers(0, 500), st.booleans(), st.integers(0, 500)), max_size=12),
    st.integers(0, 2000),
)
def test_never_more_than_there_is_room_for(items: list[tuple[int, bool, int]], space: int) -> None:
    wishes = [wish(f"w{number}", stored, pin=pin) for number, (stored, pin, _) in enumerate(items)]
    standings = {one.key: Standing(former=items[number][2]) for number, one in enumerate(wishes)}
    kept = decide(wishes, standings, space, TODAY)
    sizes = {one.key: one.stored for one in wishes}
    taken = sum(sizes[key] for key in kept.order) + sum(standings[key].former for key in kept.staying)
    assert taken <= space
    assert set(kept.order) | set(kept.lacking) == set(sizes)
    assert kept.staying <= set(kept.lacking)


def test_the_disk_keeps_some_room() -> None:
    assert LEAST_FREE >= 1 << 30
