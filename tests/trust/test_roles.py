"""A policy or power role is judged on its own: refused alone, and what it brought before stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.trust.site.staging import PolicyFile
from tests.trust import forging
from tests.trust.school import DAY, START, Laptop, School, copy_mirror, names

HOME = "policy/ict/home.yaml"


def stand(laptop: Laptop, school: School, **more: Any) -> tuple[list[str], list[tuple[str, str, bool]]]:
    """What the laptop takes, and what it refuses."""
    view = laptop.verify(school.mirror, **more)
    return names(view), [(one.subject, one.code, one.kept) for one in view.refusals]


def test_an_unsigned_role_is_refused_and_its_last_good_documents_stay(school: School, laptop: Laptop) -> None:
    laptop.verify(school.mirror)
    forging.edit_role(school.mirror, school, "policy-ict", lambda signed: None, [])
    assert stand(laptop, school) == ([HOME], [("policy-ict", "under-signed", True)])


def test_an_unsigned_role_brings_nothing_to_a_new_laptop(school: School, laptop: Laptop) -> None:
    forging.edit_role(school.mirror, school, "policy-ict", lambda signed: None, [])
    assert stand(laptop, school) == ([], [("policy-ict", "under-signed", False)])


def test_the_rest_of_the_site_stays(school: School, laptop: Laptop) -> None:
    school.policy("library", signers=("bo",), books="policy: books\n")
    school.publish()
    forging.edit_role(school.mirror, school, "policy-ict", lambda signed: None, [])
    assert stand(laptop, school) == (["policy/library/books.yaml"], [("policy-ict", "under-signed", False)])


@pytest.mark.parametrize(
    ("signers", "code"),
    [
        (["ada.key", "bo.key"], None),
        (["ada.key", "ada.second"], "under-signed"),
        (["ada.key"], "under-signed"),
        ([], "under-signed"),
    ],
)
def test_power_needs_two_persons(
    school: School, laptop: Laptop, signers: list[str], code: str | None
) -> None:
    school.power("bo", "cy", service="policy: service\n")
    school.publish()
    keys = [getattr(school.people[name], which) for name, which in (one.split(".") for one in signers)]
    forging.edit_role(school.mirror, school, "power-ict", lambda signed: None, keys)
    view = laptop.verify(school.mirror)
    powerful = [one.path for one in view.documents if one.power]
    assert powerful == ([] if code else ["power/ict/service.yaml"])
    assert [one.code for one in view.refusals] == ([code] if code else [])


def test_power_needs_two_persons_even_if_targets_says_one(school: School, laptop: Laptop) -> None:
    """I-4: the floor is compiled in; signed metadata cannot lower it."""
    school.repository.stage_trust(school.trust(), at=START)
    forging.restage(
        school, "targets", lambda signed: setattr(signed.delegations.roles["power-ict"], "threshold", 1)
    )
    school.sign("targets", "ada", "bo")
    school.publish()
    school.power("ada", "bo", service="policy: service\n")
    school.publish()
    assert "power/ict/service.yaml" in stand(laptop, school)[0]
    forging.edit_role(school.mirror, school, "power-ict", lambda signed: None, [school.people["ada"].key])
    assert stand(laptop, school)[1] == [("power-ict", "under-signed", True)]


def test_targets_may_ask_for_more_persons_than_the_floor(school: School, laptop: Laptop) -> None:
    school.repository.stage_trust(school.trust(), at=START)
    forging.restage(
        school, "targets", lambda signed: setattr(signed.delegations.roles["policy-ict"], "threshold", 2)
    )
    school.sign("targets", "ada", "bo")
    school.policy(signers=("ada", "cy"), home="policy: two\n")
    school.publish()
    assert stand(laptop, school) == ([HOME], [])
    ada = school.people["ada"]
    forging.edit_role(school.mirror, school, "policy-ict", lambda signed: None, [ada.key, ada.second])
    assert stand(laptop, school)[1] == [("policy-ict", "under-signed", True)]


def test_a_person_of_another_role_does_not_count(school: School, laptop: Laptop) -> None:
    """Library is Bo's; Cy's key is listed by the delegation, yet trust.json does not name Cy for it."""
    cy = school.people["cy"].key
    school.repository.stage_trust(school.trust(), at=START)
    forging.restage(
        school,
        "targets",
        lambda signed: signed.delegations.roles["policy-library"].keyids.append(cy.public.keyid),
    )
    school.sign("targets", "ada", "bo")
    school.policy("library", signers=("bo",), books="policy: books\n")
    school.publish()
    assert "policy/library/books.yaml" in stand(laptop, school)[0]
    forging.edit_role(school.mirror, school, "policy-library", lambda signed: None, [cy])
    assert stand(laptop, school)[1] == [("policy-library", "under-signed", True)]


def test_a_role_of_another_site_is_refused(school: School, laptop: Laptop) -> None:
    def foreign(signed: Any) -> None:
        signed.unrecognized_fields["site"] = "south"

    forging.edit_role(school.mirror, school, "policy-ict", foreign, [school.people["ada"].key])
    assert stand(laptop, school) == ([], [("policy-ict", "wrong-site", False)])


def test_an_older_role_under_a_newer_snapshot_is_refused(school: School, laptop: Laptop) -> None:
    school.policy(home="policy: two\n")
    school.publish()
    laptop.verify(school.mirror)
    forging.republish(school.mirror, school, snapshot=forging.point(school.mirror, "policy-ict", 1))
    view = laptop.verify(school.mirror)
    assert [(one.code, one.kept) for one in view.refusals] == [("rollback", True)]
    assert view.documents[0].data == b"policy: two\n"


def test_a_role_that_vanishes_from_the_snapshot_is_noticed(school: School, laptop: Laptop) -> None:
    laptop.verify(school.mirror)
    forging.republish(school.mirror, school, snapshot=lambda signed: signed.meta.pop("policy-ict.json"))
    assert stand(laptop, school) == ([HOME], [("policy-ict", "bad-metadata", True)])


def test_an_expired_role_is_kept_and_brings_nothing_new(school: School, laptop: Laptop) -> None:
    """I-5."""
    late = START + 200 * DAY
    laptop.verify(school.mirror)
    school.repository.refresh(school.online, at=late)
    assert stand(laptop, school, at=late) == ([HOME], [("policy-ict", "expired", True)])


def test_an_expired_role_is_nothing_to_a_new_laptop(school: School, laptop: Laptop) -> None:
    late = START + 200 * DAY
    school.repository.refresh(school.online, at=late)
    assert stand(laptop, school, at=late) == ([], [("policy-ict", "expired", False)])


def test_a_missing_or_altered_document_refuses_the_role(
    tmp_path: Path, school: School, laptop: Laptop
) -> None:
    mirror = copy_mirror(school.mirror, tmp_path / "mirror")
    (document,) = (mirror / "targets" / "policy" / "ict").glob("*.home.yaml")
    good = document.read_bytes()
    document.write_bytes(good[:-1] + b"!")
    view = laptop.verify(mirror)
    assert [(one.subject, one.code) for one in view.refusals] == [("policy-ict", "bad-metadata")]
    document.unlink()
    assert [one.code for one in laptop.verify(mirror).refusals] == ["not-found"]
    document.write_bytes(good)
    assert names(laptop.verify(mirror)) == [HOME]


def test_removing_a_person_takes_what_only_they_signed_along(school: School, laptop: Laptop) -> None:
    """A key that was taken away takes its documents with it; the desk refuses to publish such a gap by
    mistake."""
    laptop.verify(school.mirror)
    school.repository.stage_trust(school.trust(epoch=2, without=("cy",)), at=START)
    school.sign("targets", "ada", "bo")
    school.publish()
    assert stand(laptop, school) == ([HOME], [])


def test_revoked_signers_documents_do_not_survive(tmp_path: Path, school: School, laptop: Laptop) -> None:
    laptop.verify(school.mirror)
    school.repository.stage_trust(school.trust(epoch=2, without=("ada",)), at=START)
    school.sign("targets", "bo", "cy")
    school.policy(signers=("bo",), home="policy: by bo\n")
    school.publish()
    # The publisher's keys are stolen as well: Ada's old version is put back, and hidden altogether.
    forging.republish(school.mirror, school, snapshot=forging.point(school.mirror, "policy-ict", 1))
    assert stand(laptop, school) == ([], [("policy-ict", "under-signed", False)])


def test_a_path_outside_its_folder_refuses_the_role(school: School, laptop: Laptop) -> None:
    def stray(signed: Any) -> None:
        signed.targets["policy/library/x.yaml"] = signed.targets[HOME]
        signed.targets["policy/library/x.yaml"].path = "policy/library/x.yaml"

    forging.edit_role(school.mirror, school, "policy-ict", stray, [school.people["ada"].key])
    assert stand(laptop, school) == ([], [("policy-ict", "bad-path", False)])


def test_an_index_that_lists_other_documents_refuses_the_role(school: School, laptop: Laptop) -> None:
    forging.edit_role(
        school.mirror,
        school,
        "policy-ict",
        lambda signed: signed.targets.pop(HOME),
        [school.people["ada"].key],
    )
    assert stand(laptop, school) == ([], [("policy-ict", "bad-metadata", False)])


def test_a_rank_that_the_role_may_not_use_refuses_it(school: School, laptop: Laptop) -> None:
    for rank, expected in (("class", []), ("ministry", ["not-allowed"])):
        school.repository.stage_documents(
            "library", {"books.yaml": PolicyFile(b"policy: x\n", rank)}, at=START
        )
        school.sign("policy-library", "bo")
        school.publish()
        assert [one.code for one in laptop.verify(school.mirror).refusals] == expected


def test_index_tells_rank_and_targets(school: School, laptop: Laptop) -> None:
    file = PolicyFile(b"policy: x\n", "year", {"year": ("9", "10")})
    school.repository.stage_documents("ict", {"x.yaml": file}, at=START)
    school.sign("policy-ict", "ada")
    school.publish()
    (document,) = laptop.verify(school.mirror).documents
    assert (document.rank, dict(document.targeted)) == ("year", {"year": ("9", "10")})


def test_a_role_that_delegates_further_is_refused(school: School, laptop: Laptop) -> None:
    targets = forging.load(school.mirror, forging.newest(school.mirror, "targets")).signed

    def delegate(signed: Any) -> None:
        signed.delegations = targets.delegations

    forging.edit_role(school.mirror, school, "policy-ict", delegate, [school.people["ada"].key])
    assert stand(laptop, school) == ([], [("policy-ict", "bad-metadata", False)])
