"""Requests of students on their way from the portal's folder into the outbox: once each, within bounds,
whatever is cut off."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.commands import asking
from agent.commands.asking import Asking, Outlook
from agent.commands.replies import Replies, Reply
from agent.core.clock import Now
from agent.core.ids import new_id
from agent.store.spool import Spool
from agent.trust import asks, drafts, receipts
from agent.trust.drafts import Draft
from agent.trust.identity import DeviceIdentity
from agent.trust.keys import SealKey, SigningKey
from tests.powercut import Outcome, every_prefix, fail_at_every, kill_at_every, say

AT = 1_800_000_000
LAPTOP = DeviceIdentity(SigningKey.from_raw(b"\x61" * 32), SealKey.from_raw(b"\x62" * 32), b"\x63" * 32)
DESK = SealKey.from_raw(b"\x64" * 32)


class Requests:
    """The folders of one laptop."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.portal = folder / "in"
        self.portal.mkdir(parents=True, exist_ok=True)
        self.outbox = Spool(str(folder / "outbox"), max_bytes=4 << 20)
        self.trouble: list[str] = []

    def leave(self, person: str = "1000", *, id_: str = "", words: str = "", **more: str) -> str:
        """As the portal does."""
        told = {"kind": drafts.SITE, "about": "", "address": "casino.example", **more}
        draft = Draft(id_ or new_id(), person, words=words, **told)
        (self.portal / draft.id).write_bytes(drafts.draft_bytes(draft))
        return draft.id

    def run(
        self,
        at: int = AT,
        *,
        answered: tuple[str, ...] = (),
        identity: DeviceIdentity | None = LAPTOP,
        known: bool = True,
    ) -> Outlook:
        now = Now(at, "good", at)
        one = Asking(str(self.folder / "book.json"), str(self.portal), self.outbox, now, answered)
        outlook = one.run(identity, "north", DESK.public if known else None)
        self.trouble = [problem.code for problem in one.trouble]
        return outlook

    def sent(self) -> dict[str, asks.Request]:
        """Id → request, of everything in the outbox that the desk would believe."""
        found = {}
        for name in self.outbox.names():
            key = LAPTOP.sign_key.public
            envelope = receipts.open_return(self.outbox.read(name), name, key, DESK)
            request = asks.verify(envelope, key)
            assert name == asks.return_name("north", LAPTOP.id, request.id)
            found[request.id] = request
        return found

    def deliver(self) -> None:
        for name in self.outbox.names():
            self.outbox.remove(name)


@pytest.fixture
def laptop(tmp_path: Path) -> Requests:
    return Requests(tmp_path)


def waiting(laptop: Requests) -> list[str]:
    return sorted(os.listdir(laptop.portal))


def test_asked_sealed_sent_answered(laptop: Requests) -> None:
    id_ = laptop.leave(words="for maths")
    outlook = laptop.run()
    assert (outlook.open, outlook.unsent, outlook.again, waiting(laptop)) == (1, 1, 0, [])
    assert laptop.sent()[id_].words == "for maths"
    assert laptop.run().asked[0].sent_at == 0, "it waits here"
    laptop.deliver()
    assert laptop.run(AT + 60).asked[0].sent_at == AT + 60
    outlook = laptop.run(AT + 90, answered=(id_,))
    assert (outlook.open, outlook.asked[0].sent_at) == (0, AT + 60)


def test_left_twice_is_asked_once(laptop: Requests) -> None:
    id_ = laptop.leave()
    laptop.run()
    laptop.leave(id_=id_, words="again, louder")
    laptop.run()
    assert waiting(laptop) == []
    assert [one.words for one in laptop.sent().values()] == [""]


def test_nothing_is_taken_before_it_is_known_for_whom(laptop: Requests) -> None:
    id_ = laptop.leave()
    for identity in (None, LAPTOP):
        outlook = laptop.run(identity=identity, known=False)
        assert (outlook.open, laptop.sent(), waiting(laptop)) == (1, {}, [id_])
    laptop.run()
    assert list(laptop.sent()) == [id_]


def test_enrolled_anew_it_does_not_claim_what_its_former_self_asked(laptop: Requests) -> None:
    laptop.leave()
    laptop.run()
    laptop.deliver()  # thrown away, in truth
    assert laptop.run(identity=DeviceIdentity.generate()).asked == ()


# -- a portal that is somebody else's by now


