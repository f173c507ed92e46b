"""Choices from the shelf on their way from the portal's folder into root's book: only what is offered, each
person's own, within bounds, whatever is cut off."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from agent.commands import choosing
from agent.commands.choosing import ROOT, Choosing
from agent.core.errors import BookbagError
from agent.trust import choices
from agent.trust.choices import LEFT, TAKEN, Choice
from tests.powercut import Outcome, every_prefix, fail_at_every, kill_at_every

AT = 1_800_000_000
DEVICE = "d" * 32
OFFERED = frozenset(("hello", "sl", "tuxpaint", "g++"))
Rows = tuple[tuple[str, tuple[str, ...]], ...]


class Shelf:
    """The folders of one laptop."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.portal = folder / "in"
        self.portal.mkdir(parents=True, exist_ok=True)
        self.trouble: list[str] = []

    def leave(self, package: str, person: str = "1000", *, wanted: bool = True) -> None:
        """As the portal does."""
        choice = Choice(person, package, wanted)
        (self.portal / choice.file).write_bytes(choices.choice_bytes(choice))

    def open(
        self, at: int = AT, *, offered: frozenset[str] = OFFERED, device: str = DEVICE, known: Rows = ()
    ) -> Choosing:
        return Choosing(str(self.folder / "choices.json"), str(self.portal), device, offered, known, at)

    def take(
        self, at: int = AT, *, offered: frozenset[str] = OFFERED, known: Rows = ()
    ) -> dict[str, list[str]]:
        book = self.open(at, offered=offered, known=known)
        book.take()
        self.trouble = [problem.code for problem in book.trouble]
        return {name: list(persons) for name, persons in book.rows}

    def files(self) -> list[str]:
        return sorted(os.listdir(self.portal))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def test_chosen_kept_and_given_back(shelf: Shelf) -> None:
    shelf.leave("hello")
    shelf.leave("g++")
    assert shelf.take() == {"g++": ["1000"], "hello": ["1000"]} and shelf.files() == []
    assert shelf.take() == {"g++": ["1000"], "hello": ["1000"]}, "it is remembered"
    shelf.leave("hello", wanted=False)
    assert shelf.take() == {"g++": ["1000"]} and shelf.trouble == []


@pytest.mark.parametrize("name", ["openssh-server", "bookbag", "nmap"])
def test_what_is_not_offered_is_refused_told_and_in_nobodys_way(shelf: Shelf, name: str) -> None:
    shelf.leave(name)
    shelf.leave("hello")
    assert shelf.take() == {"hello": ["1000"]}
    assert (shelf.trouble, shelf.files()) == (["not-offered"], [])
    with pytest.raises(BookbagError) as refused:
        shelf.open().choose(Choice("1000", name, wanted=True))
    assert refused.value.code == "not-offered"


def test_nobody_gives_back_what_another_chose_but_root(shelf: Shelf) -> None:
    shelf.leave("hello", "1000")
    shelf.leave("hello", "1001")
    shelf.leave("sl", "1001")
    assert shelf.take() == {"hello": ["1000", "1001"], "sl": ["1001"]}
    shelf.leave("sl", "1000", wanted=False)
    shelf.leave("hello", "1000", wanted=False)
    assert shelf.take() == {"hello": ["1001"], "sl": ["1001"]} and shelf.trouble == ["not-found"]
    shelf.open().choose(Choice(ROOT, "sl", wanted=False))
    assert shelf.take() == {"hello": ["1001"]}


def test_what_is_no_longer_offered_can_still_be_given_back(shelf: Shelf) -> None:
    shelf.leave("hello")
    shelf.take()
    shelf.leave("hello", wanted=False)
    assert shelf.take(offered=frozenset()) == {} and shelf.trouble == []


def test_enrolled_anew_a_laptop_has_nothing_of_its_former_life(shelf: Shelf) -> None:
    shelf.leave("hello")
    shelf.take()
    book = shelf.open(device="e" * 32)
    assert book.rows == ()
    book.choose(Choice("1000", "sl", wanted=True))
    assert shelf.open(device="e" * 32).rows == (("sl", ("1000",)),)


# -- a portal that is somebody else's by now, and users who do not stop


