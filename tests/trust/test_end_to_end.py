"""The whole path: staged, signed by persons, published, fetched, verified, read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.trust import wanted
from agent.trust.generation import load_generation
from agent.trust.identity import mailbox_name
from tests.trust.school import DAY, START, FolderSource, Laptop, School, copy_mirror, names


def test_a_published_document_reaches_the_laptop(school: School, laptop: Laptop) -> None:
    view = laptop.verify(school.mirror)
    assert names(view) == ["policy/ict/home.yaml"]
    document = view.documents[0]
    assert (document.data, document.persons, document.power) == (b"policy: home\n", ("ada",), False)
    assert document.ranks == ("school", "year", "class", "device")
    assert view.site == "north"
    assert view.refusals == ()
    assert view.signed_at == START


def test_a_generation_reads_back_as_the_same_view(school: School, laptop: Laptop) -> None:
    school.mail(laptop, school.order(laptop))
    school.publish()
    view = laptop.verify(school.mirror)
    assert view.assignment is not None
    assert load_generation(view.generation).value == view


def test_power_documents_need_and_show_two_persons(school: School, laptop: Laptop) -> None:
    school.power("ada", "cy", service="policy: service\n")
    school.publish()
    view = laptop.verify(school.mirror)
    powerful = [one for one in view.documents if one.power]
    assert [(one.path, one.persons) for one in powerful] == [("power/ict/service.yaml", ("ada", "cy"))]


def test_withdrawing_a_document_takes_it_away(school: School, laptop: Laptop) -> None:
    laptop.verify(school.mirror)
    school.policy()
    school.publish()
    assert names(laptop.verify(school.mirror)) == []


def test_assign_makes_the_laptop_somebody(school: School, laptop: Laptop) -> None:
    assert laptop.verify(school.mirror).assignment is None
    school.mail(laptop, school.order(laptop))
    school.publish()
    held = laptop.verify(school.mirror).assignment
    assert held is not None
    assert (held.school, held.year, held.class_, held.persons) == ("north-high", "9", "9b", ("ada",))


def test_assignment_stays_when_its_mail_is_gone(school: School, laptop: Laptop) -> None:
    school.mail(laptop, school.order(laptop))
    school.publish()
    laptop.verify(school.mirror)
    school.repository.file_mail(mailbox_name("north", laptop.identity.id), None)
    school.publish()
    view = laptop.verify(school.mirror)
    assert view.orders == ()
    assert view.assignment is not None


def test_the_same_mail_again_is_no_replay(school: School, laptop: Laptop) -> None:
    school.mail(laptop, school.order(laptop))
    school.publish()
    first = laptop.verify(school.mirror)
    again = laptop.verify(school.mirror)
    assert again.refusals == ()
    assert again.assignment == first.assignment


@pytest.mark.parametrize("profile", ["three-admin", "one-admin"])
@pytest.mark.parametrize("sneakernet", [False, True])
def test_every_profile_publishes_what_a_laptop_accepts(
    tmp_path: Path, profile: str, sneakernet: bool
) -> None:
    school = School(tmp_path / "desk", profile_name=profile, sneakernet=sneakernet)
    school.policy(home="policy: home\n")
    school.publish()
    view = Laptop(tmp_path / "laptop", school).verify(school.mirror)
    assert names(view) == ["policy/ict/home.yaml"]
    assert view.expires == START + (45 if sneakernet else 3) * DAY


def test_sync_brings_what_verification_needs(tmp_path: Path, school: School, laptop: Laptop) -> None:
    school.mail(laptop, school.order(laptop))
    school.power("bo", "cy", service="policy: service\n")
    school.publish()
    spool = tmp_path / "spool"
    source = FolderSource(school.mirror)
    box = mailbox_name("north", laptop.identity.id)

    done = wanted.refresh(
        source, str(spool), bootstrap_root=laptop.bootstrap, site="north", mailbox=box, at=START
    )
    assert done.changed
    assert done.refusals == ()
    view = laptop.verify(spool)
    assert names(view) == ["policy/ict/home.yaml", "power/ict/service.yaml"]
    assert view.assignment is not None


def test_sync_again_asks_only_for_what_can_change(tmp_path: Path, school: School, laptop: Laptop) -> None:
    spool, source = tmp_path / "spool", FolderSource(school.mirror)

    def sync() -> wanted.Refreshed:
        source.asked.clear()
        root = laptop.bootstrap
        return wanted.refresh(source, str(spool), bootstrap_root=root, site="north", mailbox=None, at=START)

    assert sync().changed
    done = sync()
    assert not done.changed
    assert source.asked == ["metadata/2.root.json", "metadata/timestamp.json"]


def test_sync_from_an_older_stick_leaves_the_newer_mirror_alone(
    tmp_path: Path, school: School, laptop: Laptop
) -> None:
    stick = copy_mirror(school.mirror, tmp_path / "stick")
    school.policy(home="policy: newer\n")
    school.publish()
    spool = tmp_path / "spool"

    def sync(folder: Path) -> wanted.Refreshed:
        root = laptop.bootstrap
        source = FolderSource(folder)
        return wanted.refresh(source, str(spool), bootstrap_root=root, site="north", mailbox=None, at=START)

    assert sync(school.mirror).changed
    done = sync(stick)
    assert done.older
    assert not done.changed
    assert laptop.verify(spool).documents[0].data == b"policy: newer\n"


def test_sync_prunes_what_nothing_names_any_more(tmp_path: Path, school: School, laptop: Laptop) -> None:
    spool = tmp_path / "spool"

    def sync() -> set[str]:
        wanted.refresh(
            FolderSource(school.mirror),
            str(spool),
            bootstrap_root=laptop.bootstrap,
            site="north",
            mailbox=None,
            at=START,
        )
        return {path.name for path in spool.rglob("*") if path.is_file()}

    before = sync()
    school.policy(home="policy: newer\n")
    school.publish()
    after = sync()
    assert "1.policy-ict.json" in before - after
    assert "2.policy-ict.json" in after - before
    assert "1.root.json" not in after  # the laptop has it
