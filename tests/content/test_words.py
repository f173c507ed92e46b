"""The normaliser of search: what people type finds what is written, in any script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.content.words import MOST_TEXT, fold, words


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("Élève", "eleve"),
        ("ﬁnal", "final"),  # a ligature
        ("\uff26ull", "full"),  # full width
        ("Straße", "STRASSE"),
        ("Łódź", "lodz"),
        ("Cœur", "coeur"),
        ("İstanbul", "istanbul"),
        ("الكُسُورُ", "كسور"),  # harakat, and the article
        ("الكـــسور", "الكسور"),  # tatweel
        ("إسلام", "اسلام"),  # hamza below
        ("آداب", "اداب"),  # madda
        ("مدرسة", "مدرسه"),  # ta marbuta
        ("على", "علي"),  # alef maksura
        ("کتابی", "كتابي"),  # Farsi keheh and yeh
        ("می‌خواهم", "میخواهم"),  # zero-width non-joiner
        ("۱۲۳", "123"),
        ("٤٥", "45"),
        ("Việt", "viet"),
        ("Ёлка", "елка"),
        ("Ὀδύσσεια", "οδυσσεια"),
    ],
)
def test_what_is_typed_is_what_is_written(written: str, typed: str) -> None:
    assert words(written) == words(typed) != []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("か", "が"),  # another sound, not another accent
        ("क", "क़"),
        ("ملك", "ملكي"),
        ("halves", "halve"),
    ],
)
def test_what_differs_stays_different(one: str, other: str) -> None:
    assert words(one) != words(other)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("東京大学", ["東京", "京大", "大学"]),
        ("水", ["水"]),
        ("Python入門", ["python", "入門"]),
        ("ภาษา", ["ภา", "าษ", "ษา"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("C++ & C#", ["c", "c"]),
        ("snake_case", ["snake", "case"]),
        ("", []),
        ("…—!", []),
    ],
)
def test_words_are_cut_where_each_script_cuts_them(text: str, found: list[str]) -> None:
    assert words(text) == found


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    once = fold(text)
    assert words(once[:MOST_TEXT]) == words(text) or len(once) > MOST_TEXT
    assert all(word for word in words(text))


def test_a_long_text_is_looked_at_up_to_a_bound() -> None:
    assert len(fold("a" * 10 * MOST_TEXT)) == MOST_TEXT
