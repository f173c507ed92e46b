"""Attacks on policy and power roles: the document `WANTED` must not come into force."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from agent.core import jsontext
from tests.trust.evil.bench import WANTED, Bench, list_key, sign_ids
from tests.trust.evil.desk import DAY, Files
from tests.trust.evil.forge import Edit, Forge, Json, instant
from tests.trust.evil.table import attack

Took = Callable[[], bool]
NAME = "wanted.yaml"


def policy(
    bench: Bench,
    by: Sequence[str],
    *,
    role: str = "ict",
    kind: str = "policy",
    edit: Callable[[Forge, Json], object] = lambda forge, it: None,
    ids: dict[str, str] | None = None,
    base: Files | None = None,
    index: Mapping[str, object] = MappingProxyType({}),
) -> Took:
    """Offer `WANTED` in a role's next metadata; it is of that role, of this site and whole, unless ``edit``
    says otherwise.
    """
    forge = bench.forge(base)
    signed = forge.role(f"{kind}-{role}")
    signed["version"] += 1
    forge.documents(signed, kind, role, {NAME: WANTED.encode()}, index)
    edit(forge, signed)
    forge.put(f"{kind}-{role}", signed, by, ids=ids)
    bench.refresh(forge.finish(at=bench.at))
    return lambda: bench.holds(f"{kind}/{role}/{NAME}")


def delegating(bench: Bench, edit: Edit) -> Files:
    """North with other delegations, signed by two persons, and settled with."""
    forge = bench.forge()
    forge.edit("targets", ("ann", "ben"), edit)
    files = forge.finish(at=bench.at)
    bench.settle(files)
    return files


def delegation(targets: Json, role: str) -> Json:
    found: Json = next(one for one in targets["delegations"]["roles"] if one["name"] == role)
    return found


# -- who signed


@attack("under-signed", "bad-metadata", step="refresh")
def policy_by_nobody(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return policy(bench, () if evil else ("ann",))


@attack("under-signed", "bad-metadata", step="refresh")
def policy_by_somebody_of_another_role(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return policy(bench, ("mal",) if evil else ("eve",), role="year")


@attack("under-signed", "bad-metadata", step="refresh")
def policy_by_somebody_who_was_fired(bench: Bench, evil: bool) -> Took:
    bench.north.fire("eve", bench.at)
    bench.settle(bench.north.publish(bench.at))
    return policy(bench, ("eve",) if evil else ("ben",), role="year")


@attack("under-signed", step="check_persons")
def policy_by_a_key_that_trust_does_not_give_the_role(bench: Bench, evil: bool) -> Took:
    def edit(targets: Json) -> None:
        delegation(targets, "policy-year")["keyids"].append(list_key(targets["delegations"]["keys"], "mal"))

    files = delegating(bench, edit)
    return policy(bench, ("mal",) if evil else ("eve",), role="year", base=files)


@attack("under-signed", "bad-metadata", step="refresh")
def power_by_one_person(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return policy(bench, ("mal",) if evil else ("mal", "ann"), kind="power")


@attack("under-signed", step="check_persons")
def power_by_two_keys_of_one_person(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return policy(bench, ("mal", "mal-2") if evil else ("mal", "ann"), kind="power")


@attack("under-signed", step="check_persons")
def power_by_one_key_under_two_ids(bench: Bench, evil: bool) -> Took:
    twice = "ef" * 32

    def edit(targets: Json) -> None:
        delegation(targets, "power-ict")["keyids"].append(
            list_key(targets["delegations"]["keys"], "mal", twice)
        )

    files = delegating(bench, edit)
    ids = {**sign_ids("mal"), **({twice: "mal"} if evil else sign_ids("ben"))}
    return policy(bench, (), kind="power", ids=ids, base=files)


@attack("under-signed", step="check_persons")
def power_with_a_delegation_that_asks_for_one(bench: Bench, evil: bool) -> Took:
    files = delegating(bench, lambda targets: delegation(targets, "power-ict").update(threshold=1))
    return policy(bench, ("mal",) if evil else ("mal", "ben"), kind="power", base=files)


@attack("not-allowed", step="check_persons")
def power_by_a_role_that_trust_gives_none(bench: Bench, evil: bool) -> Took:
    """Delegated by two persons' slip, but trust.json says that `year` (`ict`) may not."""
    role = "year" if evil else "ict"
    by = ("eve", "ben") if evil else ("ann", "ben")
    forge = bench.forge()

    def edit(targets: Json) -> None:
        keys = targets["delegations"]["keys"]
        targets["delegations"]["roles"].insert(
            0,
            {
                "name": "power-year",
                "threshold": 2,
                "terminating": True,
                "paths": ["power/year/*"],
                "keyids": [list_key(keys, name) for name in ("eve", "ben")],
            },
        )

    forge.edit("targets", ("ann", "ben"), edit)
    signed = forge.role("power-ict")
    signed["version"] += 1
    forge.documents(signed, "power", role, {NAME: WANTED.encode()})
    forge.put(f"power-{role}", signed, by)
    bench.refresh(forge.finish(at=bench.at))
    return lambda: bench.holds(f"power/{role}/{NAME}")


