"""The site as a whole: each check of `agent.trust.device.STEPS` with what only it notices, and the same
thing accepted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tuf.api.metadata import Metadata

from agent.core.clock import Now
from agent.core.errors import BookbagError
from agent.trust import device
from agent.trust.generation import load_generation
from agent.trust.site.online import Online
from agent.trust.verified import Verified
from tests.trust import forging
from tests.trust.school import DAY, START, Laptop, School, copy_mirror, names


def foreign(signed: Any) -> None:
    signed.unrecognized_fields["site"] = "south"


def test_the_steps_are_these_and_in_this_order() -> None:
    assert [step.__name__ for step in device.STEPS] == [
        "refresh",
        "check_sites",
        "check_root_persons",
        "check_targets_persons",
        "check_least_targets",
        "check_time",
        "check_recovering",
        "read_trust",
        "check_trust",
        "compare_high_water",
        "commit_high_water",
        "read_log",
        "read_mail",
        "check_readmitted",
        "read_roles",
        "make_view",
        "write",
        "commit_orders",
    ]


@pytest.mark.parametrize("which", ["timestamp", "snapshot"])
def test_online_metadata_of_another_site_is_refused(school: School, laptop: Laptop, which: str) -> None:
    def right(signed: Any) -> None:
        signed.unrecognized_fields["site"] = "north"

    forging.republish(school.mirror, school, **{which: foreign})
    assert (laptop.refusal(school.mirror).code, laptop.refusal(school.mirror).place) == ("wrong-site", which)
    forging.republish(school.mirror, school, **{which: right})
    assert laptop.verify(school.mirror).site == "north"


def test_targets_of_another_site_is_refused(school: School, laptop: Laptop) -> None:
    keys = [school.people["ada"].key, school.people["bo"].key]
    forging.edit_role(school.mirror, school, "targets", foreign, keys)
    assert (laptop.refusal(school.mirror).code, laptop.refusal(school.mirror).place) == (
        "wrong-site",
        "targets",
    )
    forging.edit_role(
        school.mirror, school, "targets", lambda signed: signed.unrecognized_fields.update(site="north"), keys
    )
    assert laptop.verify(school.mirror).versions["targets"] == 3


def test_a_root_of_another_site_is_refused(school: School, laptop: Laptop) -> None:
    root = forging.load(school.mirror, "1.root.json")
    root.signed.version = 2
    keys = [school.people["ada"].key, school.people["bo"].key]
    foreign(root.signed)
    forging.save(school.mirror, "2.root.json", root, keys)
    assert laptop.refusal(school.mirror).code == "wrong-site"
    root.signed.unrecognized_fields["site"] = "north"
    forging.save(school.mirror, "2.root.json", root, keys)
    assert laptop.verify(school.mirror).versions["root"] == 2


def test_the_laptops_own_site_decides(school: School, tmp_path: Path) -> None:
    assert Laptop(tmp_path / "x", school, site="south").refusal(school.mirror).code == "wrong-site"


def test_root_can_end_what_old_targets_allowed(school: School, laptop: Laptop) -> None:
    school.repository.stage_trust(school.trust(), at=START)
    school.sign("targets", "ada", "bo")
    old = school.folder / "published" / "metadata" / "1.targets.json"
    kept = old.read_bytes()
    school.publish()
    school.repository.rotate(at=START)
    school.sign("root", "ada", "bo")
    school.publish()
    assert laptop.verify(school.mirror).versions["root"] == 2
    # A new laptop, shown the old targets by a thief of the online keys:
    fresh = Laptop(laptop.folder / "fresh", school)
    old.write_bytes(kept)
    forging.republish(school.mirror, school, snapshot=forging.point(school.mirror, "targets", 1))
    assert (fresh.refusal(school.mirror).code, fresh.refusal(school.mirror).place) == ("rollback", "targets")
    forging.republish(school.mirror, school, snapshot=forging.point(school.mirror, "targets", 2))
    assert fresh.verify(school.mirror).versions["targets"] == 2


# -- trust.json


def change_trust(school: School, **fields: object) -> None:
    """Sign a trust.json that the desk itself would not make."""
    import hashlib

    path = school.folder / "staged" / "targets" / "trust.json"
    school.repository.stage_trust(school.trust(), at=START)
    data = json.dumps({**json.loads(path.read_bytes()), **fields}).encode()
    path.write_bytes(data)

    def name(signed: Any) -> None:
        signed.targets["trust.json"].hashes = {"sha256": hashlib.sha256(data).hexdigest()}
        signed.targets["trust.json"].length = len(data)

    forging.restage(school, "targets", name)
    place = school.mirror / "targets" / f"{hashlib.sha256(data).hexdigest()}.trust.json"
    place.write_bytes(data)
    staged = Metadata[Any].from_bytes((school.folder / "staged" / "metadata" / "targets.json").read_bytes())
    version = staged.signed.version
    forging.save(
        school.mirror, f"{version}.targets.json", staged, [school.people["ada"].key, school.people["bo"].key]
    )
    forging.republish(school.mirror, school, snapshot=forging.point(school.mirror, "targets", version))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"site": "south"}, "wrong-site"),
        ({"epoch": 2}, "wrong-epoch"),
        ({"kinds": {"wipe": {"persons": 1}}}, "bad-metadata"),
        ({"v": 9}, "format-too-new"),
        ({"fleet_size": 301}, None),
    ],
)
def test_trust_must_agree_with_targets_and_the_floors(
    school: School, laptop: Laptop, fields: dict[str, object], code: str | None
) -> None:
    change_trust(school, **fields)
    if code is None:
        assert laptop.verify(school.mirror).trust.fleet_size == 301
    else:
        assert laptop.refusal(school.mirror).code == code


def test_a_root_key_is_nobody_elses_in_trust(school: School, laptop: Laptop) -> None:
    persons = json.loads(school.trust().to_bytes())["persons"]
    persons[0]["keys"], persons[1]["keys"] = persons[1]["keys"], persons[0]["keys"]
    change_trust(school, persons=persons)
    assert laptop.refusal(school.mirror).code == "duplicate-person"


def test_root_demands_an_epoch(school: School, laptop: Laptop) -> None:
    keys = [school.people["ada"].key, school.people["bo"].key]
    root = forging.load(school.mirror, "1.root.json")
    root.signed.version = 2
    for epoch, code in ((2, "wrong-epoch"), (1, None)):
        root.signed.unrecognized_fields["epoch"] = epoch
        forging.save(school.mirror, "2.root.json", root, keys)
        if code:
            assert laptop.refusal(school.mirror).code == code
    assert laptop.verify(school.mirror).epoch == 1


def test_an_epoch_is_never_left_again(tmp_path: Path, school: School, laptop: Laptop) -> None:
    laptop.verify(school.mirror)
    school.repository.stage_trust(school.trust(epoch=2, without=("cy",)), at=START)
    school.sign("targets", "ada", "bo")
    school.publish()
    assert laptop.verify(school.mirror).epoch == 2
    marks, notes = laptop.high_water.read() or ({}, {})
    laptop.high_water.commit({**marks, "epoch": 3}, notes)
    assert laptop.refusal(school.mirror).code == "rollback"


# -- time


def test_signed_time_is_not_believed_beyond_root_and_targets(school: School, laptop: Laptop) -> None:
    """A thief of the online keys cannot run a laptop's clock away for ever."""
    far = START + 10 * 365 * DAY

    def ahead(signed: Any) -> None:
        signed.unrecognized_fields["signed_at"] = far
        from agent.trust.site.staging import unix

        signed.expires = unix(far + DAY)

    forging.republish(school.mirror, school, timestamp=ahead)
    assert laptop.refusal(school.mirror).code == "expired"  # at the expiry of targets, nothing holds any more
    assert laptop.marks() == {}


