"""dict ⇄ dataclass: both ways for every type, and one exact place for every mistake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core import jsontext, schema
from agent.core.errors import BookbagError


class Colour(StrEnum):
    RED = "red"
    DARK_BLUE = "dark-blue"


@dataclass(frozen=True, slots=True)
class Key:
    raw: bytes
    kind: Literal["ed25519", "x25519"] = "ed25519"


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    keys: tuple[Key, ...]
    seal_key: bytes | None = None
    from_: int = 0

    def __post_init__(self) -> None:
        if not self.id:
            raise ValueError("a person has an id")


@dataclass(frozen=True, slots=True)
class Document:
    site: str
    people: tuple[Person, ...]
    v: int = 2
    active: bool = True
    colour: Colour = Colour.RED
    limits: Mapping[str, int] = field(default_factory=dict)
    pair: tuple[str, int] = ("a", 1)
    anything: object = None
    parent: Document | None = None
    extra: Mapping[str, object] = field(default_factory=dict)


PEOPLE = st.builds(
    Person,
    id=st.text(min_size=1, max_size=5),
    keys=st.lists(
        st.builds(Key, raw=st.binary(max_size=40), kind=st.sampled_from(["ed25519", "x25519"])), max_size=3
    ).map(tuple),
    seal_key=st.none() | st.binary(max_size=5),
    from_=st.integers(-5, 5),
)
DOCUMENTS = st.builds(
    Document,
    site=st.text(max_size=5),
    people=st.lists(PEOPLE, max_size=3).map(tuple),
    active=st.booleans(),
    colour=st.sampled_from(Colour),
    limits=st.dictionaries(st.text(max_size=3), st.integers(0, 9), max_size=2),
    pair=st.tuples(st.text(max_size=2), st.integers(0, 2)),
    anything=st.none() | st.just({"free": [1, "x", None]}),
    parent=st.none() | st.just(Document("up", ())),
    extra=st.just({}) | st.just({"newer-key": [1]}),
)


@given(DOCUMENTS)
def test_a_document_survives_being_written_and_read(document: Document) -> None:
    text = jsontext.canonical(schema.encode(document))
    assert schema.decode(Document, jsontext.parse(text, what="x"), what="x", keep_unknown=True) == document


def good() -> dict[str, object]:
    return {
        "v": 2,
        "site": "north",
        "people": [
            {"id": "ann", "keys": [{"raw": "AAE="}]},
            {
                "id": "bob",
                "keys": [{"raw": "AAE="}, {"raw": "AAI=", "kind": "x25519"}],
                "seal-key": "AA==",
                "from": 3,
            },
        ],
    }


def test_names_in_text_have_hyphens_and_no_keyword_underscore() -> None:
    document = schema.decode(Document, good(), what="trust.json")
    assert document.people[1] == Person("bob", (Key(b"\0\1"), Key(b"\0\2", "x25519")), b"\0", 3)
    assert schema.encode(document.people[1])["seal-key"] == "AA=="
    assert schema.key_of("review_by") == "review-by"


def put(value: object, path: list[str | int], item: object) -> object:
    """A copy of ``value`` with ``item`` at ``path``; None as item removes the key."""
    if not path:
        return item
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        assert isinstance(value, list)
        return [put(x, rest, item) if i == step else x for i, x in enumerate(value)]
    assert isinstance(value, dict)
    return {**value, step: put(value.get(step), rest, item)}


@pytest.mark.parametrize(
    ("path", "item", "place", "why"),
    [
        ([], [1], "trust.json", "expected a mapping, found a list"),
        (["site"], 7, "trust.json: site", "expected text, found a whole number 7"),
        (["site"], None, "trust.json: site", "expected text, found null"),
        (["active"], 1, "trust.json: active", "expected true or false, found a whole number 1"),
        (
            ["people", 0, "from"],
            True,
            "trust.json: people[0].from",
            "a whole number, found true or false",
        ),
        (["people"], {}, "trust.json: people", "expected a list, found a mapping"),
        (["people", 1], "bob", "trust.json: people[1]", "expected a mapping, found text 'bob'"),
        (["people", 1, "keys", 0, "raw"], "AAE", "trust.json: people[1].keys[0].raw", "not base64"),
        (["people", 1, "keys", 0, "raw"], "AAF=", "trust.json: people[1].keys[0].raw", "canonical base64"),
        (["people", 1, "keys", 0, "raw"], "AA E=", "trust.json: people[1].keys[0].raw", "not base64"),
        (["people", 1, "keys", 0, "raw"], 3, "trust.json: people[1].keys[0].raw", "base64 text"),
        (
            ["people", 1, "keys", 1, "kind"],
            "rsa",
            "trust.json: people[1].keys[1].kind",
            "one of ed25519, x25519",
        ),
        (["people", 0, "id"], "", "trust.json: people[0]", "a person has an id"),
        (["colour"], "blue", "trust.json: colour", "one of red, dark-blue"),
        (["limits"], {"a": "b"}, "trust.json: limits.a", "expected a whole number"),
        (["limits"], {1: 1}, "trust.json: limits", "text as a key"),
        (["limits"], [], "trust.json: limits", "expected a mapping"),
        (["pair"], ["a"], "trust.json: pair", "expected a list of 2, found 1"),
        (["pair"], ["a", "b"], "trust.json: pair[1]", "expected a whole number"),
        (["parent"], {"v": 2, "site": "s"}, "trust.json: parent", "'people' is missing"),
        (["v"], "2", "trust.json: v", "version"),
        (["v"], 0, "trust.json: v", "version"),
        (["v"], True, "trust.json: v", "version"),
    ],
)
def test_each_mistake_has_one_place(path: list[str | int], item: object, place: str, why: str) -> None:
    with pytest.raises(BookbagError) as caught:
        schema.decode(Document, put(good(), path, item), what="trust.json", code="bad-config")
    assert (caught.value.code, caught.value.place) == ("bad-config", place)
    assert why in caught.value.message


def test_an_unknown_key_is_refused_with_the_nearest_valid_one() -> None:
    with pytest.raises(BookbagError) as caught:
        schema.decode(Document, put(good(), ["people", 1, "seel-key"], "AA=="), what="t")
    assert caught.value.place == "t: people[1].seel-key"
    assert caught.value.remedy == "did you mean 'seal-key'?"
    with pytest.raises(BookbagError) as caught:
        schema.decode(Document, {**good(), "zzz": 1}, what="t")
    assert caught.value.remedy.startswith("known keys: active, ")


def test_a_reader_that_keeps_unknown_keys_gives_them_back() -> None:
    newer = put({**good(), "newer": {"a": [1]}}, ["people", 0, "nick"], "x")
    document = schema.decode(Document, newer, what="t", keep_unknown=True)
    assert document.extra == {"newer": {"a": [1]}}
    assert schema.encode(document)["newer"] == {"a": [1]}


def test_a_missing_key_is_named() -> None:
    with pytest.raises(BookbagError) as caught:
        schema.decode(Document, {"v": 2, "people": []}, what="t")
    assert "'site' is missing" in caught.value.message


def test_a_higher_version_is_refused_as_too_new_before_anything_else() -> None:
    with pytest.raises(BookbagError) as caught:
        schema.decode(Document, {"v": 3, "whatever": 1}, what="t")
    assert caught.value.code == "format-too-new"
    assert schema.decode(Document, {**good(), "v": 1}, what="t").v == 1


def test_a_missing_version_is_refused() -> None:
    value = good()
    del value["v"]
    with pytest.raises(BookbagError):
        schema.decode(Document, value, what="t")


def test_types_without_a_form_are_a_defect_that_shows_at_once() -> None:
    @dataclass(frozen=True)
    class Bad:
        number: float

    with pytest.raises(TypeError):
        schema.decode(Bad, {"number": 1}, what="t")
    with pytest.raises(TypeError):
        schema.decode(int, 3, what="t")
