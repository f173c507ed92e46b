"""A laptop whose trust ledger is gone: last good stays, nothing from before counts, two persons let it
back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.core.errors import BookbagError
from agent.trust import orders
from agent.trust.generation import load_generation
from agent.trust.marks import Marks
from tests.trust import forging
from tests.trust.school import DAY, START, Laptop, School, names

NOTICED = START + 3600


def lose_ledger(laptop: Laptop, how: str) -> None:
    for path in (Path(laptop.high_water.path), Path(laptop.high_water.path + ".2")):
        if how == "absent":
            path.unlink()
        else:
            path.write_bytes(b"" if how == "zeroed" else b"\x00garbage")


@pytest.fixture(params=["absent", "zeroed", "garbage"])
def lost(request: pytest.FixtureRequest, school: School, laptop: Laptop) -> Laptop:
    """An enrolled, assigned laptop that noticed the loss at NOTICED."""
    school.mail(laptop, school.order(laptop))
    school.publish()
    laptop.verify(school.mirror)
    lose_ledger(laptop, request.param)
    return laptop


def readmit(school: School, laptop: Laptop, at: int, *names: str, **more: Any) -> bytes:
    keys = tuple(school.people[name].key for name in names)
    return school.order(laptop, "readmit", signers=keys, issued=at, expires=at + DAY, seq=1, **more)


def test_an_old_word_is_refused_and_last_good_stays(school: School, lost: Laptop) -> None:
    assert lost.refusal(school.mirror, at=NOTICED).code == "recovering"
    assert lost.previous is not None
    held = load_generation(lost.previous).value
    assert names(held) == ["policy/ict/home.yaml"]
    assert held.assignment is not None


def test_the_moment_of_noticing_is_kept(school: School, lost: Laptop) -> None:
    for at in (NOTICED, NOTICED + DAY):
        assert lost.refusal(school.mirror, at=at).code == "recovering"
    school.repository.refresh(school.online, at=NOTICED + 60)
    assert lost.verify(school.mirror, at=NOTICED + DAY).recovering_since == NOTICED


def test_a_new_laptop_is_not_recovering(school: School, laptop: Laptop) -> None:
    assert laptop.verify(school.mirror).recovering_since == 0


def test_fresh_word_brings_no_document_from_before(school: School, lost: Laptop) -> None:
    lost.refusal(school.mirror, at=NOTICED)
    school.repository.refresh(school.online, at=NOTICED + 60)
    view = lost.verify(school.mirror, at=NOTICED + 60)
    assert [(one.subject, one.code, one.kept) for one in view.refusals] == [
        ("assign " + (view.assignment.order if view.assignment else ""), "recovering", False),
        ("policy-ict", "recovering", True),
    ]
    assert names(view) == ["policy/ict/home.yaml"]  # the last good one
    assert view.assignment is not None


def test_a_document_signed_since_is_taken(school: School, lost: Laptop) -> None:
    lost.refusal(school.mirror, at=NOTICED)
    school.at = NOTICED + 60
    school.policy(home="policy: since\n")
    school.publish()
    view = lost.verify(school.mirror, at=NOTICED + 60)
    assert view.documents[0].data == b"policy: since\n"
    assert view.recovering_since == NOTICED


def test_two_persons_readmit(school: School, lost: Laptop) -> None:
    lost.refusal(school.mirror, at=NOTICED)
    at = NOTICED + 60
    school.mail(lost, readmit(school, lost, at, "ada", "bo"))
    school.publish(at)
    view = lost.verify(school.mirror, at=at)
    assert view.recovering_since == 0
    assert view.refusals == ()
    assert lost.verify(school.mirror, at=at).recovering_since == 0


def test_one_person_does_not_readmit(school: School, lost: Laptop) -> None:
    lost.refusal(school.mirror, at=NOTICED)
    at = NOTICED + 60
    school.mail(lost, readmit(school, lost, at, "ada"))
    school.publish(at)
    view = lost.verify(school.mirror, at=at)
    assert view.recovering_since == NOTICED
    assert [one.code for one in view.refusals] == ["under-signed", "recovering"]


def test_a_readmission_from_before_does_not_count(school: School, lost: Laptop) -> None:
    lost.refusal(school.mirror, at=NOTICED)
    school.mail(lost, readmit(school, lost, START, "ada", "bo"))
    school.publish(NOTICED + 60)
    assert lost.verify(school.mirror, at=NOTICED + 60).recovering_since == NOTICED


def test_readmission_brings_back_what_the_desk_remembers(school: School, lost: Laptop) -> None:
    lost.refusal(school.mirror, at=NOTICED)
    at = NOTICED + 60
    marks = {"root": 1, "targets": 1, "epoch": 1, "seq.assign": 500}
    school.mail(lost, readmit(school, lost, at, "ada", "bo", args={"marks": marks}))
    school.publish(at)
    lost.verify(school.mirror, at=at)
    assert lost.marks()["seq.assign"] == 500


@pytest.mark.parametrize(
    "marks", [{"timestamp": 5}, {"role.policy-ict": 9}, {"root": -1}, {"root": "9"}, "x"]
)
def test_readmission_sets_only_what_it_may(school: School, lost: Laptop, marks: object) -> None:
    lost.refusal(school.mirror, at=NOTICED)
    at = NOTICED + 60
    school.mail(lost, readmit(school, lost, at, "ada", "bo", args={"marks": marks}))
    school.publish(at)
    assert lost.verify(school.mirror, at=at).recovering_since == NOTICED


def test_the_last_good_generation_still_remembers_offline_versions(school: School, lost: Laptop) -> None:
    """The ledger is gone, the generation is not: targets and root do not go back behind it."""
    lost.refusal(school.mirror, at=NOTICED)
    school.repository.refresh(school.online, at=NOTICED + 60)
    lost.verify(school.mirror, at=NOTICED + 60)
    assert lost.marks()["targets"] == 1
    marks = Marks.open(lost.high_water, expected=True, at=NOTICED)
    marks.seed({"targets": 7, "policy-ict": 4, "timestamp": 99, "mail": 3, "snapshot": 8}, 2)
    seeded = {name: marks.get(name) for name in ("targets", "role.policy-ict", "epoch")}
    assert seeded == {"targets": 7, "role.policy-ict": 4, "epoch": 2}
    assert marks.get("timestamp") < 99
    assert marks.get("snapshot") < 8


def test_destructive_orders_need_memory_and_a_good_clock(school: School, laptop: Laptop) -> None:
    """The kinds to come (wipe, reset, release, and whatever this version does not know)."""
    from agent.core.clock import Now

    for kind in ("wipe", "reset", "release", "unheard-of"):
        draft = orders.parse_order(school.order(laptop, kind))
        for since, quality, codes in (
            (0, "good", []),
            (0, "suspect", ["clock-suspect"]),
            (1, "good", ["recovering"]),
        ):
            notes = {"recovering": str(since)} if since else {}
            context = orders.Context(
                laptop.identity,
                laptop.serial,
                school.trust(),
                Marks(laptop.high_water, {}, notes),
                START,
                Now(START, quality, START),  # type: ignore[arg-type]
            )
            found = []
            for step in (orders.check_clock, orders.check_recovering):
                try:
                    step(draft, context)
                except BookbagError as error:
                    found.append(error.code)
            assert found == codes


def test_a_destructive_order_may_not_live_long(school: School, laptop: Laptop) -> None:
    from agent.core.clock import Now

    context = orders.Context(
        laptop.identity,
        laptop.serial,
        school.trust(),
        Marks(laptop.high_water, {}, {}),
        START,
        Now(START, "good", START),
    )
    orders.check_window(orders.parse_order(school.order(laptop, "wipe", expires=START + 14 * DAY)), context)
    with pytest.raises(BookbagError) as error:
        orders.check_window(
            orders.parse_order(school.order(laptop, "wipe", expires=START + 15 * DAY)), context
        )
    assert error.value.code == "bad-envelope"


def test_what_the_desk_remembers_counts_in_the_round_that_brings_it(school: School, lost: Laptop) -> None:
    """A thief of the online keys holds back the newest targets while letting the readmission through."""
    lost.refusal(school.mirror, at=NOTICED)
    at = NOTICED + 60
    for _ in range(2):
        school.repository.renew("targets", at=at)
        school.sign("targets", "ada", "bo")
        school.publish(at)
    school.mail(lost, readmit(school, lost, at, "ada", "bo", args={"marks": {"targets": 3}}))
    school.publish(at)
    newest = (school.mirror / "metadata" / "3.targets.json").read_bytes()
    forging.republish(school.mirror, school, snapshot=forging.point(school.mirror, "targets", 2))
    assert lost.refusal(school.mirror, at=at).code == "rollback"
    assert Marks.open(lost.high_water, expected=True, at=at).recovering_since == NOTICED
    (school.mirror / "metadata" / "3.targets.json").write_bytes(newest)
    forging.republish(school.mirror, school, snapshot=forging.point(school.mirror, "targets", 3))
    assert lost.verify(school.mirror, at=at).recovering_since == 0


def test_with_the_generations_gone_as_well_targets_must_be_new(school: School, lost: Laptop) -> None:
    lost.previous = None
    lost.refusal(school.mirror, at=NOTICED)
    at = NOTICED + 60
    school.repository.refresh(school.online, at=at)
    error = lost.refusal(school.mirror, at=at)
    assert (error.code, error.place) == ("recovering", "targets")
    school.repository.renew("targets", at=at)
    school.sign("targets", "ada", "bo")
    school.publish(at)
    assert lost.verify(school.mirror, at=at).recovering_since == NOTICED


def test_an_order_from_before_the_loss_stays_refused_after_readmission(school: School, lost: Laptop) -> None:
    """Whether it was obeyed already, nobody remembers: the desk issues it anew."""
    lost.refusal(school.mirror, at=NOTICED)
    at = NOTICED + 60
    old = school.order(lost, seq=2)
    school.mail(lost, readmit(school, lost, at, "ada", "bo"), old)
    school.publish(at)
    assert [one.code for one in lost.verify(school.mirror, at=at).refusals] == ["recovering"]
    school.mail(lost, old)
    school.publish(at)
    assert [one.code for one in lost.verify(school.mirror, at=at).refusals] == ["recovering"]
    school.mail(lost, school.order(lost, seq=3, issued=at, expires=at + DAY))
    school.publish(at)
    view = lost.verify(school.mirror, at=at)
    assert view.refusals == ()
    assert view.assignment is not None
    assert view.assignment.seq == 3


def test_a_role_hidden_while_recovering_is_kept_and_told(school: School, lost: Laptop) -> None:
    lost.refusal(school.mirror, at=NOTICED)
    school.repository.refresh(school.online, at=NOTICED + 60)
    forging.republish(school.mirror, school, snapshot=lambda signed: signed.meta.pop("policy-ict.json"))
    view = lost.verify(school.mirror, at=NOTICED + 60)
    assert ("policy-ict", True) in [(one.subject, one.kept) for one in view.refusals]
    assert names(view) == ["policy/ict/home.yaml"]
