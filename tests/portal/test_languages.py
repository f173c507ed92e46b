"""Languages: whole, chosen by who reads, each text in its own direction."""

from __future__ import annotations

import re

import pytest

from agent.policy import kinds
from agent.policy.bases.worded import Worded
from agent.portal.languages import asked, choose, codes, direction, language, pick

OTHERS = [code for code in codes() if code != "en"]


def names(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_english_comes_first_and_arabic_is_there() -> None:
    assert codes()[0] == "en" and "ar" in codes()


@pytest.mark.parametrize("code", OTHERS)
def test_a_language_is_whole_and_fills_in_the_same_names(code: str) -> None:
    english, other = language("en").texts, language(code).texts
    assert set(other) == set(english)
    assert not [key for key in english if names(english[key]) != names(other[key])]
    assert len(language(code).months) == 12 and language(code).direction in ("ltr", "rtl")
    assert not [key for key, text in other.items() if not text.strip()]


@pytest.mark.parametrize("code", codes())
def test_every_setting_there_is_has_a_name(code: str) -> None:
    missing = [f"setting.{key}" for key in kinds.settings() if f"setting.{key}" not in language(code).texts]
    assert not missing, f"add {missing} to agent/portal/languages/{code}/settings.py"


@pytest.mark.parametrize("code", codes())
def test_every_word_of_a_setting_is_said_in_every_language(code: str) -> None:
    texts = language(code).texts
    words = [
        (key, word) for key, one in kinds.settings().items() if isinstance(one, Worded) for word in one.words
    ]
    assert len(words) > 20
    assert not [one for one in words if not {f"setting.{one[0]}.{one[1]}", f"word.{one[1]}"} & set(texts)]


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "en"),
        ("ar", "ar"),
        ("ar-EG,ar;q=0.9,en;q=0.1", "ar"),
        ("fr, ar;q=0.4, en;q=0.5", "en"),
        ("xx", "en"),
        ("ar;q=0", "en"),
        (", ;q=, ar;q=x, *", "en"),
        ("AR", "ar"),
        ("../../etc/passwd", "en"),
        ("en" * 5000, "en"),
    ],
)
def test_accept_language(header: str, code: str) -> None:
    assert choose(asked(header)).code == code


def test_at_most_twenty_are_looked_at() -> None:
    assert len(asked(",".join(["ar"] * 500))) == 20


def test_a_reason_is_given_in_the_readers_language_or_the_next_best() -> None:
    why = {"en": "English", "pt": "Português", "ar": "عربي"}
    assert pick(why, ("pt-br", "ar")) == ("pt", "Português")
    assert pick(why, ("fr",)) == ("en", "English")
    assert pick({"fr": "Français"}, ("ar",)) == ("fr", "Français")
    assert pick({}, ("ar",)) == ("", "") == pick({"en": 7, "ar": ""}, ("en",))


@pytest.mark.parametrize(
    ("code", "way"),
    [
        *(("ar", "rtl"), ("fa-IR", "rtl"), ("ur", "rtl"), ("en", "ltr"), ("pa-Arab", "rtl"), ("pa", "ltr")),
        *(("az-Latn", "ltr"), ("", "auto"), ("<b>", "auto"), ("ar-Latn", "ltr")),
    ],
)
def test_direction_follows_the_language_or_its_script(code: str, way: str) -> None:
    assert direction(code) == way


def test_a_text_that_is_missing_is_said_in_english() -> None:
    arabic = language("ar")
    assert arabic.maybe("outcome.newer-than-us", "newer-than-us") == "newer-than-us"
    with pytest.raises(KeyError):
        arabic("no.such.text")
