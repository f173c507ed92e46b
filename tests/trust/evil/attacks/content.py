"""Attacks on content roles: the item `WANTED` must not come into the catalogue; and what an editor's key
cannot do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from agent.core import jsontext
from agent.trust.persons import Role
from tests.trust.evil.attacks.orders import order_id
from tests.trust.evil.attacks.roles import Took, delegating, delegation
from tests.trust.evil.bench import Bench, list_key
from tests.trust.evil.desk import DAY, Files
from tests.trust.evil.forge import Forge, Json, instant
from tests.trust.evil.table import attack
from tests.trust.offers import catalogue, offer

PATH = "content/media/catalogue.json"


def catalogued(
    bench: Bench,
    by: Sequence[str] = ("eve",),
    *,
    edit: Callable[[Forge, Json], object] = lambda forge, it: None,
    base: Files | None = None,
    data: bytes = b"",
    more: Mapping[str, bytes] = MappingProxyType({}),
) -> Took:
    """Offer `wanted` in the role's next catalogue; all else is right unless ``edit`` or ``data`` say
    otherwise."""
    forge = bench.forge(base)
    signed = forge.role("content-media")
    signed["version"] += 1
    signed["targets"] = {}
    forge.target(signed, PATH, data or catalogue("north", "media", offer("wanted")))
    for path, other in more.items():
        forge.target(signed, path, other)
    edit(forge, signed)
    forge.put("content-media", signed, by)
    bench.refresh(forge.finish(at=bench.at))
    return lambda: bench.offers("wanted")


# -- who signed


@attack("under-signed", "bad-metadata", step="refresh")
def content_by_nobody(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return catalogued(bench, () if evil else ("eve",))


@attack("under-signed", "bad-metadata", step="refresh")
def content_by_somebody_of_another_role(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return catalogued(bench, ("mal",) if evil else ("ben",))


@attack("under-signed", step="check_persons")
def content_by_a_key_that_trust_does_not_give_the_role(bench: Bench, evil: bool) -> Took:
    def edit(targets: Json) -> None:
        listed = list_key(targets["delegations"]["keys"], "mal")
        delegation(targets, "content-media")["keyids"].append(listed)

    files = delegating(bench, edit)
    return catalogued(bench, ("mal",) if evil else ("eve",), base=files)


@attack("not-allowed", step="check_persons")
def content_of_a_role_that_may_not(bench: Bench, evil: bool) -> Took:
    """Delegated by two persons' slip, but trust.json lets `year` (`media`) publish no content."""
    role = "year" if evil else "media"
    forge = bench.forge()

    def edit(targets: Json) -> None:
        targets["delegations"]["roles"].insert(
            0,
            {
                "name": "content-year",
                "threshold": 1,
                "terminating": True,
                "paths": ["content/year/*"],
                "keyids": [list_key(targets["delegations"]["keys"], "eve")],
            },
        )

    forge.edit("targets", ("ann", "ben"), edit)
    signed = forge.role("content-media")
    signed["version"] += 1
    signed["targets"] = {}
    forge.target(signed, f"content/{role}/catalogue.json", catalogue("north", role, offer("wanted")))
    forge.put(f"content-{role}", signed, ("eve",))
    bench.refresh(forge.finish(at=bench.at))
    return lambda: bench.offers("wanted")


@attack("not-allowed", step="check_persons")
def policy_by_an_editor_of_content(bench: Bench, evil: bool) -> Took:
    """A stolen editor's key adds content and nothing else, even where targets delegates too much."""
    role = "media" if evil else "year"
    forge = bench.forge()

    def edit(targets: Json) -> None:
        targets["delegations"]["roles"].insert(
            0,
            {
                "name": "policy-media",
                "threshold": 1,
                "terminating": True,
                "paths": ["policy/media/*"],
                "keyids": [list_key(targets["delegations"]["keys"], "eve")],
            },
        )

    forge.edit("targets", ("ann", "ben"), edit)
    signed = forge.role("policy-year")
    signed["version"] += 1
    forge.documents(signed, "policy", role, {"wanted.yaml": b"wanted: 1\n"})
    forge.put(f"policy-{role}", signed, ("eve",))
    bench.refresh(forge.finish(at=bench.at))
    return lambda: bench.holds(f"policy/{role}/wanted.yaml")