def test_persons_that_a_portal_makes_up_have_an_end(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "MOST_PERSONS", 5)
    monkeypatch.setattr(choosing, "MOST_IN_ALL", 12)
    for person in range(2000, 2000 + choosing.MOST_PERSONS + 1):
        shelf.leave("hello", str(person))
    found = shelf.take()
    assert len(found["hello"]) == choosing.MOST_PERSONS and shelf.trouble == ["too-many"]
    for name in ("sl", "tuxpaint", "g++"):
        for person in range(3000, 3004):
            shelf.leave(name, str(person))
    found = shelf.take()
    assert sum(map(len, found.values())) == choosing.MOST_IN_ALL and set(shelf.trouble) == {"too-many"}
    shelf.leave("hello", "2000", wanted=False)
    assert len(shelf.take(AT + choosing.HOUR)["hello"]) == choosing.MOST_PERSONS - 1, "the control"


def test_folders_in_the_way_keep_no_choice_back(shelf: Shelf) -> None:
    for number in range(choosing.MOST_FILES):
        (shelf.portal / f"{LEFT}.1000.p{number}").mkdir()
    (shelf.portal / f"{LEFT}.1001.sl").mkdir()
    (shelf.portal / f"{TAKEN}.1000.hello" / "full").mkdir(parents=True)
    shelf.leave("hello")
    for _ in range(2):
        shelf.take()
    assert shelf.take() == {"hello": ["1000"]} and shelf.trouble == []
    assert [one for one in shelf.files() if not one.startswith("aside-")] == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_root_may_not_read_is_no_choice(shelf: Shelf) -> None:
    shelf.leave("hello")
    (shelf.portal / f"{LEFT}.1000.hello").chmod(0)
    shelf.leave("sl")
    assert shelf.take() == {"sl": ["1000"]} and (shelf.trouble, shelf.files()) == (["bad-path"], [])


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (f"{LEFT}.1000.hello", b""),
        (f"{LEFT}.1000.hello", b"{}"),
        (f"{LEFT}.1000.hello", b'{"v":1,"wanted":1}'),
        (f"{LEFT}.1000.hello", b'{"v":9,"wanted":true}'),
        (f"{LEFT}.1000.hello", b'{"v":1,"wanted":true}' + b" " * 300),
        (f"{LEFT}.1000.hello", b"[" * 200),
    ],
)
def test_what_is_no_choice_is_removed_and_told(shelf: Shelf, name: str, data: bytes) -> None:
    (shelf.portal / name).write_bytes(data)
    shelf.leave("sl")
    assert shelf.take() == {"sl": ["1000"]}
    assert len(shelf.trouble) == 1 and shelf.files() == []


@pytest.mark.parametrize(
    "name",
    [
        *(f"{LEFT}.1000.", f"{LEFT}.1000.UPPER", f"{LEFT}..hello", f"{LEFT}.01000.hello", "choice"),
        *(f"{LEFT}.1000.{'a' * 102}", f"{LEFT}.-1.hello", f"{LEFT}.1000.hello world", "news", "a" * 32),
        *(f"{LEFT}.٣.hello", f"{LEFT}.1000.hello\n", f"{LEFT}.99999999999.hello"),
    ],
)
def test_files_of_other_names_are_not_read(shelf: Shelf, name: str) -> None:
    (shelf.portal / name).write_bytes(b'{"v":1,"wanted":true}')
    assert shelf.take() == {} and shelf.files() == [name]


def test_a_link_a_pipe_and_a_folder_in_its_place_lead_nowhere(shelf: Shelf) -> None:
    secret = shelf.folder / "secret"
    secret.write_bytes(b'{"v":1,"wanted":true}')
    (shelf.portal / f"{LEFT}.1000.hello").symlink_to(secret)
    os.mkfifo(shelf.portal / f"{LEFT}.1000.sl")
    (shelf.portal / f"{LEFT}.1000.tuxpaint").mkdir()
    shelf.leave("g++")
    assert shelf.take() == {"g++": ["1000"]}
    assert secret.exists() and set(shelf.trouble) == {"bad-path"}


