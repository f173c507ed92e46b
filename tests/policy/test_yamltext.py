"""Strict YAML: what is read, what is refused, and that every refusal says where."""

from __future__ import annotations

import time

import pytest

from agent.core.errors import BookbagError
from agent.policy.syntax.nodes import Mapping, Scalar, Sequence
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.yamltext import MAX_BYTES, load, read
from tests.policy.plain import plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: no", {"a": "no"}),
        ("a: yes", {"a": "yes"}),
        ("a: off", {"a": "off"}),
        ("a: true", {"a": True}),
        ("a: False", {"a": False}),
        ("a: ~", {"a": None}),
        ("a:", {"a": None}),
        ("a: null", {"a": None}),
        ("a: 10", {"a": 10}),
        ("a: -7", {"a": -7}),
        ("a: 0", {"a": 0}),
        ("a: '0644'", {"a": "0644"}),
        ('a: "22:30"', {"a": "22:30"}),
        ('a: "1.10"', {"a": "1.10"}),
        ("a: 10m", {"a": "10m"}),
        ("a: 9b", {"a": "9b"}),
        ("a: 192.0.2.7x", {"a": "192.0.2.7x"}),
        ("a: https://x.example/", {"a": "https://x.example/"}),
        ("a: [1, b, {c: d}]", {"a": [1, "b", {"c": "d"}]}),
        ("a: |\n  x\n  y\n", {"a": "x\ny\n"}),
        ("no: 1", {"no": 1}),
        ("\ufeffa: 1", {"a": 1}),
        ("# words\n---\na: مدرسة\n...\n", {"a": "مدرسة"}),
    ],
)
def test_what_is_read(text: str, value: object) -> None:
    assert plain(load(text.encode(), "f.yaml")) == value


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: &x 1", "1:4", "an anchor (&x)"),
        ("a: 1\nb: *x", "2:4", "an alias"),
        ("a: !!str 1", "1:4", "a tag"),
        ("a: ! 1", "1:4", "a tag"),
        ("a: {<<: {b: 1}}", "1:5", "a merge key"),
        ("%YAML 1.1\n---\na: 1", "1:1", "a directive"),
        ("a: 1\n---\nb: 1", "2:1", "a second document"),
        ("a: 1\nb: 2\na: 3", "3:1", "the key 'a' twice: it is already on line 1"),
        ("a: 1\n'a': 3", "2:1", "the key 'a' twice"),
        ("1: a", "1:1", "1 as a key"),
        ("true: a", "1:1", "true as a key"),
        ("~: a", "1:1", "nothing as a key"),
        ("? [a]\n: 1", "1:3", "as a key"),
        ("{a: 1}: b", "1:1", "as a key"),
        ("a: 0644", "1:4", "leading zero"),
        ("a: 00", "1:4", "leading zero"),
        ("a: 0o17", "1:4", "plain decimal"),
        ("a: 0x1F", "1:4", "plain decimal"),
        ("a: 22:30", "1:4", "this time"),
        ("a: 1:02:03", "1:4", "this time"),
        ("a: 2027-08-01", "1:4", "a date"),
        ("a: 1.5", "1:4", "a fraction"),
        ("a: .5", "1:4", "a fraction"),
        ("a: 1e3", "1:4", "exponent"),
        ("a: .nan", "1:4", "not a number"),
        ("a: -.inf", "1:4", "not a number"),
        ("a: 1.10.2", "1:4", "version"),
        ("a: 1_000", "1:4", "without separators"),
        ("a: 9999999999999999999", "1:4", "more than 18 digits"),
        ("a: b: c", "1:5", "mapping values are not allowed"),
        ("a: [1", "2:1", "while parsing a flow sequence"),
        ("a:\n\tb: 1", "2:1", "indented with a tab"),
        ("a:\n  b: 1\n \tc: 1", "3:2", "indented with a tab"),
        ("a:\n  @b: 1", "2:3", "cannot start any token"),
        ("a: 'x", "1:4", "never closed"),
        ('a: 1\nb: "x\nc: 1\nd: 2', "2:4", "never closed"),
        ("a: \x07", "1:4", "a control character"),
        ("ä: ü\nb: \x1b", "2:4", "a control character"),
        ("a: x\u2028y", "1:5", "U+2028"),
        ("", "1:1", "an empty document"),
        ("# only words", "1:1", "an empty document"),
    ],
)
def test_what_is_refused(text: str, place: str, words: str) -> None:
    with pytest.raises(BookbagError) as caught:
        load(text.encode() + b"\n" * (not text.endswith("\n") and bool(text)), "f.yaml")
    assert caught.value.code == "bad-yaml"
    assert caught.value.place == f"f.yaml:{place}"
    assert words in caught.value.message
    assert caught.value.remedy


def test_bytes_that_are_no_text_are_placed() -> None:
    with pytest.raises(BookbagError) as caught:
        load("ä: 1\nbé: ".encode() + b"\xff\n", "f.yaml")
    assert caught.value.place == "f.yaml:2:6"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"[" * MAX_BYTES, "deeper than 20"),
        (b"{a: " * 9000, "deeper than 20"),
        (b"- " * 9000, "deeper than 20"),
        (b"a: [" + b"1," * 12_000 + b"]", "more than 10000 values"),
        (b"a: x" + b"y" * MAX_BYTES, "65536 is the most"),
        (b"&a [" * 30, "deeper than 20"),
    ],
)
def test_bombs_end_early(data: bytes, words: str) -> None:
    begun = time.process_time()
    problems = Problems()
    read(data, "f.yaml", problems)
    assert problems.errors[-1].code == "too-large"
    assert words in problems.errors[-1].message
    assert time.process_time() - begun < 1


def test_twenty_levels_and_ten_thousand_values_are_fine() -> None:
    deep = load(b"[" * 20 + b"]" * 20, "f.yaml")
    assert isinstance(deep, Sequence)
    wide = load(b"[" + b"1," * 9_000 + b"]", "f.yaml")
    assert isinstance(wide, Sequence)
    assert len(wide.items) == 9_000


def test_all_errors_are_collected_in_one_reading() -> None:
    problems = Problems()
    tree = read(b"a: 0644\nb: &x 22:30\nb: *x\nc: fine\n", "f.yaml", problems)
    assert [error.place for error in problems.errors] == [
        "f.yaml:1:4", "f.yaml:2:4", "f.yaml:2:4", "f.yaml:3:1", "f.yaml:3:4",
    ]  # fmt: skip
    assert isinstance(tree, Mapping)
    assert plain(tree)["c"] == "fine"


def test_thousands_of_errors_stop_at_two_hundred() -> None:
    problems = Problems()
    read(b"".join(b"k%d: 0644\n" % n for n in range(4000)), "f.yaml", problems)
    assert len(problems.errors) == 200


def test_places_count_characters_from_one() -> None:
    tree = load("ключ:\n  - {a: 'é', b: 7}\n".encode(), "f.yaml")
    assert isinstance(tree, Mapping)
    inner = tree.get("ключ")
    assert isinstance(inner, Sequence)
    record = inner.items[0]
    assert isinstance(record, Mapping)
    number = record.get("b")
    assert isinstance(number, Scalar)
    assert (number.place.line, number.place.column, number.value) == (2, 17, 7)