@attack("bad-signature", step="check_signatures")
def order_by_an_editor_of_content(bench: Bench, evil: bool) -> Took:
    """Any person of the site may send a message; who is here for content alone is none of them."""
    year = Role(("ben",) if evil else ("ben", "eve"), ("class",))
    bench.north.policy(bench.at, role="year", by=("ben",), lessons="lessons: 2\n")
    bench.north.repository.stage_trust(bench.north.trust(year=year), at=bench.at)
    bench.north.sign("targets", "ann", "ben")
    bench.settle(bench.north.publish(bench.at))
    envelope = bench.order(("eve",), kind="message")
    bench.refresh(bench.mailed(envelope))
    return lambda: bench.obeyed(order_id(envelope))


# -- fresh


@attack("rollback", step="check_version")
def older_catalogue_in_a_new_snapshot(bench: Bench, evil: bool) -> Took:
    bench.north.content(bench.at, offer("newer"))
    bench.settle(bench.north.publish(bench.at))
    forge = bench.forge()
    forge.use("content-media", 1 if evil else 2)
    bench.refresh(forge.finish(at=bench.at))
    return lambda: bench.offers("first" if evil else "newer")


@attack("expired", step="refresh")
def expired_catalogue(bench: Bench, evil: bool) -> Took:
    bench.settle()
    when = bench.at + (-1 if evil else 100)
    return catalogued(bench, edit=lambda forge, it: it.update(expires=instant(when)))


@attack("bad-metadata", step="read_roles")
def catalogue_dropped_from_the_snapshot(bench: Bench, evil: bool) -> Took:
    """What must not happen is that it stops being offered: only its signers may withdraw it."""
    bench.settle()
    forge = bench.forge()
    if evil:
        forge.drop("content-media")
        bench.refresh(forge.finish(at=bench.at))
    else:
        bench.north.content(bench.at, offer("other"))
        bench.refresh(bench.north.publish(bench.at))
    return lambda: not bench.offers("first")


@attack("expired", step="read_roles", beside=("expired",))
def catalogue_withdrawn_by_expiry(bench: Bench, evil: bool) -> Took:
    """I-5: what was accepted stays when it expires, however late it is."""
    bench.settle()
    late = bench.at + 181 * DAY
    if evil:
        bench.refresh(bench.north.refresh(late), at=late)
    else:
        bench.north.content(late, offer("other"))
        bench.refresh(bench.north.publish(late), at=late)
    return lambda: bench.accepted() and not bench.offers("first")


@attack("recovering", step="check_recovering", beside=("recovering",))
def catalogue_from_before_the_ledger_was_lost(bench: Bench, evil: bool) -> Took:
    bench.settle()
    since = bench.at + 3600
    bench.north.content(since + (-1800 if evil else 1800), offer("wanted"))
    bench.laptop.lose_ledger("zero")
    bench.refresh(at=since)
    bench.north.renew(since + 1800, "targets")
    bench.refresh(bench.north.publish(since + 1800), at=since + 1800)
    return lambda: bench.offers("wanted")


# -- what it says


@attack("wrong-site", step="check_site")
def catalogue_metadata_of_a_site_that_shares_keys(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return catalogued(bench, edit=lambda forge, it: it.update(site="south" if evil else "north"))


@attack("bad-metadata", step="check_type")
def catalogue_that_delegates_on(bench: Bench, evil: bool) -> Took:
    bench.settle()

    def edit(forge: Forge, it: Json) -> None:
        if evil:
            it["delegations"] = {"keys": {}, "roles": []}

    return catalogued(bench, edit=edit)


@attack("bad-path", step="check_only_catalogue")
def catalogue_with_a_policy_beside(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return catalogued(bench, more={"content/media/extra.yaml": b"x: 1\n"} if evil else {})


@attack("wrong-site", step="check_catalogue")
def catalogue_signed_for_another_site(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return catalogued(bench, data=catalogue("south" if evil else "north", "media", offer("wanted")))


@attack("wrong-site", step="check_catalogue")
def catalogue_signed_for_another_role(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return catalogued(bench, data=catalogue("north", "year" if evil else "media", offer("wanted")))


@attack("bad-metadata", "bad-json", step="read_catalogue")
def catalogue_of_nonsense(bench: Bench, evil: bool) -> Took:
    bench.settle()
    good = catalogue("north", "media", offer("wanted"))
    value = jsontext.parse(good, what="")
    assert isinstance(value, dict)
    if evil:
        value["items"].append({**value["items"][0], "id": "a", "size": -1})
    return catalogued(bench, data=jsontext.canonical(value))


@attack("too-large", step="read_catalogue")
def catalogue_of_ten_thousand_values(bench: Bench, evil: bool) -> Took:
    bench.settle()
    items = [offer(f"item-{number:04}") for number in range(900 if evil else 300)]
    return catalogued(bench, data=catalogue("north", "media", *items, offer("wanted")))