def test_a_thousand_files_and_a_mind_that_changes_for_ever_have_an_end(shelf: Shelf) -> None:
    for number in range(1000):
        shelf.leave(f"p{number}")
    shelf.take()
    assert len(shelf.files()) == 1000 - choosing.MOST_FILES, "and the rest next time"
    for path in shelf.portal.iterdir():
        path.unlink()
    book = shelf.open()
    for number in range(choosing.MOST_AN_HOUR):
        book.choose(Choice("1000", "hello", wanted=number % 2 == 0))
    with pytest.raises(BookbagError) as refused:
        book.choose(Choice("1000", "hello", wanted=True))
    assert refused.value.code == "too-many"
    book.choose(Choice("1001", "hello", wanted=True))
    later = shelf.open(AT + choosing.HOUR + 1)
    later.choose(Choice("1000", "hello", wanted=True))
    assert later.rows == (("hello", ("1001", "1000")),)


def test_one_person_and_one_laptop_keep_so_many(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "MOST_OF_ONE", 4)
    monkeypatch.setattr(choosing, "MOST", 6)
    many = frozenset(f"p{number}" for number in range(20))
    book = shelf.open(offered=many)
    for number in range(4):
        book.choose(Choice("1000", f"p{number}", wanted=True))
    with pytest.raises(BookbagError, match="more than 4"):
        book.choose(Choice("1000", "p4", wanted=True))
    for number in (4, 5):
        book.choose(Choice("1001", f"p{number}", wanted=True))
    with pytest.raises(BookbagError, match="more than 6"):
        book.choose(Choice("1001", "p6", wanted=True))
    fewer = shelf.open(offered=many - {"p0"})
    fewer.choose(Choice("1001", "p6", wanted=True))
    assert "p0" not in dict(fewer.rows), "what is not offered any more makes room"


# -- damaged, and cut off anywhere


def test_one_damaged_copy_costs_nothing_and_two_what_was_not_taken_in_yet(shelf: Shelf) -> None:
    shelf.leave("hello")
    shelf.take()
    first, second = shelf.folder / "choices.json", shelf.folder / "choices.json.2"
    first.write_bytes(b"\0" * 50)
    assert shelf.take() == {"hello": ["1000"]} and shelf.trouble == []
    first.write_bytes(b"\0" * 50)
    second.write_bytes(b"")
    assert shelf.take(known=(("hello", ("1000",)),)) == {"hello": ["1000"]}
    assert shelf.trouble == ["state-corrupt"]
    assert shelf.take() == {"hello": ["1000"]} and shelf.trouble == [], "it was written anew"


def furnished(folder: Path) -> None:
    made = Shelf(folder)
    made.leave("hello")
    made.leave("sl", "1001")
    made.take()
    made.leave("hello", wanted=False)
    made.leave("tuxpaint")
    (made.portal / f"{TAKEN}.1001.g++").write_bytes(b'{"v":1,"wanted":false}')
    made.leave("g++", "1001")


def take(folder: Path) -> None:
    Shelf(folder).take()


def all_of_it(folder: Path, said: str) -> None:
    """The next run ends with what everybody said last, and nothing left to take."""
    del said
    copy = folder.with_name(f"{folder.name}-again")
    shutil.copytree(folder, copy, symlinks=True)
    try:
        shelf = Shelf(copy)
        found = shelf.take()
        assert "state-corrupt" not in shelf.trouble
        assert found == {"sl": ["1001"], "g++": ["1001"], "tuxpaint": ["1000"]}, found
        assert not [name for name in shelf.files() if not name.endswith(".tmp")]
    finally:
        shutil.rmtree(copy)


@pytest.fixture
def start(tmp_path: Path) -> Path:
    folder = tmp_path / "start"
    furnished(folder)
    return folder


@pytest.mark.needs("strace")
def test_a_power_cut_anywhere_loses_no_choice(start: Path) -> None:
    assert every_prefix(take, start, all_of_it, most=12).states > 8


@pytest.mark.needs("strace")
@pytest.mark.soak
def test_a_kill_anywhere_loses_no_choice(start: Path) -> None:
    assert kill_at_every(take, start, all_of_it).points >= 8


@pytest.mark.needs("strace")
@pytest.mark.soak
def test_a_full_disk_anywhere_loses_no_choice(start: Path) -> None:
    def told(folder: Path, outcome: Outcome) -> None:
        assert outcome.code == 0, outcome.errors
        all_of_it(folder, outcome.said)

    assert fail_at_every(take, start, told).points >= 4
