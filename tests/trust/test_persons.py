"""trust.json and the floors: what a site may say of itself, and what it may not."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

import pytest

from agent.core.errors import BookbagError
from agent.trust import floors
from agent.trust.keys import SigningKey
from agent.trust.persons import KindRule, TrustDocument
from tests.trust.school import Human, School


def change(school: School, **fields: Any) -> bytes:
    return json.dumps({**json.loads(school.trust().to_bytes()), **fields}).encode()


def refused(data: bytes) -> BookbagError:
    with pytest.raises(BookbagError) as error:
        TrustDocument.from_bytes(data)
    return error.value


def test_a_trust_document_reads_back_the_same(school: School) -> None:
    trust = school.trust(wipe=KindRule(3, ("ada", "bo", "cy")))
    assert TrustDocument.from_bytes(trust.to_bytes()) == trust
    assert TrustDocument.from_bytes(trust.to_bytes()).to_bytes() == trust.to_bytes()


def test_unknown_fields_are_left_alone_and_a_newer_major_refused(school: School) -> None:
    assert TrustDocument.from_bytes(change(school, motto="learn")).site == "north"
    assert refused(change(school, v=2)).code == "format-too-new"


def test_one_key_for_two_persons_is_refused(school: School) -> None:
    persons = json.loads(school.trust().to_bytes())["persons"]
    persons[1]["keys"] = persons[0]["keys"]
    error = refused(change(school, persons=persons))
    assert (error.code, error.place) == ("duplicate-person", "persons.bo.keys")


def test_one_person_twice_is_refused(school: School) -> None:
    persons = json.loads(school.trust().to_bytes())["persons"]
    persons[1]["id"] = "ada"
    assert refused(change(school, persons=persons)).code == "duplicate-person"


def test_one_key_twice_in_one_person_is_refused(school: School) -> None:
    persons = json.loads(school.trust().to_bytes())["persons"]
    persons[0]["keys"] = [persons[0]["keys"][0]] * 2
    assert refused(change(school, persons=persons)).code == "duplicate-person"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("site", "North!", "bad-metadata"),
        ("epoch", 0, "bad-metadata"),
        ("epoch", True, "bad-metadata"),
        ("persons", {}, "bad-metadata"),
        ("roles", {"ict": {"persons": ["eve"], "ranks": ["school"]}}, "bad-metadata"),
        ("roles", {"ict": {"persons": ["ada"], "ranks": ["emperor"]}}, "bad-metadata"),
        ("roles", {"Not a name": {"persons": ["ada"], "ranks": []}}, "bad-metadata"),
        ("roles", {"ict": {"persons": ["ada", "ada"], "ranks": []}}, "bad-metadata"),
        ("returns_key", "00", "bad-metadata"),
        ("kinds", {"wipe": {"persons": 1}}, "bad-metadata"),
        ("kinds", {"readmit": {"persons": 1}}, "bad-metadata"),
        ("kinds", {"assign": {"persons": 0}}, "bad-metadata"),
        ("kinds", {"assign": {"persons": 4}}, "bad-metadata"),
        ("kinds", {"assign": {"persons": 17}}, "bad-metadata"),
        ("kinds", {"brand-new": {"persons": 1}}, "bad-metadata"),
        ("kinds", {"assign": {"persons": 2, "who": ["ada"]}}, "bad-metadata"),
    ],
)
def test_values_out_of_bounds_are_refused_not_clamped(
    school: School, field: str, value: object, code: str
) -> None:
    error = refused(change(school, **{field: value}))
    assert error.code == code
    assert error.place


def test_floors_may_be_raised(school: School) -> None:
    trust = school.trust(assign=KindRule(2), wipe=KindRule(3))
    assert (trust.needed("assign"), trust.needed("wipe")) == (2, 3)


def test_the_compiled_in_floors() -> None:
    """I-4."""
    least = {
        kind: floors.needed(kind)
        for kind in ("assign", "readmit", "lock", "wipe", "reset", "release", "unheard-of")
    }
    assert least == {
        "assign": 1,
        "readmit": 2,
        "lock": 1,
        "wipe": 2,
        "reset": 2,
        "release": 2,
        "unheard-of": 2,
    }
    assert floors.needed("wipe", 1) == 2
    assert (floors.ROOT_PERSONS, floors.TARGETS_PERSONS, floors.POLICY_PERSONS, floors.POWER_PERSONS) == (
        2,
        2,
        1,
        2,
    )
    assert floors.floor("unheard-of").destructive


def test_a_document_made_here_is_checked_too(school: School) -> None:
    trust = school.trust()
    with pytest.raises(BookbagError) as error:
        TrustDocument(
            site="north",
            epoch=1,
            persons=trust.persons,
            roles=trust.roles,
            returns_key=trust.returns_key,
            kinds=MappingProxyType({"wipe": KindRule(1)}),
        )
    assert error.value.code == "bad-metadata"


def test_a_kind_may_be_reserved_to_some(school: School) -> None:
    trust = school.trust(assign=KindRule(1, ("bo",)))
    assert [person.id for person in trust.entitled("assign")] == ["bo"]
    assert len(trust.entitled("readmit")) == 3


def test_malformed_keys_are_named(school: School) -> None:
    persons = json.loads(school.trust().to_bytes())["persons"]
    persons[0]["keys"] = ["xyz"]
    assert refused(change(school, persons=persons)).code == "bad-key"
    assert Human("x", key=SigningKey.generate()).person().id == "x"
