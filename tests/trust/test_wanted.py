"""What the sync worker takes from a source: whole, fresh sets within caps, or nothing; the mirror is always
usable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tuf.api.metadata import Timestamp

from agent.core import durable
from agent.core.errors import BookbagError
from agent.trust import wanted
from agent.trust.identity import mailbox_name
from agent.trust.site.online import Online
from tests.trust import forging
from tests.trust.school import DAY, START, FolderSource, Laptop, School, copy_mirror, names

HOME = "policy/ict/home.yaml"


class Spool:
    """One laptop's mirror, filled from a school."""

    def __init__(self, folder: Path, school: School, laptop: Laptop) -> None:
        self.folder = folder
        self.school = school
        self.laptop = laptop

    def sync(
        self, source: wanted.Source | None = None, *, at: int = START, site: str = "north"
    ) -> wanted.Refreshed:
        return wanted.refresh(
            source or FolderSource(self.school.mirror),
            str(self.folder),
            bootstrap_root=self.laptop.bootstrap,
            site=site,
            mailbox=mailbox_name("north", self.laptop.identity.id),
            at=at,
        )

    def refusal(self, source: wanted.Source | None = None, **more: Any) -> str:
        with pytest.raises(BookbagError) as error:
            self.sync(source, **more)
        return error.value.code

    def content(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}


class Altered(FolderSource):
    """A source that answers some paths with something else."""

    def __init__(
        self, folder: Path, when: Callable[[str], bool], answer: Callable[[], Iterator[bytes]]
    ) -> None:
        super().__init__(folder)
        self.when = when
        self.answer = answer

    def open(self, path: str, max_bytes: int) -> Iterator[bytes]:
        return self.answer() if self.when(path) else super().open(path, max_bytes)


@pytest.fixture
def spool(tmp_path: Path, school: School, laptop: Laptop) -> Spool:
    made = Spool(tmp_path / "spool", school, laptop)
    made.sync()
    return made


def gone() -> Iterator[bytes]:
    raise BookbagError("network", "cannot reach the source: connection reset")


def endless() -> Iterator[bytes]:
    while True:
        yield b" " * 65536


def page() -> Iterator[bytes]:
    yield b"<!DOCTYPE html><title>Sign in to Wi-Fi</title>"


@pytest.mark.parametrize("answer", [gone, endless, page])
@pytest.mark.parametrize(
    "part", ["timestamp.json", ".snapshot.json", ".policy-ict.json", "home.yaml", "trust.json", ".root.json"]
)
def test_a_bad_answer_anywhere_leaves_the_mirror_as_it_was(
    spool: Spool, answer: Callable[[], Iterator[bytes]], part: str
) -> None:
    spool.school.policy(home="policy: two\n")
    spool.school.repository.stage_trust(spool.school.trust(assign=forging_rule()), at=START)
    spool.school.sign("targets", "ada", "bo")
    spool.school.publish()
    before = spool.content()
    source = Altered(spool.school.mirror, lambda path: path.endswith(part), answer)
    try:
        done = spool.sync(source)
    except BookbagError as error:
        assert error.code in ("network", "too-large", "bad-metadata", "bad-json")
        assert spool.content() == before
    else:  # one role could not be had whole: the rest is there, and root will refuse that role alone
        assert [one.subject for one in done.refusals] == ["policy-ict"]
        assert answer is not gone
    assert names(spool.laptop.verify(spool.folder)) in ([HOME], [])
    spool.sync()
    assert spool.laptop.verify(spool.folder).documents[0].data == b"policy: two\n"


def forging_rule() -> Any:
    from agent.trust.persons import KindRule

    return KindRule(2)


def test_a_foreign_site_is_not_taken(spool: Spool) -> None:
    assert spool.refusal(site="south") == "wrong-site"
    forging.republish(
        spool.school.mirror,
        spool.school,
        timestamp=lambda signed: signed.unrecognized_fields.update(site="south"),
    )
    before = spool.content()
    assert spool.refusal() == "wrong-site"
    assert spool.content() == before