def test_what_expired_before_it_was_signed_is_refused(school: School, laptop: Laptop) -> None:
    """A laptop whose clock stands years back still sees from signed time that a snapshot is stale."""
    slow = START - 300 * DAY
    assert laptop.verify(school.mirror, at=slow).signed_at == START

    def later(signed: Any) -> None:
        from agent.trust.site.staging import unix

        signed.unrecognized_fields["signed_at"] = START + 8 * DAY
        signed.expires = unix(START + 11 * DAY)

    forging.republish(school.mirror, school, timestamp=later)
    assert laptop.refusal(school.mirror, at=slow).code == "expired"
    school.repository.refresh(school.online, at=START + 8 * DAY)
    assert laptop.verify(school.mirror, at=slow).signed_at == START + 8 * DAY


def test_time_that_replaced_keys_told_is_void(school: School, laptop: Laptop) -> None:
    """A thief's far signed time would make every honest word expired on arrival; a new root ends that."""
    ahead = START + 75 * DAY
    laptop.verify(school.mirror)
    fast = Now(ahead, "good", START)  # what the clock makes of the thief's word: told, not certain
    assert laptop.refusal(school.mirror, now=fast).code == "expired"
    school.online = Online.generate()
    school.repository.rotate(at=START, online=school.online.public)
    school.sign("root", "ada", "bo")
    school.sign("targets", "ada", "bo")
    school.publish()
    view = laptop.verify(school.mirror, now=fast)
    assert view.signed_at == START
    assert view.time_keys == school.online.timestamp.public.hex
    assert laptop.refusal(school.mirror, now=fast).code == "expired"  # these keys are known now
    assert laptop.refusal(school.mirror, now=Now(ahead, "good", ahead)).code == "expired"