def test_five_an_hour_and_the_next_waits_its_turn(laptop: Requests) -> None:
    for number in range(asking.MOST_AN_HOUR + 2):
        laptop.leave(address=f"s{number}.example")
    other = laptop.leave("1001")
    outlook = laptop.run()
    assert len(laptop.sent()) == asking.MOST_AN_HOUR + 1 and other in laptop.sent()
    assert len(waiting(laptop)) == 2 and 0 < outlook.again <= asking.HOUR
    assert laptop.run(AT + outlook.again - 1).again == 1
    laptop.run(AT + outlook.again)
    assert waiting(laptop) == []


def test_twenty_open_ones_are_enough_until_one_is_answered(laptop: Requests) -> None:
    ids = []
    for number in range(asking.MOST_OPEN):
        ids.append(laptop.leave(address=f"s{number}.example"))
        laptop.run(AT + number * asking.HOUR)
    late = laptop.leave(address="late.example")
    at = AT + 100 * asking.HOUR
    assert (laptop.run(at).again, waiting(laptop)) == (asking.HOUR, [late])
    laptop.run(at, answered=(ids[3],))
    assert waiting(laptop) == []


def test_however_many_people_the_portal_makes_up_the_laptop_asks_so_much(
    laptop: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MOST_AN_HOUR_HERE", 4)
    monkeypatch.setattr(asking, "MOST_OPEN_HERE", 10)
    for number in range(20):
        laptop.leave(str(2000 + number))
    laptop.run()
    assert len(laptop.sent()) == 4
    for hour in range(1, 5):
        laptop.run(AT + hour * asking.HOUR)
    assert (len(laptop.sent()), len(waiting(laptop))) == (10, 10)
    laptop.run(AT + asking.OVER + 10 * asking.HOUR)  # nobody answered; at some time that is over
    assert len(laptop.sent()) == 14


def test_a_flood_of_files_is_thrown_away_unread(laptop: Requests) -> None:
    for number in range(asking.MOST_FILES + 50):
        (laptop.portal / f"{number:032x}").write_bytes(b"\0" * 100)
    for _ in range(3):
        laptop.run()
    assert waiting(laptop) == []
    id_ = laptop.leave()
    laptop.run()
    assert list(laptop.sent()) == [id_], "and when it is over the next request goes"


def test_what_cannot_be_a_request_is_removed_and_touches_nothing(laptop: Requests, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("{}")
    names = [f"{number:032x}" for number in range(6)]
    os.symlink(secret, laptop.portal / names[0])
    os.mkfifo(laptop.portal / names[1])
    (laptop.portal / names[2]).mkdir()
    (laptop.portal / names[3]).write_bytes(b"x" * (drafts.MOST_DRAFT + 1))
    (laptop.portal / names[4]).write_bytes(drafts.draft_bytes(draft()) + b" ")
    (laptop.portal / names[5]).write_bytes(drafts.draft_bytes(draft()).replace(b"casino", b"\\u0000"))
    (laptop.portal / "news").touch()
    (laptop.portal / "unfinished.tmp").write_bytes(b"{")
    os.link(secret, laptop.portal / ("a" * 32))
    good = laptop.leave(id_="f" * 32)
    laptop.run()
    assert set(laptop.sent()) == {good, names[4]}, "a space behind it is no harm"
    assert waiting(laptop) == sorted([names[2], "news", "unfinished.tmp"]), "a folder takes up no room"
    assert secret.read_text() == "{}" and len(laptop.trouble) >= 5


def draft() -> Draft:
    return Draft("0" * 32, "1000", drafts.SITE, "", "casino.example", "")


def test_the_book_has_an_end_and_forgets_what_is_over_first(
    laptop: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MOST_KEPT", 12)
    over: list[str] = []
    for number in range(asking.MOST_KEPT + 10):
        id_ = laptop.leave(str(1000 + number))
        laptop.run(AT + number * 600, answered=tuple(over))
        laptop.deliver()
        if number:
            over.append(id_)
    outlook = laptop.run(AT + number * 600, answered=tuple(over))
    assert len(outlook.asked) == asking.MOST_KEPT
    assert outlook.asked[0].request.at == AT, "the one without an answer is still there"


def test_a_damaged_book_is_told_and_the_next_request_goes(laptop: Requests) -> None:
    laptop.leave()
    laptop.run()
    (laptop.folder / "book.json").write_bytes(b"\0" * 50)
    second = laptop.leave(address="second.example")
    assert laptop.run().asked[0].id == second
    assert laptop.trouble == ["state-corrupt"] and len(laptop.sent()) == 2


def test_an_outbox_that_is_full_keeps_it_here(laptop: Requests) -> None:
    id_ = laptop.leave()
    laptop.outbox = Spool(str(laptop.folder / "outbox"), max_bytes=10)
    outlook = laptop.run()
    assert laptop.trouble and set(laptop.trouble) == {"disk-full"}
    assert (outlook.unsent, outlook.asked[0].sent_at) == (1, 0), "nobody says that it went"
    laptop.outbox = Spool(str(laptop.folder / "outbox"))
    assert laptop.run().asked[0].id == id_ and list(laptop.sent()) == [id_]


# -- answers


def reply(ask: str, issued: int, *, yes: bool = True) -> Reply:
    return Reply(new_id(), ask, yes, {"en": "why"}, "asked-1" if yes else "", "", ("ict-1",), issued, AT)


def test_of_two_answers_the_later_one_counts_in_whatever_order_they_come(tmp_path: Path) -> None:
    kept = Replies(str(tmp_path / "replies.json"))
    yes, no = reply("a" * 32, AT), reply("a" * 32, AT + 5, yes=False)
    kept.add(yes)
    kept.add(no)
    kept.add(yes)
    assert kept.read() == (no,)


def test_answers_have_an_end_and_a_damaged_file_is_set_aside(tmp_path: Path) -> None:
    from agent.commands import replies

    path = tmp_path / "replies.json"
    kept = Replies(str(path))
    for number in range(5):
        kept.add(reply(f"{number:032x}", AT))
    assert replies.MOST == 200 and len(kept.read()) == 5
    path.write_bytes(b"")
    assert kept.read() == () and not path.exists()


# -- cut off anywhere

IDS = ("1" * 32, "2" * 32)


def furnished(folder: Path) -> None:
    made = Requests(folder)
    for number, id_ in enumerate(IDS):
        made.leave(id_=id_, address=f"s{number}.example")


def take(folder: Path) -> None:
    """One run; whatever it says went into the outbox did."""
    laptop = Requests(folder)
    laptop.run()
    for name in laptop.outbox.names():
        say(f"{name} {hash_of(laptop.outbox.read(name))}")
    if "disk-full" in laptop.trouble:
        say("disk-full")


def hash_of(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


def once_each(folder: Path, said: str) -> None:
    """The next run ends with each request in the outbox once, in the bytes that may have left already."""
    copy = folder.with_name(f"{folder.name}-again")
    shutil.copytree(folder, copy, symlinks=True)
    try:
        laptop = Requests(copy)
        before = {name: laptop.outbox.read(name) for name in laptop.outbox.names()}
        laptop.run()
        assert "state-corrupt" not in laptop.trouble
        assert set(laptop.sent()) == set(IDS)
        assert not [name for name in waiting(laptop) if not name.endswith(".tmp")]
        after = {name: laptop.outbox.read(name) for name in laptop.outbox.names()}
        assert before.items() <= after.items(), "sealed anew it would be another one to whoever has it"
        told = dict(line.split() for line in said.splitlines() if line.startswith("ask-"))
        assert all(hash_of(after[name]) == digest for name, digest in told.items())
    finally:
        shutil.rmtree(copy)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "start"
    furnished(folder)
    yield folder


@pytest.mark.needs("strace")
def test_a_power_cut_anywhere_loses_nothing_and_doubles_nothing(start: Path) -> None:
    assert every_prefix(take, start, once_each, most=16).states > 8


@pytest.mark.needs("strace")
@pytest.mark.soak
def test_a_kill_anywhere_loses_nothing_and_doubles_nothing(start: Path) -> None:
    assert kill_at_every(take, start, once_each).points >= 8


@pytest.mark.needs("strace")
@pytest.mark.soak
def test_a_full_disk_anywhere_is_told_and_loses_nothing(start: Path) -> None:
    def told(folder: Path, outcome: Outcome) -> None:
        assert outcome.code == 0, outcome.errors
        once_each(folder, outcome.said)

    assert fail_at_every(take, start, told).points >= 8


def test_a_run_that_forgot_to_keep_the_bytes_is_caught(start: Path) -> None:
    """The positive control: sealed anew, it is another box."""
    laptop = Requests(start)
    laptop.run()
    said = "\n".join(f"{name} {hash_of(laptop.outbox.read(name))}" for name in laptop.outbox.names())
    once_each(start, said)
    laptop.deliver()
    (start / "book.json").unlink()
    furnished(start)
    with pytest.raises(AssertionError):
        once_each(start, said)