@attack("bad-metadata", "under-signed", step="refresh")
def policy_signatures_of_another_version(bench: Bench, evil: bool) -> Took:
    """Genuine signatures, moved under other words."""
    bench.north.policy(bench.at, wanted=WANTED)
    files = dict(bench.north.publish(bench.at))
    name = "metadata/2.policy-ict.json"
    if evil:
        new, old = (jsontext.parse(files[f"metadata/{n}.policy-ict.json"], what="") for n in (2, 1))
        assert isinstance(new, dict)
        assert isinstance(old, dict)
        files[name] = jsontext.canonical({"signatures": old["signatures"], "signed": new["signed"]})
        forge = bench.forge(files)
        forge.use("policy-ict", 2)
        files = forge.finish(at=bench.at)
    bench.refresh(files)
    return lambda: bench.holds(f"policy/ict/{NAME}")


# -- fresh


@attack("rollback", step="check_version")
def older_policy_in_a_new_snapshot(bench: Bench, evil: bool) -> Took:
    bench.north.policy(bench.at, home="home: 2\n")
    bench.settle(bench.north.publish(bench.at))
    forge = bench.forge()
    forge.use("policy-ict", 1 if evil else 2)
    bench.refresh(forge.finish(at=bench.at))
    return lambda: (
        bench.accepted() and bench.holds("policy/ict/home.yaml", "home: 1\n" if evil else "home: 2\n")
    )


@attack("rollback", step="commit_orders")
def older_policy_after_a_restart(bench: Bench, evil: bool) -> Took:
    """The generation is lost, so only the ledger remembers what this role had brought."""
    bench.north.policy(bench.at, home="home: 2\n")
    bench.settle(bench.north.publish(bench.at))
    bench.laptop.lose_generations()
    forge = bench.forge()
    forge.use("policy-ict", 1 if evil else 2)
    bench.refresh(forge.finish(at=bench.at))
    return lambda: bench.holds("policy/ict/home.yaml", "home: 1\n" if evil else "home: 2\n")


@attack("expired", step="refresh")
def expired_policy(bench: Bench, evil: bool) -> Took:
    bench.settle()
    when = bench.at + (-1 if evil else 100)
    return policy(bench, ("ann",), edit=lambda forge, it: it.update(expires=instant(when)))


@attack("bad-metadata", step="read_roles")
def policy_dropped_from_the_snapshot(bench: Bench, evil: bool) -> Took:
    """What must not happen is that it stops being in force. Nobody but its signers may withdraw it."""
    bench.settle()
    forge = bench.forge()
    if evil:
        forge.drop("policy-ict")
        bench.refresh(forge.finish(at=bench.at))
    else:
        bench.north.policy(bench.at)
        bench.refresh(bench.north.publish(bench.at))
    return lambda: not bench.holds("policy/ict/home.yaml")


@attack("expired", step="read_roles", beside=("expired",))
def policy_withdrawn_by_expiry(bench: Bench, evil: bool) -> Took:
    """I-5: what was accepted stays when it expires, however late it is."""
    bench.settle()
    late = bench.at + 181 * DAY
    if evil:
        bench.refresh(bench.north.refresh(late), at=late)
    else:
        bench.north.policy(late)
        bench.refresh(bench.north.publish(late), at=late)
    return lambda: bench.accepted() and not bench.holds("policy/ict/home.yaml")


# -- what it says


