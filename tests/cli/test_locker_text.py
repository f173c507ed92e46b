"""Right-to-left text and small alphabets, as the locker draws them on a console that knows neither."""

from __future__ import annotations

import pytest

from agent.cli.locker.bidi import is_right_to_left, join, visual
from agent.cli.locker.entry import Entry
from agent.cli.locker.glyphs import can_show, plain, width
from agent.cli.locker.keys import Keys
from agent.cli.locker.screen import wrap
from agent.cli.locker.session import moment, span
from agent.cli.locker.words import DEFAULT, WORDS

#: (text, from the right?, as it is drawn): the results of the reference algorithm (UAX #9), for Hebrew, which
#: needs no joining, and for Arabic after it.
DRAWN = [
    ("abc", False, "abc"),
    ("abc!", True, "!abc"),
    ("אבג", False, "גבא"),
    ("אבג!", True, "!גבא"),
    ("אבג!", False, "גבא!"),
    ("אבג (12) abc", True, "abc (12) גבא"),
    ("abc אבג 12", False, "abc 12 גבא"),
    ("12:30 אבג", True, "גבא 12:30"),
    ("אבג 12,30 % ד", True, "ד % 12,30 גבא"),
    ("א <ב> [ג]", True, "[ג] <ב> א"),
    ("אב ict@north.example גד", True, "דג ict@north.example בא"),
    ("אב   ", True, "   בא"),
    ("-5 א +7", True, "7+ א 5-"),
    ("٣-٢ א", True, "א ٢-٣"),
    ("a ٣/٢ b", False, "a ٣/٢ b"),
    ("", True, ""),
]


@pytest.mark.parametrize(("text", "right_to_left", "drawn"), DRAWN)
def test_lines_are_drawn_in_the_order_of_the_eye(text: str, right_to_left: bool, drawn: str) -> None:
    assert visual(text, right_to_left=right_to_left) == drawn


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("سلام", "\ufeb3\ufefc\ufee1"),  # seen, lam and alef as one, meem
        ("لا", "\ufefb"),
        ("قفل", "\ufed7\ufed4\ufede"),
        ("هذا", "\ufeeb\ufeac\ufe8d"),
        ("دار", "\ufea9\ufe8d\ufead"),  # none of them reaches for the next
        ("مُقْفَل", "\ufee3\ufed8\ufed4\ufede"),  # without the marks
        ("ء", "\ufe80"),
        ("ب\u200cب", "\ufe91\ufe90"),
        ("بـ", "\ufe91\u0640"),
        ("گچپی", "\ufb94\ufb7d\ufb59\ufbfd"),  # Persian letters
        ("abc 12", "abc 12"),
    ],
)
def test_letters_have_the_form_that_their_neighbours_ask_for(text: str, joined: str) -> None:
    assert join(text) == joined


@pytest.mark.parametrize(
    ("text", "expected"),
    [("abc אבג", False), ("12 אבג abc", True), ("(سلام)", True), ("12:30", False), ("", False)],
)
def test_a_paragraph_runs_as_its_first_letter_does(text: str, expected: bool) -> None:
    assert is_right_to_left(text) is expected


def test_every_language_says_everything_and_reads_in_one_direction() -> None:
    for code, words in WORDS.items():
        assert words.keys() == WORDS[DEFAULT].keys(), code
        assert all(is_right_to_left(text) == (code == "ar") for text in words.values()), code


def latin(char: str) -> bool:
    return char.isprintable() and ord(char) < 0x250


def test_what_an_alphabet_lacks_is_replaced_by_its_like_or_not_shown() -> None:
    assert plain("l’école… — „x“", lambda char: char.isascii()) == "l'ecole... - „x\""
    assert plain("l’école", latin) == "l'école"
    assert can_show("l’école", latin) and not can_show("سلام", latin) and not can_show("школа", latin)


def test_words_are_wrapped_whole_and_long_ones_cut() -> None:
    assert wrap("one two three", 7) == ("one two", "three")
    assert wrap("abcdefghij kl", 4) == ("abcd", "efgh", "ij", "kl")
    assert wrap("one\n\ntwo", 9) == ("one", "", "two")
    assert wrap("אב גד הו", 5) == ("דג בא", "   וה"), "from the right"
    assert wrap("", 5) == ("",)
    assert all(width(line) <= 10 for line in wrap("漢字" * 40, 10))


def test_time_is_told_in_figures() -> None:
    assert [span(seconds) for seconds in (0, 9, 60, 754, 3600, 45_296)] == [
        *("0:00", "0:09", "1:00", "12:34", "1:00:00", "12:34:56")
    ]
    assert len(moment(0)) == 16
    assert moment(1 << 60) == "?"


def test_the_entry_takes_ten_characters_of_an_answer() -> None:
    entry = Entry()
    for char in "o i-l\u00a0\u2010\uff15٣ K":
        entry.type(char)
    assert (entry.typed, entry.shown(), entry.column) == ("01153K", "01153 K____", 7)
    for char in "U#\ud800\u0301é":
        entry.type(char)
        assert entry.typed == "01153K"
    for _ in range(9):
        entry.type("7")
    assert (entry.typed, entry.whole, entry.column) == ("01153K7777", True, 10)
    entry.back()
    assert (entry.typed, entry.whole) == ("01153K777", False)


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"aB\r\n\x7f\x08\x15\x0c", ["a", "B", "enter", "enter", "back", "back", "clear", "redraw"]),
        (b"\x1b[A\x1bOPx\x1b[[Ay\x1b[15~z\x1b[1;5Dw", ["x", "y", "z", "w"]),
        (b"\x1bxK", ["K"]),
        (b"\x1b\x1b\x1b[AK", ["K"]),
        ("ä٣".encode(), ["ä", "٣"]),
        (b"\xff\xfe", ["�", "�"]),
        (b"\x00\x01\x03\x04\x1a\x1c\x9b", ["�"]),
        (b"\x1b[" + b"1" * 40 + b"K", [*"1" * 25, "K"]),
    ],
)
def test_keys_are_what_means_something(data: bytes, keys: list[str]) -> None:
    assert list(Keys().feed(data)) == keys
    pieces = Keys()
    assert [key for at in range(len(data)) for key in pieces.feed(data[at : at + 1])] == keys, "byte by byte"


def test_a_lone_escape_is_forgotten() -> None:
    keys = Keys()
    assert list(keys.feed(b"\x1b")) == []
    keys.idle()
    assert list(keys.feed(b"K")) == ["K"]
