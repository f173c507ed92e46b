"""The desk: who must sign what, what is published in which order, and what is refused before it leaves the
building."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from agent.core.errors import BookbagError
from agent.trust.keys import SigningKey
from agent.trust.sealing import seal
from agent.trust.site.online import Online
from agent.trust.site.repository import SiteRepository
from agent.trust.site.staging import Holders, PolicyFile
from tests.trust import forging
from tests.trust.school import DAY, START, Laptop, School, names

HOME = "policy/ict/home.yaml"


def refused(call: Any, *args: Any, **more: Any) -> str:
    with pytest.raises(BookbagError) as error:
        call(*args, **more)
    return error.value.code


# -- signing


def test_signatures_gather_in_files_at_different_times(school: School) -> None:
    school.repository.stage_trust(school.trust(), at=START)
    (one,) = school.repository.pending()
    assert (one.role, one.needed, one.have, one.missing) == ("targets", 2, (), 2)
    assert one.may == ("ada", "bo", "cy")
    assert school.repository.sign("targets", school.people["ada"].key).have == ("ada",)
    later = SiteRepository.open(str(school.folder))
    assert later.sign("targets", school.people["cy"].key).ready
    assert later.publish(school.online, at=START).roles[0] == "targets"
    assert later.pending() == ()


def test_a_key_that_would_not_count_is_refused(school: School) -> None:
    school.repository.stage_trust(school.trust(), at=START)
    assert refused(school.repository.sign, "targets", SigningKey.generate()) == "bad-signature"
    assert refused(school.repository.sign, "root", school.people["ada"].key) == "not-found"
    school.repository.stage_documents("library", {"x.yaml": b"x"}, at=START)
    assert refused(school.repository.sign, "policy-library", school.people["ada"].key) == "bad-signature"


def test_one_persons_two_keys_are_one_at_the_desk_too(school: School) -> None:
    school.repository.stage_documents("ict", {"x.yaml": b"x"}, at=START, power=True)
    ada = school.people["ada"]
    school.repository.sign("power-ict", ada.key)
    assert school.repository.sign("power-ict", ada.second).missing == 1
    assert school.repository.sign("power-ict", school.people["bo"].key).ready


def test_staging_again_drops_signatures(school: School) -> None:
    school.repository.stage_documents("ict", {"x.yaml": b"1"}, at=START)
    school.sign("policy-ict", "ada")
    state = school.repository.stage_documents("ict", {"x.yaml": b"2"}, at=START)
    assert state is not None
    assert state.have == ()


def test_staging_what_is_published_stages_nothing(school: School) -> None:
    assert school.repository.stage_documents("ict", {"home.yaml": b"policy: home\n"}, at=START) is None
    assert school.repository.pending() == ()
    assert school.repository.documents("ict") == {"home.yaml": b"policy: home\n"}


def test_unready_roles_stay_behind(school: School, laptop: Laptop) -> None:
    school.repository.stage_documents("ict", {"x.yaml": b"policy: x\n"}, at=START)
    done = school.publish()
    assert [one.role for one in done.waiting] == ["policy-ict"]
    assert names(laptop.verify(school.mirror)) == [HOME]
    school.sign("policy-ict", "bo")
    assert "policy-ict" in school.publish().roles
    assert names(laptop.verify(school.mirror)) == ["policy/ict/x.yaml"]


def test_the_first_publication_needs_root_and_targets(tmp_path: Path, school: School) -> None:
    names_ = ("ada", "bo", "cy")
    holders = Holders(school.keys(*names_), school.keys(*names_))
    fresh = SiteRepository.create(
        str(tmp_path / "new"), school.trust(), holders, school.online.public, at=START
    )
    assert refused(fresh.publish, school.online, at=START) == "under-signed"
    for role in ("root", "targets"):
        fresh.sign(role, school.people["ada"].key)
    assert refused(fresh.publish, school.online, at=START) == "under-signed"
    assert not (tmp_path / "new" / "published").exists()
    for role in ("root", "targets"):
        fresh.sign(role, school.people["bo"].key)
    fresh.publish(school.online, at=START)


def test_a_document_changed_after_it_was_staged_is_not_published(school: School) -> None:
    school.policy(home="policy: two\n")
    (school.folder / "staged" / "targets" / "policy" / "ict" / "home.yaml").write_bytes(b"policy: evil\n")
    assert refused(school.publish) == "bad-signature"


# -- founding


@pytest.mark.parametrize(
    ("profile", "persons", "code"),
    [
        ("three-admin", 3, None),
        ("three-admin", 2, "under-signed"),
        ("one-admin", 2, None),
        ("one-admin", 1, "under-signed"),
        ("emperor", 3, "bad-argument"),
    ],
)
def test_a_profile_says_how_many_persons(
    tmp_path: Path, school: School, profile: str, persons: int, code: str | None
) -> None:
    keys = school.keys(*("ada", "bo", "cy")[:persons])

    def create() -> SiteRepository:
        return SiteRepository.create(
            str(tmp_path / "new"),
            school.trust(),
            Holders(keys, keys),
            school.online.public,
            at=START,
            profile_name=profile,
        )

    if code:
        assert refused(create) == code
    else:
        assert create().site == "north"
        assert refused(create) == "already-done"


def test_one_admin_alone_cannot_define_trust(tmp_path: Path, school: School) -> None:
    keys = school.keys("ada", "bo")
    made = SiteRepository.create(
        str(tmp_path / "new"),
        school.trust(),
        Holders(keys, keys),
        school.online.public,
        at=START,
        profile_name="one-admin",
    )
    for role in ("root", "targets"):
        assert made.sign(role, school.people["ada"].key).missing == 1
        assert made.sign(role, school.people["bo"].key).ready  # the head of school's printed key


def test_two_persons_cannot_share_a_key(tmp_path: Path, school: School) -> None:
    keys = {**school.keys("ada", "bo"), "cy": school.people["ada"].key.public}
    assert (
        refused(
            SiteRepository.create,
            str(tmp_path / "n"),
            school.trust(),
            Holders(keys, keys),
            school.online.public,
            at=START,
        )
        == "duplicate-person"
    )


def test_open_needs_a_repository(tmp_path: Path) -> None:
    assert refused(SiteRepository.open, str(tmp_path)) == "not-found"


# -- staging limits


def test_what_laptops_would_refuse_is_not_staged(school: School) -> None:
    stage = school.repository.stage_documents
    assert refused(stage, "nobody", {"x.yaml": b""}, at=START) == "not-found"
    assert refused(stage, "library", {"x.yaml": b""}, at=START, power=True) == "not-found"
    assert refused(stage, "ict", {"../x.yaml": b""}, at=START) == "bad-argument"
    assert refused(stage, "ict", {"index.json": b""}, at=START) == "bad-argument"
    assert refused(stage, "ict", {"x.yaml": bytes((256 << 10) + 1)}, at=START) == "too-large"
    assert refused(stage, "ict", {f"{n}.yaml": b"" for n in range(65)}, at=START) == "too-many"
    assert stage("ict", {f"{n}.yaml": b"" for n in range(64)}, at=START)


def test_mail_is_filed_only_sealed(school: School, laptop: Laptop) -> None:
    box = "0" * 32
    assert refused(school.repository.file_mail, box, b"plain text") == "bad-envelope"
    assert refused(school.repository.file_mail, "../x", b"") == "bad-argument"
    school.repository.file_mail(box, seal(b"x", laptop.identity.seal_key.public))


# -- trust, persons, epochs


def test_removing_a_person_needs_the_next_epoch(school: School) -> None:
    assert refused(school.repository.stage_trust, school.trust(without=("cy",)), at=START) == "wrong-epoch"
    assert school.repository.stage_trust(school.trust(epoch=2, without=("cy",)), at=START).role == "targets"
    assert school.repository.trust().epoch == 2


def test_trust_of_another_site_is_not_staged(tmp_path: Path, school: School) -> None:
    other = School(tmp_path / "other", site="south")
    assert refused(school.repository.stage_trust, other.trust(), at=START) == "wrong-site"


def test_the_desk_does_not_publish_a_gap(school: School, laptop: Laptop) -> None:
    """Ada leaves; what only she signed must be signed by someone else in the same publication."""
    school.repository.stage_trust(school.trust(epoch=2, without=("ada",)), at=START)
    school.sign("targets", "bo", "cy")
    before = {path: path.read_bytes() for path in school.mirror.rglob("*") if path.is_file()}
    assert refused(school.publish) == "under-signed"
    assert {path: path.read_bytes() for path in school.mirror.rglob("*") if path.is_file()} == before
    school.repository.renew("policy-ict", at=START)
    school.sign("policy-ict", "bo")
    school.publish()
    (document,) = laptop.verify(school.mirror).documents
    assert (document.data, document.persons) == (b"policy: home\n", ("bo",))


# -- freshness


def test_refresh_makes_it_fresh_and_leaves_offline_roles_staged(school: School, laptop: Laptop) -> None:
    late = START + 10 * DAY
    school.policy(home="policy: waiting\n")
    assert laptop.refusal(school.mirror, at=late).code == "expired"
    school.repository.refresh(school.online, at=late)
    view = laptop.verify(school.mirror, at=late)
    assert view.documents[0].data == b"policy: home\n"
    assert view.signed_at == late
    assert [one.role for one in school.repository.pending()] == ["policy-ict"]


def test_refresh_writes_no_more_than_it_must(school: School) -> None:
    before = {path.name for path in (school.mirror / "metadata").iterdir()}
    school.repository.refresh(school.online, at=START + 3600)
    assert {path.name for path in (school.mirror / "metadata").iterdir()} == before
    school.repository.refresh(school.online, at=START + 5 * DAY)
    added = {path.name for path in (school.mirror / "metadata").iterdir()} - before
    assert added == {"2.snapshot.json" if "1.snapshot.json" in before else ""}


def test_refresh_keeps_mail_alive(school: School, laptop: Laptop) -> None:
    school.mail(laptop, school.order(laptop, expires=START + 100 * DAY))
    school.publish()
    for day in range(0, 100, 10):
        school.repository.refresh(school.online, at=START + day * DAY)
    view = laptop.verify(school.mirror, at=START + 91 * DAY)
    assert view.refusals == ()
    assert view.assignment is not None


def test_expiries_are_told(school: School) -> None:
    told = school.repository.expiries()
    assert told["policy-ict"] == START + 180 * DAY
    assert told["root"] == START + 730 * DAY
    assert told["timestamp"] == START + 3 * DAY


def test_every_offline_role_can_be_renewed(school: School, laptop: Laptop) -> None:
    late = START + 170 * DAY
    for role in ("root", "targets", "policy-ict"):
        school.repository.renew(role, at=late)
        school.sign(role, "ada", "bo")
    school.publish(late)
    view = laptop.verify(school.mirror, at=late)
    assert names(view) == [HOME]
    assert school.repository.expiries()["policy-ict"] == late + 180 * DAY
    assert school.repository.expiries()["targets"] == late + 365 * DAY
    assert view.versions["root"] == 2


# -- rotation


def rotate(school: School, *signers: str, **more: Any) -> None:
    school.repository.rotate(at=START, **more)
    school.sign("root", *signers)


def test_a_root_needs_the_old_persons_and_the_new(school: School, laptop: Laptop) -> None:
    from tests.trust.school import Human

    laptop.verify(school.mirror)
    school.people.update(dee=Human("dee"), eve=Human("eve"))
    new = school.keys("cy", "dee", "eve")
    rotate(school, "dee", "eve", holders=Holders(new, new))
    assert [one.missing for one in school.repository.pending()] == [2]  # nobody of the old root has signed
    school.sign("root", "ada")
    assert not school.repository.pending()[0].ready
    school.sign("root", "cy")
    assert school.repository.pending()[0].ready


def test_other_holders_take_over(school: School, laptop: Laptop) -> None:
    from tests.trust.school import Human

    laptop.verify(school.mirror)
    school.people["dee"] = Human("dee")
    new = school.keys("bo", "cy", "dee")
    rotate(school, "ada", "bo", "cy", holders=Holders(new, new))
    school.repository.stage_trust(school.trust(epoch=2, without=("ada",)), at=START)
    school.sign("targets", "bo", "dee")
    school.repository.renew("policy-ict", at=START)
    school.sign("policy-ict", "bo")
    school.publish()
    assert laptop.verify(school.mirror).epoch == 2
    # What Ada and Bo sign together is under-signed now: Ada holds no key any more.
    signed = forging.load(school.mirror, "2.root.json")
    signed.signed.version = 3
    forging.save(school.mirror, "3.root.json", signed, [school.people["ada"].key, school.people["bo"].key])
    assert laptop.refusal(school.mirror).code == "under-signed"


def test_a_cupboard_laptop_climbs_every_root(school: School, laptop: Laptop) -> None:
    for _ in range(5):
        rotate(school, "ada", "bo")
        school.publish()
    assert laptop.verify(school.mirror).versions["root"] == 6


def test_a_gap_in_the_roots_ends_the_climb(school: School, laptop: Laptop) -> None:
    old = school.online
    for _ in range(2):
        school.online = Online.generate()
        rotate(school, "ada", "bo", online=school.online.public)
        school.sign("targets", "ada", "bo")
        school.publish()
    assert old.public != school.online.public
    (school.mirror / "metadata" / "2.root.json").unlink()
    assert laptop.refusal(school.mirror).code == "under-signed"


def test_other_online_keys_need_root_first(school: School) -> None:
    assert refused(school.repository.publish, Online.generate(), at=START) == "bad-key"


def observe_every_write(monkeypatch: pytest.MonkeyPatch, look: Any) -> list[str]:
    """Call ``look`` whenever a file has come to its place, as a reader who comes at that moment."""
    written: list[str] = []
    real = os.rename

    def rename(draft: str, path: str) -> None:
        real(draft, path)
        if "/published/" in path:
            written.append(path.rpartition("/")[2])
            look()

    monkeypatch.setattr(os, "rename", rename)
    return written


@pytest.mark.parametrize("keep_previous", [True, False])
def test_a_reader_at_any_moment_of_publication_sees_one_whole_site(
    tmp_path: Path, school: School, monkeypatch: pytest.MonkeyPatch, keep_previous: bool
) -> None:
    """Policy, trust, mail, holders of online keys: all change at once. Without the former online keys there
    is one moment, between root and timestamp, in which a reader is refused (and keeps last good)."""
    old = school.online
    fresh = Online.generate()
    school.online = Online(fresh.timestamp, fresh.snapshot, fresh.mail, old if keep_previous else None)
    rotate(school, "ada", "bo", online=fresh.public)
    school.sign("targets", "ada", "bo")
    school.policy(home="policy: two\n")
    states: list[str] = []
    count = iter(range(1000))

    def look() -> None:
        reader = Laptop(tmp_path / f"reader-{next(count)}", school)
        try:
            states.append(reader.verify(school.mirror).documents[0].data.decode())
        except BookbagError as error:
            states.append(error.code)

    written = observe_every_write(monkeypatch, look)
    school.publish()
    assert set(written[-2:]) == {"timestamp.json", "2.root.json"}
    order = [state for at, state in enumerate(states) if at == 0 or states[at - 1] != state]
    expected = ["policy: home\n", "policy: two\n"]
    assert order == (expected if keep_previous else [expected[0], "under-signed", expected[1]])
    monkeypatch.undo()
    school.online = fresh
    school.repository.refresh(fresh, at=START + DAY)
    assert Laptop(tmp_path / "after", school).verify(school.mirror).versions["root"] == 2


def test_published_files_are_public_and_capped(school: School) -> None:
    for path in school.mirror.rglob("*"):
        if path.is_file():
            assert path.stat().st_mode & 0o777 == 0o644
            assert path.stat().st_size <= 512 << 10


def test_every_signed_file_names_its_site(school: School, laptop: Laptop) -> None:
    school.power("ada", "bo", x="policy: x\n")
    school.mail(laptop, school.order(laptop))
    school.publish()
    files = list((school.mirror / "metadata").iterdir())
    assert len(files) > 8
    for path in files:
        signed = json.loads(path.read_bytes())["signed"]
        assert signed["site"] == "north", path
        assert isinstance(signed["signed_at"], int)


def test_the_host_learns_no_name(school: School, laptop: Laptop) -> None:
    """I-6: whoever reads the host finds mailboxes, and nothing of who or what is in them."""
    school.mail(laptop, school.order(laptop, reason="lost on the bus"))
    school.publish()
    for path in school.mirror.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for secret in (laptop.identity.id, laptop.serial, "lost on the bus", "assign", "north-high"):
                assert secret.encode() not in content, path
            assert laptop.identity.id not in path.name


def test_index_carries_ranks_for_laptops(school: School) -> None:
    file = PolicyFile(b"policy: x\n", "school", {"school": ("north-high",)})
    school.repository.stage_documents("ict", {"x.yaml": file}, at=START)
    index = json.loads((school.folder / "staged" / "targets" / "policy" / "ict" / "index.json").read_bytes())
    assert index["documents"]["x.yaml"]["applies_to"] == {"school": ["north-high"]}


def test_a_publication_cut_short_anywhere_is_finished_by_the_next(
    tmp_path: Path, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    school.policy(home="policy: two\n")
    real = os.rename
    seen: list[str] = []
    for cut in range(100):
        left = cut

        def rename(draft: str, path: str) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise OSError(errno.ENOSPC, "no space left")
            real(draft, path)

        monkeypatch.setattr(os, "rename", rename)
        try:
            school.publish()
        except BookbagError as error:
            assert error.code == "disk-full"
            finished = False
        else:
            finished = True
        monkeypatch.setattr(os, "rename", real)
        reader = Laptop(tmp_path / f"reader-{cut}", school)
        seen.append(reader.verify(school.mirror).documents[0].data.decode())
        if finished:
            break
    assert seen[0] == "policy: home\n"
    assert seen[-1] == "policy: two\n"
    assert len(seen) > 5
    assert sorted(seen) == seen  # once switched over, never back


def test_publishing_what_was_published_already_is_harmless(
    tmp_path: Path, school: School, laptop: Laptop
) -> None:
    """As after a power cut between the last public file and the clearing of what was staged."""
    import shutil

    school.repository.rotate(at=START)
    school.sign("root", "ada", "bo")
    school.policy(home="policy: two\n")
    shutil.copytree(school.folder / "staged", tmp_path / "staged")
    school.publish()
    shutil.rmtree(school.folder / "staged")
    shutil.copytree(tmp_path / "staged", school.folder / "staged")
    school.publish()
    assert laptop.verify(school.mirror).documents[0].data == b"policy: two\n"
    assert laptop.verify(school.mirror).versions["root"] == 2


def test_the_docroot_does_not_grow_for_ever(tmp_path: Path, school: School, laptop: Laptop) -> None:
    sizes = []
    for number in range(12):
        school.policy(home=f"policy: number {number}\n")
        school.mail(laptop, school.order(laptop))
        school.publish()
        sizes.append(len([path for path in school.mirror.rglob("*") if path.is_file()]))
    assert len(set(sizes[-6:])) == 1
    assert laptop.verify(school.mirror).documents[0].data == b"policy: number 11\n"


def test_a_slow_reader_still_finds_what_its_timestamp_names(tmp_path: Path, school: School) -> None:
    stamp = (school.mirror / "metadata" / "timestamp.json").read_bytes()
    for number in range(2):
        school.policy(home=f"policy: number {number}\n")
        school.publish()
    now = (school.mirror / "metadata" / "timestamp.json").read_bytes()
    (school.mirror / "metadata" / "timestamp.json").write_bytes(stamp)
    reader = Laptop(tmp_path / "slow", school)
    assert reader.verify(school.mirror).documents[0].data == b"policy: home\n"
    (school.mirror / "metadata" / "timestamp.json").write_bytes(now)
    assert reader.verify(school.mirror).documents[0].data == b"policy: number 1\n"


def test_pruning_leaves_strange_files_alone(school: School) -> None:
    for name in ("index.html", "robots.txt", "notes.json"):
        (school.mirror / "metadata" / name).write_text("kept")
    for _ in range(5):
        school.policy(home=f"policy: {_}\n")
        school.publish()
    assert (school.mirror / "metadata" / "notes.json").read_text() == "kept"
    assert (school.mirror / "metadata" / "1.root.json").exists()


def test_a_discarded_version_leaves_no_trace_in_what_is_published(school: School, laptop: Laptop) -> None:
    school.repository.stage_documents("ict", {"home.yaml": b"policy: second thoughts\n"}, at=START)
    school.repository.discard("policy-ict")
    assert school.repository.documents("ict") == {"home.yaml": b"policy: home\n"}
    school.publish()
    assert laptop.verify(school.mirror).documents[0].data == b"policy: home\n"
