"""What is kept for a student: theirs alone, bounded, whole after a power cut, forgotten when they say so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.portal import keeping
from agent.portal.keeping import Keeping, Kept, Place
from agent.portal.people import GUEST, People, Who
from agent.portal.tokens import Tokens
from agent.store.statefile import StateFile
from agent.web.http import Ends
from tests.leaks import REPOSITORY

LINA, OMAR = Who("1000"), Who("1001")
GOLDEN = REPOSITORY / "tests/cases/formats/portal/1000.json"


@pytest.fixture
def kept(tmp_path: Path) -> Keeping:
    times = iter(range(0, 1 << 30, 100))  # there is always room for one more
    return Keeping(str(tmp_path), clock=lambda: float(next(times)))


def test_each_has_their_own(kept: Keeping) -> None:
    kept.stopped(LINA, "ict.book", page="chapter-2.html")
    kept.favour(LINA, "ict.film", on=True)
    kept.stopped(OMAR, "ict.film", second=73)
    assert kept.read(LINA).places["ict.book"].page == "chapter-2.html"
    assert kept.read(LINA).favourites == ("ict.film",)
    assert (list(kept.read(OMAR).places), kept.read(OMAR).favourites) == (["ict.film"], ())


def test_nothing_is_kept_for_a_guest(kept: Keeping, tmp_path: Path) -> None:
    kept.stopped(Who(), "ict.book", page="x")
    kept.favour(Who(), "ict.book", on=True)
    assert kept.read(Who()) == Kept() and not list(tmp_path.iterdir())


def test_the_last_one_opened_comes_first(kept: Keeping) -> None:
    for item in ("a", "b", "c", "a"):
        kept.stopped(LINA, item, page="1")
    assert kept.read(LINA).latest() == ("a", "c", "b")


def test_the_oldest_is_forgotten_when_there_are_too_many(kept: Keeping) -> None:
    for number in range(keeping.MOST_PLACES + 3):
        kept.stopped(LINA, f"i{number}", second=number)
        kept.favour(LINA, f"i{number}", on=True)
    found = kept.read(LINA)
    assert len(found.places) == keeping.MOST_PLACES and "i2" not in found.places and "i3" in found.places
    assert len(found.favourites) == keeping.MOST_FAVOURITES and "i2" not in found.favourites


def test_what_is_no_position_is_not_kept(kept: Keeping) -> None:
    for item, page, second in (("a", "x" * 501, 0), ("a" * 101, "", 0), ("a", "", -1), ("a", "", 1 << 31)):
        with pytest.raises(BookbagError) as refused:
            kept.stopped(LINA, item, page=page, second=second)
        assert refused.value.code == "bad-argument"
    assert kept.read(LINA) == Kept()


def test_too_many_writes_are_refused_and_the_others_are_not(tmp_path: Path) -> None:
    kept = Keeping(str(tmp_path), clock=lambda: 5.0)
    with pytest.raises(BookbagError) as refused:
        for number in range(1000):
            kept.stopped(LINA, "a", second=number)
    assert refused.value.code == "too-many"
    assert kept.read(LINA).places["a"].second == keeping.BURST - 1
    kept.stopped(OMAR, "a", second=1)


def test_the_same_again_writes_nothing(kept: Keeping, tmp_path: Path) -> None:
    kept.stopped(LINA, "a", second=1)
    before = (tmp_path / "1000.json").stat().st_ino
    kept.stopped(LINA, "a", second=1)
    assert (tmp_path / "1000.json").stat().st_ino == before


def test_a_damaged_file_counts_as_none_and_is_set_aside(kept: Keeping, tmp_path: Path) -> None:
    kept.stopped(LINA, "a", second=1)
    (tmp_path / "1000.json").write_bytes(b"{")
    assert kept.read(LINA) == Kept()
    kept.stopped(LINA, "b", second=1)
    assert list(kept.read(LINA).places) == ["b"]
    assert [path.name for path in tmp_path.iterdir() if "corrupt" in path.name]


def test_forgetting(kept: Keeping, tmp_path: Path) -> None:
    kept.stopped(LINA, "a", second=1)
    kept.forget(LINA)
    kept.forget(Who())
    assert kept.read(LINA) == Kept() and not list(tmp_path.iterdir())


def test_the_golden_file_is_read_and_written_to_the_same_bytes(kept: Keeping, tmp_path: Path) -> None:
    kept.stopped(LINA, "ict.handbook", page="c/chapter-2.xhtml")
    kept.stopped(LINA, "ict.film", second=73)
    kept.favour(LINA, "ict.handbook", on=True)
    written = (tmp_path / "1000.json").read_bytes()
    if os.environ.get("WRITE_GOLDEN"):
        GOLDEN.parent.mkdir(parents=True, exist_ok=True)
        GOLDEN.write_bytes(written)
    assert written == GOLDEN.read_bytes()
    (tmp_path / "1001.json").write_bytes(GOLDEN.read_bytes())
    found = StateFile(str(tmp_path / "1001.json"), Kept, "student").read()
    assert found is not None and found.places["ict.film"] == Place(2, "", 73)


# -- who


@pytest.mark.parametrize(
    ("uid", "key"),
    [
        *((1000, "1000"), (59_999, "59999"), (1_200_001_104, "1200001104")),
        *((None, GUEST), (0, GUEST), (33, GUEST), (999, GUEST)),
        *((61_184, GUEST), (65_534, GUEST), (65_535, GUEST)),
    ],
)
def test_who_is_a_person(uid: int | None, key: str) -> None:
    ends = Ends(("127.0.0.1", 5), ("127.0.0.1", 6))
    assert People(lambda client, server: uid).who(ends) == Who(key)


def test_in_a_sandbox_its_owner_is_its_student() -> None:
    people = People(lambda client, server: 0, owner=0)
    assert people.who(Ends()).key == "0"
    assert People(lambda client, server: 33, owner=0).who(Ends()).is_guest


# -- tokens


def test_tokens_are_each_persons_and_outlive_the_process(tmp_path: Path) -> None:
    first = Tokens.open(str(tmp_path / "secret"))
    again = Tokens.open(str(tmp_path / "secret"))
    assert again.is_form(LINA, first.form(LINA)) and again.is_place(LINA, "a", first.place(LINA, "a"))
    for other in (OMAR, Who()):
        assert not again.is_form(other, first.form(LINA))
        assert not again.is_place(other, "a", first.place(LINA, "a"))
    assert not again.is_place(LINA, "b", first.place(LINA, "a"))
    assert not again.is_form(LINA, first.place(LINA, "a")) and not again.is_form(LINA, "")
    assert not again.is_form(LINA, "ü" * 32)
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_a_damaged_secret_or_no_disk_still_gives_tokens(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"short")
    made = Tokens.open(str(tmp_path / "secret"))
    assert made.is_form(LINA, made.form(LINA))
    away = Tokens.open(str(tmp_path / "nowhere" / "secret"))
    assert away.is_form(LINA, away.form(LINA)) and not away.is_form(LINA, made.form(LINA))
