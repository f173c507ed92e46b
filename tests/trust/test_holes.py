"""What python-tuf alone lets through, each shown open with python-tuf and closed with ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from securesystemslib.signer import SSlibKey
from tuf.api import exceptions
from tuf.api.metadata import Metadata
from tuf.ngclient import Updater
from tuf.ngclient.fetcher import FetcherInterface

from agent.trust.fetcher import BASE
from agent.trust.site.online import Online
from tests.trust import forging
from tests.trust.school import START, Laptop, School, copy_mirror, names


class PlainFetcher(FetcherInterface):
    """python-tuf as anyone would use it."""

    def __init__(self, mirror: Path) -> None:
        self.mirror = mirror

    def _fetch(self, url: str) -> Any:
        path = self.mirror / url.removeprefix(BASE)
        if not path.exists():
            raise exceptions.DownloadHTTPError("absent", 404)
        return iter([path.read_bytes()])


def plain_refresh(mirror: Path, cache: Path, bootstrap: bytes) -> Updater:
    """One refresh by python-tuf alone, in a cache of its own, at our trusted time."""
    import datetime

    updater = Updater(
        str(cache),
        f"{BASE}metadata/",
        fetcher=PlainFetcher(mirror),
        bootstrap=bootstrap,
        target_base_url=f"{BASE}targets/",
    )
    updater._trusted_set.reference_time = datetime.datetime.fromtimestamp(START, datetime.UTC)
    updater.refresh()
    return updater


def test_time_is_injected_into_python_tuf(school: School, laptop: Laptop) -> None:
    """Guards the private hook: at a time before expiry the same mirror is accepted, after it is refused."""
    assert names(laptop.verify(school.mirror, at=START)) == ["policy/ict/home.yaml"]
    assert laptop.refusal(school.mirror, at=START + 4 * 86400).code == "expired"
    assert laptop.refusal(school.mirror, at=START + 100 * 365 * 86400).code == "expired"


def test_zeroed_timestamp_and_snapshot_do_not_let_an_old_repository_in(
    tmp_path: Path, school: School, laptop: Laptop
) -> None:
    old = copy_mirror(school.mirror, tmp_path / "old")
    school.policy(home="policy: newer\n")
    school.publish()

    cache = tmp_path / "cache"
    plain_refresh(school.mirror, cache, laptop.bootstrap)
    with pytest.raises(exceptions.BadVersionNumberError):
        plain_refresh(old, cache, laptop.bootstrap)
    for name in ("timestamp.json", "snapshot.json"):
        (cache / name).write_bytes(b"")
    plain_refresh(old, cache, laptop.bootstrap)  # the hole

    laptop.verify(school.mirror)
    assert laptop.refusal(old).code == "rollback"
    assert laptop.previous is not None
    assert laptop.verify(school.mirror).documents[0].data == b"policy: newer\n"


def test_a_lost_cache_does_not_revive_revoked_keys(tmp_path: Path, school: School, laptop: Laptop) -> None:
    before = copy_mirror(school.mirror, tmp_path / "before")
    stolen = school.online
    school.online = Online.generate()
    school.repository.rotate(at=START, online=school.online.public)
    school.sign("root", "ada", "bo")
    school.sign("targets", "ada", "bo")
    school.publish()
    forging.republish(before, school, online=stolen)  # the thief keeps the old root, and signs anew

    plain_refresh(school.mirror, tmp_path / "cache", laptop.bootstrap)
    plain_refresh(before, tmp_path / "lost-cache", laptop.bootstrap)  # the hole

    laptop.verify(school.mirror)
    assert laptop.refusal(before).code in ("under-signed", "rollback")
    laptop.previous = None  # the whole generation is lost; the ledger alone remains
    assert laptop.refusal(before).code == "rollback"
    assert names(laptop.verify(school.mirror)) == ["policy/ict/home.yaml"]


def test_one_key_under_two_ids_does_not_meet_a_threshold(
    tmp_path: Path, school: School, laptop: Laptop
) -> None:
    """A power role that lists one raw key twice: python-tuf counts two, we count one person."""
    ada = school.people["ada"].key
    school.repository.stage_trust(school.trust(), at=START)

    def twice(signed: Any) -> None:
        key = SSlibKey("f" * 64, "ed25519", "ed25519", {"public": ada.public.hex})
        signed.delegations.keys["f" * 64] = key
        role = signed.delegations.roles["power-ict"]
        role.keyids = [ada.public.keyid, "f" * 64]

    forging.restage(school, "targets", twice)
    school.sign("targets", "ada", "bo")
    school.publish()
    school.repository.stage_documents("ict", {"evil.yaml": b"policy: evil\n"}, at=START, power=True)
    staged = school.folder / "staged" / "metadata" / "power-ict.json"
    signed = Metadata[Any].from_bytes(staged.read_bytes())
    forging.save(school.mirror, "1.power-ict.json", signed, [ada])
    forging.keep_signature_under_second_id(
        school.mirror / "metadata" / "1.power-ict.json", ada.public.keyid, "f" * 64
    )
    for path in (school.folder / "staged" / "targets" / "power" / "ict").iterdir():
        import hashlib

        data = path.read_bytes()
        place = (
            school.mirror / "targets" / "power" / "ict" / f"{hashlib.sha256(data).hexdigest()}.{path.name}"
        )
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    forging.republish(school.mirror, school, snapshot=forging.point(school.mirror, "power-ict", 1))

    updater = plain_refresh(school.mirror, tmp_path / "cache", laptop.bootstrap)
    assert updater.get_targetinfo("power/ict/evil.yaml") is not None  # the hole

    view = laptop.verify(school.mirror)
    assert [(one.subject, one.code) for one in view.refusals] == [("power-ict", "under-signed")]
    assert names(view) == ["policy/ict/home.yaml"]


def test_one_root_key_under_two_ids_is_one_person(school: School, laptop: Laptop) -> None:
    """The same in root's own list."""
    ada = school.people["ada"].key
    laptop.verify(school.mirror)
    school.repository.rotate(at=START)

    def twice(signed: Any) -> None:
        signed.keys["f" * 64] = SSlibKey("f" * 64, "ed25519", "ed25519", {"public": ada.public.hex})
        signed.roles["root"].keyids.append("f" * 64)
        signed.unrecognized_fields["persons"]["f" * 64] = "dee"

    forging.restage(school, "root", twice)
    staged = school.folder / "staged" / "metadata" / "root.json"
    signed = Metadata[Any].from_bytes(staged.read_bytes())
    forging.save(school.mirror, "2.root.json", signed, [ada, school.people["bo"].key])
    assert laptop.refusal(school.mirror).code == "duplicate-person"