def test_expired_metadata_brings_nothing_and_takes_nothing(school: School, laptop: Laptop) -> None:
    """I-5."""
    before = laptop.verify(school.mirror)
    assert laptop.refusal(school.mirror, at=START + 3 * DAY).code == "expired"
    assert load_generation(before.generation).value == before
    assert not before.expired(START + 3 * DAY - 1)
    assert before.expired(START + 3 * DAY)


# -- high water


@pytest.mark.parametrize("mark", ["root", "targets", "timestamp", "snapshot"])
def test_nothing_older_than_accepted_before(school: School, laptop: Laptop, mark: str) -> None:
    laptop.verify(school.mirror)
    marks, notes = laptop.high_water.read() or ({}, {})
    laptop.high_water.commit({**marks, mark: marks[mark] + 1}, notes)
    assert laptop.refusal(school.mirror).code == "rollback"
    laptop.high_water.commit(marks, notes)
    assert names(laptop.verify(school.mirror)) == ["policy/ict/home.yaml"]


class Stubborn:
    """A ledger whose disk is full."""

    def __init__(self) -> None:
        self.asked = 0

    def read(self) -> tuple[Mapping[str, int], Mapping[str, str]] | None:
        return None

    def commit(self, marks: Mapping[str, int], notes: Mapping[str, str]) -> None:
        self.asked += 1
        raise BookbagError("disk-full", "cannot write: no space left")


def test_nothing_is_used_before_the_ledger_is_on_disk(school: School, laptop: Laptop) -> None:
    wanted = laptop.wanted(START)
    ledger = Stubborn()
    with pytest.raises(BookbagError) as error:
        device.verify_site(str(school.mirror), wanted, ledger)
    assert (error.value.code, ledger.asked) == ("disk-full", 1)
    assert not Path(wanted.generation).exists()


def test_online_marks_belong_to_their_keys(school: School, laptop: Laptop) -> None:
    """Fast-forward recovery: a thief ran the online versions up; a new root with new keys makes the site
    usable again."""
    laptop.verify(school.mirror)

    def far(signed: Any) -> None:
        signed.version = 1 << 40

    forging.republish(school.mirror, school, timestamp=far)
    assert laptop.verify(school.mirror).versions["timestamp"] == 1 << 40
    _restore_timestamp(school)
    assert laptop.refusal(school.mirror).code == "rollback"

    school.online = Online.generate()
    school.repository.rotate(at=START, online=school.online.public)
    school.sign("root", "ada", "bo")
    school.sign("targets", "ada", "bo")
    school.publish()
    view = laptop.verify(school.mirror)
    assert view.versions["timestamp"] < 1000
    assert names(view) == ["policy/ict/home.yaml"]


def test_offline_marks_are_never_reset(school: School, laptop: Laptop) -> None:
    school.policy(home="policy: two\n")
    school.publish()
    laptop.verify(school.mirror)
    school.online = Online.generate()
    school.repository.rotate(at=START, online=school.online.public)
    school.sign("root", "ada", "bo")
    school.sign("targets", "ada", "bo")
    school.publish()
    forging.republish(school.mirror, school, snapshot=forging.point(school.mirror, "policy-ict", 1))
    view = laptop.verify(school.mirror)
    assert [one.code for one in view.refusals] == ["rollback"]
    assert view.documents[0].data == b"policy: two\n"


def _restore_timestamp(school: School) -> None:
    stamp = forging.load(school.mirror, "timestamp.json")
    stamp.signed.version = 50
    forging.save(school.mirror, "timestamp.json", stamp, [school.online.timestamp])