@attack("wrong-site", step="check_site")
def policy_of_a_site_that_shares_keys(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return policy(bench, ("ann",), edit=lambda forge, it: it.update(site="south" if evil else "north"))


@attack("bad-metadata", step="check_type")
def policy_that_delegates_on(bench: Bench, evil: bool) -> Took:
    bench.settle()

    def edit(forge: Forge, it: Json) -> None:
        if evil:
            it["delegations"] = {"keys": {}, "roles": []}

    return policy(bench, ("ann",), edit=edit)


@attack("bad-path", step="check_paths")
def policy_that_names_a_file_of_another_role(bench: Bench, evil: bool) -> Took:
    bench.settle()
    path = "policy/ict/zoo.yaml" if evil else None

    def edit(forge: Forge, it: Json) -> None:
        if path is not None:
            forge.target(it, path, b"zoo: 1\n")

    return policy(bench, ("eve",), role="year", edit=edit)


@attack("bad-path", step="check_paths")
def policy_with_a_name_that_climbs(bench: Bench, evil: bool) -> Took:
    bench.settle()
    name = "..%2f..%2fwanted" if evil else "wanted-2"
    data = {NAME: WANTED.encode(), f"{name}.yaml": b"x: 1\n"}
    return policy(bench, ("ann",), edit=lambda forge, it: forge.documents(it, "policy", "ict", data))


@attack("too-many", step="check_paths")
def policy_of_a_thousand_documents(bench: Bench, evil: bool) -> Took:
    bench.settle()
    data = {f"n{number}.yaml": b"x: 1\n" for number in range(1000 if evil else 60)}
    data[NAME] = WANTED.encode()
    return policy(bench, ("ann",), edit=lambda forge, it: forge.documents(it, "policy", "ict", data))


@attack("too-large", step="check_paths")
def policy_document_of_a_megabyte(bench: Bench, evil: bool) -> Took:
    bench.settle()
    data = {NAME: WANTED.encode(), "big.yaml": b"#" * ((400 if evil else 200) << 10)}
    return policy(bench, ("ann",), edit=lambda forge, it: forge.documents(it, "policy", "ict", data))


@attack("wrong-site", step="check_index")
def index_of_another_role(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return policy(bench, ("ann",), index={"role": "year" if evil else "ict"})


@attack("wrong-site", step="check_index")
def index_of_another_site(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return policy(bench, ("ann",), index={"site": "south" if evil else "north"})


@attack("bad-metadata", step="check_index")
def index_that_hides_a_document(bench: Bench, evil: bool) -> Took:
    bench.settle()

    def edit(forge: Forge, it: Json) -> None:
        data = {NAME: WANTED.encode()}
        if not evil:
            data["second.yaml"] = b"x: 1\n"
        forge.documents(it, "policy", "ict", data)
        if evil:
            forge.target(it, "policy/ict/second.yaml", b"x: 1\n")

    return policy(bench, ("ann",), edit=edit)


@attack("not-allowed", step="check_index")
def index_with_a_rank_that_the_role_may_not_use(bench: Bench, evil: bool) -> Took:
    bench.settle()
    entry: Json = {
        "sha256": hashlib.sha256(WANTED.encode()).hexdigest(),
        "rank": "school" if evil else "class",
        "applies_to": {},
    }
    return policy(bench, ("eve",), role="year", index={"documents": {NAME: entry}})


@attack("bad-metadata", step="")
def document_swapped_for_another(bench: Bench, evil: bool) -> Took:
    """Not a step that can be left out: the hash is part of reading."""
    bench.settle()
    bench.north.policy(bench.at, wanted=WANTED)
    files = dict(bench.north.publish(bench.at))
    if evil:
        place = f"targets/policy/ict/{hashlib.sha256(WANTED.encode()).hexdigest()}.{NAME}"
        assert place in files
        files[place] = WANTED.replace("yes", "all").encode()
    bench.refresh(files)
    return lambda: bench.holds(f"policy/ict/{NAME}")


@attack("recovering", step="check_recovering", beside=("recovering",))
def policy_from_before_the_ledger_was_lost(bench: Bench, evil: bool) -> Took:
    """Everything else is signed anew; this policy was never seen before the loss."""
    bench.settle()
    since = bench.at + 3600
    bench.north.policy(since + (-1800 if evil else 1800), wanted=WANTED)
    bench.laptop.lose_ledger("zero")
    bench.refresh(at=since)
    bench.north.renew(since + 1800, "targets")
    bench.refresh(bench.north.publish(since + 1800), at=since + 1800)
    return lambda: bench.holds(f"policy/ict/{NAME}")
