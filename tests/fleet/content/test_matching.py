"""What two versions of a file share: always true, and found for the edits that people make."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.fleet.content.matching import runs

NOISE = random.Random(7).randbytes(3 << 20)


def rebuilt(old: bytes, new: bytes) -> tuple[bytes, int]:
    """``new`` put together again from what is shared and what is not; and how much is not."""
    made, fresh, at = b"", 0, 0
    for run in runs(old, new):
        assert run.new >= at, "runs are in order and do not overlap"
        assert run.length > 0
        fresh += run.new - at
        made += new[at : run.new] + old[run.old : run.old + run.length]
        at = run.new + run.length
    return made + new[at:], fresh + len(new) - at


def replaced(data: bytes, at: int, with_: bytes) -> bytes:
    return data[:at] + with_ + data[at + len(with_) :]


@pytest.mark.parametrize(
    ("edit", "most"),
    [
        (lambda old: old, 0),
        (lambda old: old + b"more", 4),
        (lambda old: b"before" + old, 6),
        (lambda old: old[:1000] + b"inserted here" + old[1000:], 13),
        (lambda old: old[:1000] + old[500_000:], 0),
        (lambda old: old[: 1 << 20] + random.Random(1).randbytes(1 << 20) + old[1 << 20 :], 1 << 20),
        (lambda old: replaced(old, 2 << 20, bytes(40_960)), 41_100),
        (lambda old: replaced(replaced(old, 1000, b"x" * 10), 2_000_000, b"y" * 100), 200),
        (lambda old: old[: 1 << 20], 0),
    ],
)
def test_edits_cost_what_was_edited(edit: Callable[[bytes], bytes], most: int) -> None:
    new = edit(NOISE)
    made, fresh = rebuilt(NOISE, new)
    assert made == new
    assert fresh <= most


def test_fifty_places_of_a_large_file_cost_little_more_than_they_hold() -> None:
    old = random.Random(3).randbytes(20 << 20)
    new = old
    spot = random.Random(4)
    for number in range(50):
        new = replaced(new, number * 400_000 + spot.randrange(300_000), spot.randbytes(4096))
    made, fresh = rebuilt(old, new)
    assert made == new
    assert fresh <= 1.02 * 50 * 4096


def test_what_shares_nothing_is_all_new() -> None:
    made, fresh = rebuilt(random.Random(1).randbytes(100_000), random.Random(2).randbytes(100_000))
    assert fresh == len(made)


_PARTS = st.lists(
    st.sampled_from([b"", b"a" * 300, b"b" * 500, b"ab" * 200, NOISE[:700], NOISE[9000:9900]]), max_size=8
)


@settings(max_examples=300, deadline=None)
@given(_PARTS.map(b"".join), _PARTS.map(b"".join))
def test_whatever_the_two_are_the_new_one_comes_out(old: bytes, new: bytes) -> None:
    made, _ = rebuilt(old, new)
    assert made == new