# -- malformed mirrors


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("timestamp.json", b"", "bad-metadata"),
        ("timestamp.json", b"{}", "bad-metadata"),
        ("timestamp.json", b"[]", "bad-metadata"),
        ("timestamp.json", b"<!DOCTYPE html><title>Free Wi-Fi</title>", "network"),
        ("timestamp.json", b"{" * 40, "too-large"),
        ("timestamp.json", b'{"signed": 1, "signed": 2}', "bad-json"),
        ("timestamp.json", b" " * 20_000, "too-large"),
        ("timestamp.json", b"\xff\xfe", "bad-json"),
        ("timestamp.json", None, "not-found"),
        ("2.snapshot.json", None, "not-found"),
        ("2.root.json", b"{}", "bad-metadata"),
        ("2.root.json", b"<html>", "network"),
    ],
)
def test_malformed_metadata_ends_with_one_clear_error(
    tmp_path: Path, school: School, laptop: Laptop, name: str, data: bytes | None, code: str
) -> None:
    school.publish()
    mirror = copy_mirror(school.mirror, tmp_path / "mirror")
    path = mirror / "metadata" / name
    if name == "2.snapshot.json":
        path = (
            mirror
            / "metadata"
            / f"{forging.load(mirror, 'timestamp.json').signed.snapshot_meta.version}.snapshot.json"
        )
    path.unlink(missing_ok=True)
    if data is not None:
        path.write_bytes(data)
    assert laptop.refusal(mirror).code == code
    assert laptop.marks() == {}
    assert laptop.verify(school.mirror).documents


def test_every_truncation_of_the_timestamp_is_refused(tmp_path: Path, school: School, laptop: Laptop) -> None:
    mirror = copy_mirror(school.mirror, tmp_path / "mirror")
    path = mirror / "metadata" / "timestamp.json"
    whole = path.read_bytes()
    for size in range(0, len(whole), 37):
        path.write_bytes(whole[:size])
        assert laptop.refusal(mirror).code in ("bad-metadata", "bad-json")
    path.write_bytes(whole)
    assert laptop.verify(mirror).documents


# -- generations


def test_a_generation_that_others_may_write_is_not_believed(school: School, laptop: Laptop) -> None:
    view = laptop.verify(school.mirror)
    folder = Path(view.generation)
    folder.chmod(0o777)
    with pytest.raises(BookbagError) as error:
        load_generation(str(folder))
    assert error.value.code == "state-corrupt"
    folder.chmod(0o700)
    assert load_generation(str(folder)).value == view


def test_a_damaged_generation_says_so(school: School, laptop: Laptop) -> None:
    view = laptop.verify(school.mirror)
    folder = Path(view.generation)
    for path in [
        folder / "view.json",
        *folder.glob("targets/policy/ict/*home.yaml"),
        *folder.glob("targets/*trust.json"),
    ]:
        good = path.read_bytes()
        for bad in (b"", good[:-1], good[:-1] + b"?"):
            path.write_bytes(bad)
            with pytest.raises(BookbagError) as error:
                load_generation(str(folder))
            assert error.value.code == "state-corrupt"
        path.write_bytes(good)
    assert load_generation(str(folder)).value == view
    (folder / "view.json").unlink()
    with pytest.raises(BookbagError) as error:
        load_generation(str(folder))
    assert error.value.code == "not-found"


def test_a_finished_generation_is_never_written_again(school: School, laptop: Laptop) -> None:
    view = laptop.verify(school.mirror)
    assert laptop.refusal(school.mirror, generation=view.generation).code == "already-done"


def test_an_unfinished_generation_may_be_tried_again(school: School, laptop: Laptop) -> None:
    wanted = laptop.wanted(START)
    unfinished = Path(wanted.generation)
    (unfinished / "metadata").mkdir(parents=True, mode=0o700)
    unfinished.chmod(0o700)
    (unfinished / "metadata" / "timestamp.json").write_bytes(b"half")
    view = device.verify_site(str(school.mirror), wanted, laptop.high_water).value
    assert load_generation(view.generation).value == view


def test_without_its_previous_generation_a_laptop_still_takes_the_site(
    school: School, laptop: Laptop
) -> None:
    view = laptop.verify(school.mirror)
    (Path(view.generation) / "view.json").write_bytes(b"")
    assert names(laptop.verify(school.mirror)) == ["policy/ict/home.yaml"]


# -- Verified


def test_only_trust_makes_verified_values(school: School, laptop: Laptop) -> None:
    """I-1."""
    import pickle

    with pytest.raises(TypeError):
        Verified("anything", object())
    good = device.verify_site(str(school.mirror), laptop.wanted(START), laptop.high_water)
    with pytest.raises(TypeError):
        good._value = "other"  # type: ignore[assignment]
    with pytest.raises(TypeError):
        pickle.dumps(good)


def test_a_fingerprint_tells_content_not_freshness(school: School, laptop: Laptop) -> None:
    first = laptop.verify(school.mirror)
    school.repository.refresh(school.online, at=START + DAY)
    assert laptop.verify(school.mirror).fingerprint == first.fingerprint
    school.policy(home="policy: other\n")
    school.publish()
    assert laptop.verify(school.mirror).fingerprint != first.fingerprint
