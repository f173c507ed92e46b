"""Teachers in trust.json, and what their signature is worth to a laptop."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from agent.core.errors import BookbagError
from agent.trust import floors
from agent.trust.keys import SigningKey
from agent.trust.persons import TrustDocument
from agent.trust.teachers import LONGEST, MOST_CLASSES, Teacher
from tests.trust.school import DAY, START, Laptop, School

HOUR = 3600
EXAM = {"action": "start", "timetable": "exam"}
LEE = SigningKey.generate()


def teacher(**changes: Any) -> Teacher:
    given: dict[str, Any] = {
        "id": "lee",
        "keys": (LEE.public,),
        "school": "north-high",
        "classes": ("9b",),
        "since": START - DAY,
        "until": START + 30 * DAY,
    }
    return Teacher(**{**given, **changes})


def session(school: School, laptop: Laptop, **more: Any) -> bytes:
    given: dict[str, Any] = {"args": EXAM, "expires": school.at + HOUR, "signers": (LEE,)}
    return school.order(laptop, "session", **{**given, **more})


def codes(school: School, laptop: Laptop, *envelopes: bytes, at: int = START) -> list[str]:
    school.mail(laptop, *envelopes)
    school.publish()
    return [one.code for one in laptop.verify(school.mirror, at=at).refusals]


def test_trust_without_teachers_is_the_bytes_that_it_was(school: School) -> None:
    assert b"teachers" not in school.trust().to_bytes()


def test_teachers_come_back_as_they_were_signed(school: School) -> None:
    trust = replace(
        school.trust(), teachers=(teacher(), teacher(id="may", keys=(SigningKey.generate().public,)))
    )
    assert TrustDocument.from_bytes(trust.to_bytes()) == trust


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"until": START - DAY + LONGEST + 1}, "bad-metadata"),
        ({"until": START - DAY}, "bad-metadata"),
        ({"classes": ()}, "bad-metadata"),
        ({"classes": ("",)}, "bad-metadata"),
        ({"classes": tuple(map(str, range(MOST_CLASSES + 1)))}, "bad-metadata"),
        ({"classes": ("x" * 33,)}, "bad-metadata"),
        ({"keys": ()}, "bad-metadata"),
        ({"keys": (LEE.public,) * 9}, "bad-metadata"),
    ],
)
def test_a_teacher_beyond_the_bounds_is_none(changes: dict[str, Any], code: str) -> None:
    teacher(until=START - DAY + LONGEST)
    with pytest.raises(BookbagError) as told:
        teacher(**changes)
    assert told.value.code == code


def test_more_than_laptops_read_is_never_staged(school: School) -> None:
    keys = [SigningKey.generate().public for _ in range(401)]
    many = [teacher(id=f"t-{n}", keys=(key,)) for n, key in enumerate(keys)]
    with pytest.raises(BookbagError) as told:
        replace(school.trust(), teachers=tuple(many))
    assert told.value.code == "bad-metadata"
    school.employ(*many[:400])
    before = school.repository.trust()
    classes = tuple(f"class-{n}" for n in range(MOST_CLASSES))
    for wrong in ([replace(one, classes=classes) for one in many[:400]], [teacher(since=-5, until=5)]):
        with pytest.raises(BookbagError):
            school.employ(*wrong)
        assert school.repository.trust() == before, "the site goes on with what it had"


def test_nobody_is_a_teacher_and_a_person(school: School) -> None:
    for one in (teacher(id="ada"), teacher(keys=(school.people["ada"].key.public,))):
        with pytest.raises(BookbagError) as told:
            replace(school.trust(), teachers=(one,))
        assert told.value.code == "duplicate-person"
    with pytest.raises(BookbagError):
        replace(school.trust(), teachers=(teacher(), teacher(id="may")))


def test_a_teacher_is_entitled_to_nothing_but_sessions(school: School) -> None:
    trust = replace(school.trust(), teachers=(teacher(),))
    for kind in (*floors.FLOORS, "explode"):
        signers = [one.id for one in trust.signers(kind, {LEE.public.hex})]
        assert ("lee" in signers) == (kind == "session"), kind
        assert "lee" not in [one.id for one in trust.entitled(kind)]
    assert "lee" not in trust.owners().values()


def test_a_class_hears_its_teacher_once_it_is_known_whose_it_is(school: School, laptop: Laptop) -> None:
    school.employ(teacher())
    school.publish()
    start = session(school, laptop)
    assert codes(school, laptop, start) == ["not-allowed"], "a laptop without a class is nobody's"
    assert codes(school, laptop, start, school.order(laptop)) == [], "whatever their numbers"
    view = laptop.verify(school.mirror)
    assert [(one.kind, one.persons) for one in view.orders if one.kind == "session"] == [
        ("session", ("lee",))
    ]


def test_a_signature_that_names_nobody_has_not_every_teacher_tried(school: School, laptop: Laptop) -> None:
    """Four hundred teachers, and mailboxes full of what the host made up."""
    trust = replace(school.trust(), teachers=(teacher(),))
    assert "lee" not in [one.id for one in trust.signers("session", {""})]
    school.employ(teacher())

    def unnamed(envelope: bytes) -> bytes:
        value = json.loads(envelope)
        value["signatures"] = [{**one, "keyid": ""} for one in value["signatures"]]
        return json.dumps(value).encode()

    assert codes(school, laptop, school.order(laptop), unnamed(session(school, laptop))) == ["bad-signature"]
    ada = session(school, laptop, signers=(school.people["ada"].key,))
    assert codes(school, laptop, unnamed(ada)) == [], "the control: persons are few"


def test_a_laptop_that_changed_class_hears_the_former_teacher_no_more(school: School, laptop: Laptop) -> None:
    school.employ(teacher())
    assert codes(school, laptop, school.order(laptop)) == []
    sign_key, seal_key = laptop.identity.public
    moved = {"school": "north-high", "year": "9", "class": "9c"}
    args = {**moved, "sign_key": sign_key.hex, "seal_key": seal_key.hex}
    start = session(school, laptop)  # of a lower number than the order that moves it
    assert codes(school, laptop, start, school.order(laptop, args=args)) == ["not-allowed"]


def test_a_person_who_decides_may_start_and_end_too(school: School, laptop: Laptop) -> None:
    school.employ(teacher())
    assert codes(school, laptop, school.order(laptop)) == []
    assert codes(school, laptop, session(school, laptop, signers=(school.people["ada"].key,))) == []


def test_a_teacher_who_was_removed_starts_nothing(school: School, laptop: Laptop) -> None:
    school.employ(teacher())
    assert codes(school, laptop, school.order(laptop)) == []
    school.employ()
    assert codes(school, laptop, session(school, laptop)) == ["bad-signature"]


@pytest.mark.parametrize(
    ("args", "ok"),
    [
        (EXAM, True),
        ({"action": "end"}, True),
        ({"action": "start"}, False),
        ({"action": "start", "timetable": "../exam"}, False),
        ({"action": "release"}, False),
        ({}, False),
    ],
)
def test_what_a_session_may_say(school: School, laptop: Laptop, args: dict[str, Any], ok: bool) -> None:
    school.employ(teacher())
    found = codes(school, laptop, school.order(laptop), session(school, laptop, args=args))
    assert found == ([] if ok else ["bad-envelope"])