@pytest.mark.parametrize(("site", "kept_away"), [("south", False), ("north", True)])
def test_another_sites_newer_timestamp_in_the_mirror_keeps_nothing_away(
    spool: Spool, tmp_path: Path, site: str, kept_away: bool
) -> None:
    """Sites that share online keys: a foreign timestamp got into the mirror. The control: our own newer one,
    beside an old stick."""
    newer = copy_mirror(spool.school.mirror, tmp_path / "newer")

    def far_ahead(signed: Timestamp) -> None:
        signed.version += 1000
        signed.unrecognized_fields["site"] = site

    forging.republish(newer, spool.school, timestamp=far_ahead)
    (spool.folder / "metadata/timestamp.json").write_bytes((newer / "metadata/timestamp.json").read_bytes())
    assert spool.sync().older is kept_away


def test_an_expired_site_is_not_taken(spool: Spool) -> None:
    assert spool.refusal(at=START + 30 * DAY) == "expired"
    spool.school.repository.refresh(spool.school.online, at=START + 30 * DAY)
    assert spool.sync(at=START + 30 * DAY).changed


def test_damage_in_the_mirror_is_healed_from_the_source(spool: Spool) -> None:
    for path in sorted(spool.folder.rglob("*")):
        if path.is_file():
            for bad in (b"", path.read_bytes()[:-1], b"garbage"):
                path.write_bytes(bad)
                spool.sync()
                assert spool.laptop.verify(spool.folder).refusals == (), path


def test_a_web_page_in_the_mirror_is_replaced(spool: Spool) -> None:
    """A captive portal's answer that got there somehow: it must not keep the honest host away for ever."""
    honest = spool.content()
    for path in sorted((spool.folder / "metadata").iterdir()):
        path.write_bytes(b"<!DOCTYPE html><title>Sign in to Wi-Fi</title>")
        spool.sync()
        assert spool.content() == honest, path.name


def test_links_in_the_mirror_are_replaced_not_followed(spool: Spool, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"precious")
    (snapshot,) = (spool.folder / "metadata").glob("*.snapshot.json")
    snapshot.unlink()
    snapshot.symlink_to(outside)
    spool.sync()
    assert outside.read_bytes() == b"precious"
    assert not snapshot.is_symlink()
    assert names(spool.laptop.verify(spool.folder)) == [HOME]


def test_one_bad_role_does_not_stop_the_rest(spool: Spool) -> None:
    spool.school.policy("library", signers=("bo",), books="policy: books\n")
    spool.school.publish()
    forging.edit_role(spool.school.mirror, spool.school, "policy-ict", lambda signed: None, [])
    done = spool.sync()
    assert [(one.subject, one.code) for one in done.refusals] == [("policy-ict", "under-signed")]
    assert names(spool.laptop.verify(spool.folder)) == ["policy/library/books.yaml"]


def test_a_new_root_is_followed(spool: Spool) -> None:
    school = spool.school
    school.online = Online.generate()
    school.repository.rotate(at=START, online=school.online.public)
    school.sign("root", "ada", "bo")
    school.sign("targets", "ada", "bo")
    school.publish()
    assert spool.sync().changed
    assert spool.laptop.verify(spool.folder).versions["root"] == 2
    assert not spool.sync().changed


def test_an_absent_mailbox_is_nothing(spool: Spool) -> None:
    assert spool.sync().refusals == ()


def test_killed_between_any_two_writes_the_mirror_is_one_whole_site(
    tmp_path: Path, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    school = spool.school
    school.policy(home="policy: two\n")
    school.publish()
    states: list[bytes] = []
    real = durable.write

    def write(path: str, data: bytes, **more: Any) -> None:
        real(path, data, **more)
        if path.startswith(str(spool.folder)):
            reader = Laptop(tmp_path / f"reader-{len(states)}", school)
            states.append(reader.verify(copy_mirror(spool.folder, tmp_path / "copy")).documents[0].data)

    monkeypatch.setattr(durable, "write", write)
    spool.sync()
    assert states == [b"policy: home\n"] * (len(states) - 1) + [b"policy: two\n"]
    assert len(states) > 3


def test_more_than_a_refresh_may_cost_is_refused(spool: Spool) -> None:
    for size, codes in ((100_000, []), (220_000, ["too-large"])):
        documents = {f"d{number}.yaml": b"x" * size for number in range(20)}
        spool.school.repository.stage_documents("ict", documents, at=START)
        spool.school.sign("policy-ict", "ada")
        spool.school.publish()
        assert [one.code for one in spool.sync().refusals] == codes
