"""Codes by telephone: read in any form people give them, wrong in any other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.errors import BookbagError
from agent.trust import unlockcode
from agent.trust.unlockcode import ALPHABET, answer, opens, read_challenge, shown

KEY, DEVICE = bytes(range(32)), "ab" * 16
CHALLENGES = st.text(ALPHABET, min_size=7, max_size=7)


def test_fresh_challenges_differ_and_are_of_the_alphabet() -> None:
    found = {unlockcode.new_challenge() for _ in range(200)}
    assert len(found) == 200 and all(len(one) == 7 and set(one) <= set(ALPHABET) for one in found)


@given(CHALLENGES)
def test_a_challenge_is_read_as_people_write_it(challenge: str) -> None:
    text = shown(challenge)
    for written in (
        text,
        text.lower(),
        text.replace("-", " "),
        f" {text} ",
        text.replace("1", "l").replace("0", "o"),
    ):
        assert read_challenge(written) == challenge


@given(CHALLENGES, st.integers(0, 7), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(challenge: str, place: int, char: str) -> None:
    text = shown(challenge).replace("-", "")
    wrong = text[:place] + char + text[place + 1 :]
    if wrong != text:
        with pytest.raises(BookbagError) as error:
            read_challenge(wrong)
        assert error.value.code == "bad-argument"


@pytest.mark.parametrize("text", ["", "ABC", "ABCD-EFGHX", "UUUU-UUUU", "\x00" * 8, "ä" * 8])
def test_what_is_no_challenge_is_refused(text: str) -> None:
    with pytest.raises(BookbagError):
        read_challenge(text)


@given(CHALLENGES)
def test_the_answer_opens_and_no_other_does(challenge: str) -> None:
    code = answer(KEY, DEVICE, challenge)
    assert len(code) == 10
    assert opens(KEY, DEVICE, challenge, f"{code[:5].lower()} {code[5:]}")
    for wrong in (code[:-1], code + "0", code[::-1] if code != code[::-1] else "", "", "\U0001f512" * 10):
        assert not opens(KEY, DEVICE, challenge, wrong)


def test_another_key_device_or_challenge_has_another_answer() -> None:
    mine = answer(KEY, DEVICE, "0000000")
    others = {
        answer(bytes(32), DEVICE, "0000000"),
        answer(KEY, "cd" * 16, "0000000"),
        answer(KEY, DEVICE, "0000001"),
    }
    assert len(others) == 3 and mine not in others


def test_the_answer_is_what_the_formats_page_says() -> None:
    """Pinned: a desk of one version answers a laptop of another."""
    assert (shown("K7M2QXD"), answer(KEY, DEVICE, "K7M2QXD")) == ("K7M2-QXDH", "BJTN4N1J8M")
