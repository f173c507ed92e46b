"""What may cut the laptop off: the rules as a table, then over generated histories."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.policy.enforcement.confirm import (
    APPLIED,
    CONTESTED,
    FRESH_S,
    GRACE_S,
    KEPT,
    MISSES,
    PAUSE_S,
    REVERTED,
    REVERTS,
    Contact,
    Trial,
    begun,
    judged,
)

AT = 1_800_000_000
ON_TRIAL = Trial("d", APPLIED, AT, AT + GRACE_S, reachable_before=True)
MISSED = replace(ON_TRIAL, missed=MISSES, heard_at=AT + 200)
UNSEEN = replace(MISSED, reachable_before=False)
BACK = Trial("d", REVERTED, AT, AT + PAUSE_S, reachable_before=True, missed=MISSES, reverts=1)
LATE = GRACE_S + 1


@pytest.mark.parametrize(
    ("trial", "contact", "linked", "after", "stage"),
    [
        (ON_TRIAL, (5, True), True, 6, KEPT),
        (ON_TRIAL, (5, True), False, 6, KEPT),  # it was reached; that the link went since says nothing
        (MISSED, (LATE, True), True, LATE, KEPT),
        (UNSEEN, (LATE, True), True, LATE, KEPT),
        (ON_TRIAL, None, True, LATE, APPLIED),  # nobody tried
        (ON_TRIAL, (0, True), True, 6, APPLIED),  # it began before this was applied
        (ON_TRIAL, (-9, False), True, LATE, APPLIED),
        (ON_TRIAL, (5, False), True, LATE, APPLIED),  # once is nothing
        (MISSED, None, True, GRACE_S - 1, APPLIED),  # it still has time
        (MISSED, None, True, GRACE_S, REVERTED),
        (MISSED, (LATE, False), True, LATE, REVERTED),
        (MISSED, None, False, 99 * LATE, APPLIED),  # the cable is pulled
        (UNSEEN, (LATE, False), True, 99 * LATE, APPLIED),  # it was out of reach before
        (replace(MISSED, reverts=REVERTS - 1), None, True, LATE, CONTESTED),
        (BACK, (5, True), True, PAUSE_S - 1, REVERTED),
        (BACK, (PAUSE_S, False), True, PAUSE_S, REVERTED),  # out of reach all the same
        (BACK, (PAUSE_S, True), True, PAUSE_S, APPLIED),
        (replace(BACK, stage=CONTESTED), (9 * PAUSE_S, True), True, 9 * PAUSE_S, CONTESTED),
        (replace(ON_TRIAL, stage=KEPT), (LATE, False), True, 99 * LATE, KEPT),  # an outage of later days
    ],
)
def test_the_table(
    trial: Trial, contact: tuple[int, bool] | None, *, linked: bool, after: int, stage: str
) -> None:
    heard = Contact(AT + contact[0], contact[1]) if contact else None
    assert judged(trial, heard, linked=linked, now=AT + after).stage == stage


def test_each_contact_counts_once_and_only_while_there_is_a_link() -> None:
    trial = ON_TRIAL
    for after, linked, missed in ((5, True, 1), (5, True, 1), (6, False, 1), (7, True, 2)):
        trial = judged(trial, Contact(AT + after, good=False), linked=linked, now=AT + after)
        assert trial.missed == missed


@pytest.mark.parametrize(
    ("contact", "linked", "reachable"),
    [
        (Contact(AT - 5, good=True), True, True),
        (Contact(AT - FRESH_S - 1, good=True), True, False),
        (Contact(AT - 5, good=False), True, False),
        (Contact(AT - 5, good=True), False, False),
        (None, True, False),
    ],
)
def test_within_reach_before_is_a_contact_of_the_last_hour(
    contact: Contact | None, *, linked: bool, reachable: bool
) -> None:
    made = begun(None, "d", contact, linked=linked, healing=False, now=AT)
    assert made == Trial("d", APPLIED, AT, AT + GRACE_S, reachable)


def test_what_was_kept_is_healed_without_a_trial_and_what_is_new_is_tried() -> None:
    kept = replace(ON_TRIAL, stage=KEPT)
    contact, now = Contact(AT + 90, good=True), AT + 100
    fresh = Trial("d", APPLIED, now, now + GRACE_S, reachable_before=True)
    assert begun(kept, "d", contact, linked=True, healing=True, now=now) is kept
    never_there = begun(kept, "d", contact, linked=True, healing=False, now=now)
    assert never_there == fresh, "it was kept without having been there"
    other = begun(kept, "other", contact, linked=True, healing=True, now=now)
    assert other == replace(fresh, digest="other")
    contested = replace(BACK, stage=CONTESTED, reverts=REVERTS)
    assert begun(contested, "e", contact, linked=True, healing=False, now=now) == replace(fresh, digest="e")


def test_applied_again_it_has_its_whole_time_again_and_keeps_what_was_known_before() -> None:
    again = begun(replace(MISSED, reverts=1), "d", None, linked=True, healing=False, now=AT + LATE)
    assert again == Trial("d", APPLIED, AT + LATE, AT + LATE + GRACE_S, True, 0, 1, MISSED.heard_at)


def test_a_clock_that_went_back_gives_it_its_time_anew() -> None:
    earlier = judged(MISSED, Contact(AT - 50, good=False), linked=True, now=AT - 40)
    assert (earlier.stage, earlier.applied_at, earlier.deadline) == (APPLIED, AT - 40, AT - 40 + GRACE_S)
    assert judged(earlier, Contact(AT - 30, good=True), linked=True, now=AT - 20).stage == KEPT


def test_a_clock_that_jumps_ahead_takes_nothing_back_by_itself() -> None:
    year = 365 * 86400
    assert judged(ON_TRIAL, None, linked=True, now=AT + year).stage == APPLIED
    one = judged(ON_TRIAL, Contact(AT + year, good=False), linked=True, now=AT + year)
    assert (one.stage, one.missed) == (APPLIED, 1)


events = st.lists(st.tuples(st.integers(1, 4000), st.booleans(), st.booleans()), max_size=60)


@given(events)
def test_without_a_link_or_an_earlier_contact_nothing_is_ever_taken_back(
    history: list[tuple[int, bool, bool]],
) -> None:
    pulled, unseen, now = ON_TRIAL, replace(ON_TRIAL, reachable_before=False), AT
    for seconds, good, linked in history:
        now += seconds
        pulled = judged(pulled, Contact(now, good=False), linked=False, now=now)
        unseen = judged(unseen, Contact(now, good=good), linked=linked, now=now)
        assert pulled.stage == APPLIED
        assert unseen.stage in (APPLIED, KEPT)


@given(events)
def test_it_is_taken_back_only_after_enough_misses_and_time_and_never_more_than_thrice(
    history: list[tuple[int, bool, bool]],
) -> None:
    trial, now, misses = ON_TRIAL, AT, 0
    for seconds, good, linked in history:
        now += seconds
        before = trial
        trial = judged(before, Contact(now, good=good), linked=linked, now=now)
        if before.stage == APPLIED:
            misses += not good and linked
            if trial.stage in (REVERTED, CONTESTED):
                assert misses >= MISSES
                assert now >= before.applied_at + GRACE_S
                assert linked
        if trial.stage == APPLIED != before.stage:
            assert good and now >= before.deadline
            misses = 0
        assert trial.reverts <= REVERTS
        assert (trial.stage == CONTESTED) == (trial.reverts == REVERTS)