def test_sites_that_share_keys_cannot_be_swapped(tmp_path: Path, school: School) -> None:
    """South is run by the same persons with the same keys."""
    south = School(tmp_path / "south", site="south", like=school)
    south.policy(home="policy: south\n")
    south.publish()
    laptop = Laptop(tmp_path / "laptop", school)

    plain_refresh(south.mirror, tmp_path / "cache", laptop.bootstrap)  # the hole

    assert laptop.refusal(south.mirror).code == "wrong-site"
    assert laptop.verify(school.mirror).site == "north"
    assert Laptop(tmp_path / "south-laptop", south).verify(south.mirror).site == "south"


def list_second_key(school: School, *roles: str) -> None:
    """Ada's second key is listed for ``roles`` of root beside her first: two key ids, one person."""
    second = school.people["ada"].second
    school.repository.rotate(at=START)

    def both(signed: Any) -> None:
        signed.keys[second.public.keyid] = SSlibKey(
            second.public.keyid, "ed25519", "ed25519", {"public": second.public.hex}
        )
        for role in roles:
            signed.roles[role].keyids.append(second.public.keyid)
        signed.unrecognized_fields["persons"][second.public.keyid] = "ada"

    forging.restage(school, "root", both)
    school.sign("root", "ada", "bo")
    school.publish()


def test_a_root_signed_by_one_person_with_two_keys_is_refused(school: School, laptop: Laptop) -> None:
    list_second_key(school, "root")
    assert laptop.verify(school.mirror).versions["root"] == 2  # a second key as such is no harm
    ada, bo = school.people["ada"], school.people["bo"]
    signed = forging.load(school.mirror, "2.root.json")
    signed.signed.version = 3
    forging.save(school.mirror, "3.root.json", signed, [ada.key, ada.second])
    assert laptop.refusal(school.mirror).code == "under-signed"
    forging.save(school.mirror, "3.root.json", signed, [ada.key, bo.key])
    assert laptop.verify(school.mirror).versions["root"] == 3


def test_targets_signed_by_one_person_with_two_keys_is_refused(
    tmp_path: Path, school: School, laptop: Laptop
) -> None:
    list_second_key(school, "targets")
    laptop.verify(school.mirror)
    ada, bo = school.people["ada"], school.people["bo"]
    signed = forging.load(school.mirror, "1.targets.json")
    signed.signed.version = 2
    point = forging.point(school.mirror, "targets", 2)
    forging.save(school.mirror, "2.targets.json", signed, [ada.key, ada.second])
    forging.republish(school.mirror, school, snapshot=point)
    plain_refresh(school.mirror, tmp_path / "cache", laptop.bootstrap)  # the hole
    assert laptop.refusal(school.mirror).code == "under-signed"
    forging.save(school.mirror, "2.targets.json", signed, [ada.key, bo.key])
    forging.republish(school.mirror, school, snapshot=point)
    assert laptop.verify(school.mirror).versions["targets"] == 2
