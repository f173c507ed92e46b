"""Attacks on freshness, root and targets."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.core import jsontext
from agent.core.clock import Reading
from agent.core.errors import BookbagError
from tests.trust.evil.bench import Bench, list_key, sign_ids
from tests.trust.evil.desk import DAY, START, key, seal_key, targets_in
from tests.trust.evil.forge import Json, instant
from tests.trust.evil.table import attack

Took = Callable[[], bool]

# -- rollback


@attack("rollback", step="compare_high_water")
def whole_old_site_replayed(bench: Bench, evil: bool) -> Took:
    old = bench.files
    bench.north.policy(bench.at, home="home: 2\n")
    new = bench.north.publish(bench.at)
    bench.settle(new)
    bench.refresh(old if evil else new)
    return bench.accepted


@attack("rollback", step="compare_high_water")
def old_snapshot_under_a_new_timestamp(bench: Bench, evil: bool) -> Took:
    old = bench.north.versions()["snapshot"]
    bench.north.policy(bench.at, home="home: 2\n")
    bench.settle(bench.north.publish(bench.at))
    forge = bench.forge()
    bench.refresh(forge.finish(at=bench.at, snapshot=(lambda it: it.update(version=old)) if evil else None))
    return bench.accepted


@attack("rollback", step="compare_high_water")
def old_targets_in_a_new_snapshot(bench: Bench, evil: bool) -> Took:
    bench.north.fire("eve", bench.at)
    bench.settle(bench.north.publish(bench.at))
    forge = bench.forge()
    forge.use("targets", 1 if evil else 2)
    bench.refresh(forge.finish(at=bench.at))
    return bench.accepted


@attack("rollback", step="compare_high_water")
def former_root_hidden_after_the_generation_was_lost(bench: Bench, evil: bool) -> Took:
    before = bench.files
    bench.north.rotate_online(bench.at)
    after = bench.north.publish(bench.at)
    bench.settle(after)
    bench.laptop.lose_generations()
    bench.refresh(before if evil else after)
    return bench.accepted


@attack("bad-metadata", "under-signed", step="refresh")
def former_online_keys(bench: Bench, evil: bool) -> Took:
    stolen = bench.north.online
    bench.north.rotate_online(bench.at, previous=False)
    bench.settle(bench.north.publish(bench.at))
    forge = bench.forge()
    forge.online = stolen if evil else bench.north.online
    bench.refresh(forge.finish(at=bench.at))
    return bench.accepted


@attack("rollback", step="check_least_targets")
def targets_older_than_root_demands(bench: Bench, evil: bool) -> Took:
    """A laptop that never saw the newer targets; the new root is shown to it, the old targets too."""
    bench.north.renew(bench.at, "targets")
    bench.north.publish(bench.at)
    bench.north.repository.rotate(at=bench.at)
    bench.north.sign("root", "ann", "ben")
    forge = bench.forge(bench.north.publish(bench.at))
    forge.use("targets", 1 if evil else 2)
    bench.refresh(forge.finish(at=bench.at))
    return bench.accepted


@attack("rollback", step="commit_high_water")
def old_site_after_a_newer_was_verified_but_not_kept(bench: Bench, evil: bool) -> Took:
    """The disk failed in the middle; what was verified by then is remembered all the same."""
    old = bench.files
    bench.settle()
    bench.north.fire("eve", bench.at)
    new = bench.north.publish(bench.at)
    blocked = bench.folder / "no-folder"
    blocked.write_bytes(b"")
    with pytest.raises((BookbagError, OSError)):
        bench.refresh(new, generation=str(blocked / "1"))
    bench.refresh(old if evil else new)
    return bench.accepted


# -- expiry


def expired(role: str) -> Callable[[Bench, bool], Took]:
    def play(bench: Bench, evil: bool) -> Took:
        bench.settle()
        forge = bench.forge()
        when = bench.at + (-1 if evil else 100)

        def old(it: Json) -> None:
            it["expires"] = instant(when)

        if role == "targets":
            forge.edit("targets", ("ann", "ben"), old)
        files = forge.finish(
            at=bench.at,
            stamp=old if role == "timestamp" else None,
            snapshot=old if role == "snapshot" else None,
        )
        bench.refresh(files)
        return bench.accepted

    play.__name__ = f"expired_{role}"
    return play


for _role in ("timestamp", "snapshot", "targets"):
    attack("expired", step="refresh")(expired(_role))


@attack("expired", step="refresh")
def expired_root(bench: Bench, evil: bool) -> Took:
    bench.settle()
    forge = bench.forge()
    root = forge.root(1)
    root.update(version=2, expires=instant(bench.at + (-1 if evil else 100)))
    forge.put_root(root, ("ann", "ben"))
    bench.refresh(forge.finish(at=bench.at))
    return bench.accepted


@attack("expired", step="check_time")
def snapshot_expired_by_signed_time_with_a_slow_clock(bench: Bench, evil: bool) -> Took:
    bench.settle()
    later = bench.at + 10 * DAY

    def stamp(it: Json) -> None:
        it.update(signed_at=later, expires=instant(later + DAY))

    forge = bench.forge()
    files = forge.finish(
        at=bench.at,
        stamp=stamp,
        snapshot=lambda it: it.update(expires=instant(later + (-1 if evil else 100))),
    )
    bench.refresh(files, reading=Reading(0, bench.at - START, "boot", False))
    return bench.accepted


@attack("expired", step="check_time")
def role_expired_by_signed_time_with_a_slow_clock(bench: Bench, evil: bool) -> Took:
    """The whole is fresh; one policy is old, and only signed time shows it."""
    bench.settle()
    later = bench.at + 10 * DAY
    forge = bench.forge()

    def policy(it: Json) -> None:
        forge.documents(it, "policy", "ict", {"home.yaml": b"home: 2\n"})
        it["expires"] = instant(later + (-1 if evil else 100))

    forge.edit("policy-ict", ("ann",), policy)

    def both(it: Json) -> None:
        it.update(signed_at=later, expires=instant(later + DAY))

    bench.refresh(
        forge.finish(stamp=both, snapshot=both), reading=Reading(0, bench.at - START, "boot", False)
    )
    return lambda: bench.holds("policy/ict/home.yaml", "home: 2\n")


# -- root


@attack("under-signed", "bad-metadata", step="refresh")
def root_by_one_person(bench: Bench, evil: bool) -> Took:
    bench.settle()
    forge = bench.forge()
    root = forge.root(1)
    root["version"] = 2
    forge.put_root(root, ("mal",) if evil else ("mal", "ben"))
    bench.refresh(forge.finish(at=bench.at))
    return bench.accepted


@attack("under-signed", step="check_root_persons")
def root_by_one_key_under_two_ids(bench: Bench, evil: bool) -> Took:
    twice = "ab" * 32

    def edit(root: Json) -> None:
        list_key(root["keys"], "mal", twice)
        root["persons"][twice] = "mal"
        root["roles"]["root"]["keyids"].append(twice)

    files = bench.with_root(edit)
    bench.enrol(files)
    bench.settle(files)
    forge = bench.forge(files)
    root = forge.root(1)
    root["version"] = 2
    forge.put_root(root, ids={**sign_ids("mal"), **({twice: "mal"} if evil else sign_ids("ben"))})
    bench.refresh(forge.finish(at=bench.at))
    return bench.accepted


@attack("under-signed", step="check_root_persons")
def root_by_two_keys_of_one_person(bench: Bench, evil: bool) -> Took:
    def edit(root: Json) -> None:
        second = list_key(root["keys"], "mal-2")
        root["persons"][second] = "mal"
        root["roles"]["root"]["keyids"].append(second)

    files = bench.with_root(edit)
    bench.enrol(files)
    bench.settle(files)
    forge = bench.forge(files)
    root = forge.root(1)
    root["version"] = 2
    forge.put_root(root, ("mal", "mal-2") if evil else ("mal", "ann"))
    bench.refresh(forge.finish(at=bench.at))
    return bench.accepted


@attack("under-signed", step="check_root_persons")
def root_that_lowers_its_own_threshold(bench: Bench, evil: bool) -> Took:
    files = bench.with_root(lambda root: root["roles"]["root"].update(threshold=1))
    bench.enrol(files)
    bench.settle(files)
    forge = bench.forge(files)
    root = forge.root(1)
    root["version"] = 2
    forge.put_root(root, ("mal",) if evil else ("mal", "ben"))
    bench.refresh(forge.finish(at=bench.at))
    return bench.accepted


@attack("under-signed", "bad-metadata", step="refresh")
def root_for_another_set_of_holders(bench: Bench, evil: bool) -> Took:
    """New holders sign their own root; the old ones did not."""
    bench.settle()
    forge = bench.forge()
    root = forge.root(1)
    ids = [list_key(root["keys"], name) for name in ("cat", "dan")]
    root.update(version=2, persons=dict(zip(ids, ("cat", "dan"), strict=True)))
    root["roles"]["root"] = {"keyids": ids, "threshold": 2}
    root["roles"]["targets"] = {"keyids": [*ids, *sign_ids("ann", "ben")], "threshold": 2}
    root["persons"].update(sign_ids("ann", "ben"))
    forge.put_root(root, ("cat", "dan") if evil else ("cat", "dan", "ann", "ben"))
    bench.refresh(forge.finish(at=bench.at))
    return bench.accepted


@attack("wrong-site", step="check_sites")
def root_of_a_site_that_shares_keys(bench: Bench, evil: bool) -> Took:
    bench.settle()
    forge = bench.forge()
    root = forge.root(1)
    root.update(version=2, site="south" if evil else "north")
    forge.put_root(root, ("ann", "ben"))
    bench.refresh(forge.finish(at=bench.at))
    return bench.accepted


# -- targets and trust.json


def foreign(*roles: str) -> Callable[[Bench, bool], Took]:
    """Some of the files come from a site that shares all keys."""

    def play(bench: Bench, evil: bool) -> Took:
        bench.settle()
        forge = bench.forge()
        site = "south" if evil else "north"
        if "targets" in roles:
            forge.edit("targets", ("ann", "ben"), lambda it: it.update(site=site))

        def edit(it: Json) -> None:
            if it["_type"] in roles:
                it["site"] = site

        bench.refresh(forge.finish(at=bench.at, stamp=edit, snapshot=edit))
        return bench.accepted

    play.__name__ = f"foreign_{roles[0]}"
    return play


for _role in ("timestamp", "snapshot", "targets"):
    attack("wrong-site", step="check_sites")(foreign(_role))


@attack("wrong-site", step="check_sites")
def whole_foreign_site(bench: Bench, evil: bool) -> Took:
    bench.settle()
    south = bench.south
    for _ in range(3):
        south.refresh(bench.at)
    north = bench.north.refresh(bench.at)
    files = {**north, **south.history[-1]} if evil else north
    files["metadata/1.root.json"] = north["metadata/1.root.json"]
    bench.refresh(files)
    return bench.accepted


@attack("under-signed", "bad-metadata", step="refresh")
def targets_by_one_person(bench: Bench, evil: bool) -> Took:
    bench.settle()
    forge = bench.forge()
    forge.edit("targets", ("mal",) if evil else ("mal", "ann"), lambda it: None)
    bench.refresh(forge.finish(at=bench.at))
    return bench.accepted


@attack("under-signed", step="check_targets_persons")
def targets_by_one_key_under_two_ids(bench: Bench, evil: bool) -> Took:
    twice = "cd" * 32

    def edit(root: Json) -> None:
        list_key(root["keys"], "mal", twice)
        root["persons"][twice] = "mal"
        root["roles"]["targets"]["keyids"].append(twice)

    files = bench.with_root(edit)
    bench.enrol(files)
    bench.settle(files)
    forge = bench.forge(files)
    forge.edit(
        "targets",
        (),
        lambda it: None,
        ids={**sign_ids("mal"), **({twice: "mal"} if evil else sign_ids("ann"))},
    )
    bench.refresh(forge.finish(at=bench.at))
    return bench.accepted


@attack("under-signed", step="check_targets_persons")
def targets_by_two_keys_of_one_person(bench: Bench, evil: bool) -> Took:
    def edit(root: Json) -> None:
        second = list_key(root["keys"], "mal-2")
        root["persons"][second] = "mal"
        root["roles"]["targets"]["keyids"].append(second)

    files = bench.with_root(edit)
    bench.enrol(files)
    bench.settle(files)
    forge = bench.forge(files)
    forge.edit("targets", ("mal", "mal-2") if evil else ("mal", "ben"), lambda it: None)
    bench.refresh(forge.finish(at=bench.at))
    return bench.accepted


@attack("under-signed", step="check_targets_persons")
def targets_threshold_of_one(bench: Bench, evil: bool) -> Took:
    files = bench.with_root(lambda root: root["roles"]["targets"].update(threshold=1))
    bench.enrol(files)
    bench.settle(files)
    forge = bench.forge(files)
    forge.edit("targets", ("mal",) if evil else ("mal", "ben"), lambda it: None)
    bench.refresh(forge.finish(at=bench.at))
    return bench.accepted


def trusting(
    bench: Bench, edit: Callable[[Json], object], change: Callable[[Json], object] = lambda it: None
) -> Took:
    """Two persons sign a targets whose trust.json is as ``edit`` leaves it: a slip at the desk, or two stolen
    keys.
    """
    forge = bench.forge()
    value = jsontext.parse(bench.north.repository.trust().to_bytes(), what="trust.json")
    assert isinstance(value, dict)
    edit(value)

    def targets(it: Json) -> None:
        forge.target(it, "trust.json", jsontext.canonical(value))
        change(it)

    forge.edit("targets", ("ann", "ben"), targets)
    bench.refresh(forge.finish(at=bench.at))
    return bench.accepted


@attack("wrong-site", step="check_trust")
def trust_of_another_site(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return trusting(bench, lambda it: it.update(site="south" if evil else "north"))


@attack("wrong-epoch", step="check_trust")
def trust_of_another_epoch_than_targets(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return trusting(bench, lambda it: it.update(epoch=3 if evil else 2), lambda it: it.update(epoch=2))


@attack("wrong-epoch", step="check_trust")
def trust_of_an_epoch_before_roots(bench: Bench, evil: bool) -> Took:
    files = bench.with_root(lambda root: root.update(epoch=2 if evil else 1))
    bench.enrol(files)
    bench.refresh(files)
    return bench.accepted


@attack("bad-metadata", step="read_trust")
def trust_that_lowers_a_floor(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return trusting(bench, lambda it: it["kinds"].update(wipe={"persons": 1 if evil else 3, "who": []}))


@attack("duplicate-person", step="read_trust")
def trust_with_one_key_for_two_persons(bench: Bench, evil: bool) -> Took:
    bench.settle()
    shared = key("ann" if evil else "gil").public.hex

    def edit(it: Json) -> None:
        it["persons"].append({"id": "zoe", "keys": [shared], "seal_key": seal_key("zoe").public.hex})

    return trusting(bench, edit)


@attack("duplicate-person", step="check_trust")
def trust_that_gives_a_holders_key_to_somebody_else(bench: Bench, evil: bool) -> Took:
    """Root says it is Mal's key, trust.json says it is Zoe's: Mal would count twice."""
    bench.settle()

    def edit(it: Json) -> None:
        mal = next(one for one in it["persons"] if one["id"] == "mal")
        if evil:
            mal["keys"].remove(key("mal").public.hex)
            shared = key("mal").public.hex
        else:
            shared = key("gil").public.hex
        it["persons"].append({"id": "zoe", "keys": [shared], "seal_key": seal_key("zoe").public.hex})

    return trusting(bench, edit)


@attack("bad-metadata", step="read_trust")
def trust_swapped_for_an_older_one(bench: Bench, evil: bool) -> Took:
    old = _trust_file(bench.files, 1)
    bench.north.fire("eve", bench.at)
    files = dict(bench.north.publish(bench.at))
    new = _trust_file(files, 2)
    if evil:
        files[new] = files[old]
    bench.refresh(files)
    return bench.accepted


def _trust_file(files: dict[str, bytes], version: int) -> str:
    return (
        f"targets/{targets_in(files, version, 'targets').targets['trust.json'].hashes['sha256']}.trust.json"
    )


@attack("rollback", step="compare_high_water")
def older_epoch_in_newer_targets(bench: Bench, evil: bool) -> Took:
    """Nobody has signatures for this; a desk that lost its folder could do it by mistake."""
    bench.north.fire("eve", bench.at)
    bench.settle(bench.north.publish(bench.at))
    epoch = 1 if evil else 2
    return trusting(bench, lambda it: it.update(epoch=epoch), lambda it: it.update(epoch=epoch))


@attack("too-many", "too-large", "bad-json", "bad-metadata", step="refresh")
def timestamp_of_a_megabyte(bench: Bench, evil: bool) -> Took:
    bench.settle()
    forge = bench.forge()
    bench.refresh(
        forge.finish(at=bench.at, stamp=lambda it: it.update(filler="x" * ((1 << 20) if evil else 100)))
    )
    return bench.accepted


@attack("bad-metadata", step="refresh")
def snapshot_other_than_the_timestamp_names(bench: Bench, evil: bool) -> Took:
    bench.settle()
    files = dict(bench.north.refresh(bench.at + 4 * DAY))
    now = bench.north.versions()["snapshot"]
    if evil:
        files[f"metadata/{now}.snapshot.json"] = files[f"metadata/{now - 1}.snapshot.json"]
    bench.refresh(files, at=bench.at + 4 * DAY)
    return bench.accepted


def odd_number(role: str, number: int) -> Callable[[Bench, bool], Took]:
    """New online keys, stolen at once: their marks begin anew, and ``true`` would count as version 1; what no
    parser reads back would be the laptop's last good state.
    """

    def play(bench: Bench, evil: bool) -> Took:
        bench.north.rotate_online(bench.at)
        bench.settle(bench.north.publish(bench.at))
        bench.north.rotate_online(bench.at)
        bench.north.publish(bench.at)
        forge = bench.forge()

        def lie(it: Json) -> None:
            it.update(version=number if evil else it["version"])

        bench.refresh(
            forge.finish(
                at=bench.at,
                stamp=lie if role == "timestamp" else None,
                snapshot=lie if role == "snapshot" else None,
            )
        )
        return bench.accepted

    play.__name__ = f"version_of_the_{role}_is_{number}"
    return play


for _role in ("timestamp", "snapshot"):
    for _number in (True, 1 << 60):
        attack("bad-metadata", step="refresh")(odd_number(_role, _number))
