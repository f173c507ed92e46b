"""What a thief can do with the key of somebody who edits learning content, and with the site's online keys on
top: offer content. Nothing else that they sign has any effect.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.core import jsontext
from agent.trust.enrolment import Token, make_request
from agent.trust.persons import Role, TrustDocument
from agent.trust.sealing import unseal
from tests.trust.evil.attacks.content import catalogued
from tests.trust.evil.attacks.orders import order_id
from tests.trust.evil.bench import Bench
from tests.trust.evil.desk import DAY, identity, key, seal_key
from tests.trust.offers import catalogue, offer

Took = Callable[[], bool]
EDITOR = "eve"


@pytest.fixture
def bench(folder: Path) -> Bench:
    """North, where Eve is an editor of `media` and nothing else, and a laptop that knows it so."""
    bench = Bench(folder)
    bench.north.policy(bench.at, role="year", by=("ben",), lessons="lessons: 2\n")
    trust = bench.north.trust(year=Role(("ben",), ("class",)))
    bench.north.repository.stage_trust(trust, at=bench.at)
    bench.north.sign("targets", "ann", "ben")
    bench.settle(bench.north.publish(bench.at))
    return bench


def policy(kind: str, role: str) -> Callable[[Bench], Took]:
    def play(bench: Bench) -> Took:
        forge = bench.forge()
        signed = forge.role(f"{kind}-{role}")
        signed["version"] += 1
        forge.documents(signed, kind, role, {"wanted.yaml": b"wanted: 1\n"})
        forge.put(f"{kind}-{role}", signed, (EDITOR,))
        bench.refresh(forge.finish(at=bench.at))
        return lambda: bench.holds(f"{kind}/{role}/wanted.yaml")

    return play


def policy_among_content(bench: Bench) -> Took:
    catalogued(bench, (EDITOR,), more={"content/media/wanted.yaml": b"wanted: 1\n"})
    return lambda: bench.holds("content/media/wanted.yaml") or bench.holds("policy/media/wanted.yaml")


def policy_under_anothers_path(bench: Bench) -> Took:
    catalogued(bench, (EDITOR,), more={"policy/ict/wanted.yaml": b"wanted: 1\n"})
    return lambda: bench.holds("policy/ict/wanted.yaml")


def another_roles_catalogue(bench: Bench) -> Took:
    catalogued(bench, (EDITOR,), data=catalogue("north", "ict", offer("wanted")))
    return lambda: bench.offers("wanted")


def trust(bench: Bench) -> Took:
    """More rights for themselves."""
    forge = bench.forge()
    wanted = bench.north.trust(year=Role((EDITOR,), ("class",)))

    def edit(targets: dict[str, object]) -> None:
        forge.target(targets, "trust.json", wanted.to_bytes())

    forge.edit("targets", (EDITOR,), edit)
    bench.refresh(forge.finish(at=bench.at))
    return lambda: held(bench).roles["year"].persons == (EDITOR,)


def root(bench: Bench) -> Took:
    forge = bench.forge()
    version = bench.north.versions()["root"]
    signed = forge.root(version)
    signed["version"] = version + 1
    forge.put_root(signed, (EDITOR,))
    bench.refresh(forge.finish(at=bench.at))
    return lambda: bench.codes == set()


def order(kind: str) -> Callable[[Bench], Took]:
    def play(bench: Bench) -> Took:
        envelope = bench.order((EDITOR,), kind=kind)
        bench.refresh(bench.mailed(envelope))
        return lambda: bench.obeyed(order_id(envelope))

    return play


def second_signature(bench: Bench) -> Took:
    """Beside another stolen key, theirs is no second person's."""
    envelope = bench.order(("mal", EDITOR), kind="wipe", issued=bench.at - DAY, not_before=bench.at - DAY)
    bench.refresh(bench.mailed(envelope))
    return lambda: "under-signed" not in bench.codes


THEFTS: dict[str, Callable[[Bench], Took]] = {
    "policy of another role": policy("policy", "ict"),
    "policy of the role that was theirs": policy("policy", "year"),
    "root power": policy("power", "ict"),
    "policy among content": policy_among_content,
    "policy under another's path": policy_under_anothers_path,
    "another role's catalogue": another_roles_catalogue,
    "trust": trust,
    "root": root,
    "a message": order("message"),
    "a lock": order("lock"),
    "an unlock": order("unlock"),
    "a diagnosis": order("diagnose"),
    "an assignment": order("assign"),
    "the second signature of a wipe": second_signature,
}


def held(bench: Bench) -> TrustDocument:
    view = bench.laptop.view()
    assert view is not None
    return view.trust


@pytest.mark.parametrize("what", THEFTS)
def test_an_editors_key_does_nothing_but_content(what: str, bench: Bench) -> None:
    before = bench.laptop.view()
    assert before is not None
    took = THEFTS[what](bench)
    assert not took()
    after = bench.laptop.view()
    assert after is not None
    assert (after.trust, after.documents, after.assignment) == (
        before.trust,
        before.documents,
        before.assignment,
    )
    bench.close()


def test_content_it_does_offer(bench: Bench) -> None:
    assert catalogued(bench, (EDITOR,))()
    bench.close()


def test_and_no_laptops_unlock_key_is_for_it(bench: Bench) -> None:
    token = Token("0" * 32, b"s" * 16)
    sealed = make_request(identity("a"), token, held(bench), "0" * 64)
    told = unseal(sealed, seal_key("returns"), purpose="return")
    value = jsontext.parse(told[64:], what="request", max_bytes=1 << 20)
    assert isinstance(value, dict)
    assert [one["person"] for one in value["escrow"]] == ["ann", "ben", "mal"]
    assert key(EDITOR).public in held(bench).person(EDITOR).keys
    bench.close()
