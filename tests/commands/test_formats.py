"""Golden files of what the laptop remembers of orders (docs/formats.md): written exactly so, and read by
every version. `python -m tests.commands.test_formats` writes them anew."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from agent.commands.arranged import Arranged, Arrangements
from agent.commands.asking import Asked
from agent.commands.asking import Book as Requests
from agent.commands.book import Book, BookFile, Ended, Unsent
from agent.commands.case import Case, Step
from agent.commands.choosing import Changed, Choices, Picked, open_file
from agent.commands.holding import CLOSED, Hold, Holding
from agent.commands.messages import Message, Messages
from agent.commands.replies import Replies, Reply
from agent.commands.secrets import Given, Secrets
from agent.commands.sessions import Session, Sessions
from agent.commands.staging import Staged
from agent.store.statefile import StateFile
from agent.store.undo import UndoJournal
from agent.trust.asks import Request
from agent.trust.identity import DeviceIdentity
from agent.trust.keys import SealKey, SigningKey

GOLDEN = Path(__file__).parents[1] / "cases" / "formats" / "commands"
AT = 1_800_000_000
DEVICE = "6f" * 16
WIPE = Case(
    id="0f" * 16, kind="wipe", seq=2, digest="ab" * 32, persons=("head-1", "ict-1"), issued=AT,
    not_before=AT, expires=AT + 14 * 86400, grace_s=14400, args={}, reason="stolen from a bus",
    step=Step.ARMED, since=AT + 60, until=AT + 14460, memory={"volumes": {"/dev/disk": {"slots": [0, 1]}}},
    epoch=3,
)  # fmt: skip
BOOK = Book(
    cases=(WIPE,),
    ended=(Ended("1f" * 16, "lock", Step.DONE, AT - 60),),
    called_off=("2f" * 16,),
    refused=("3f" * 16 + " not-logged",),
    unsent=(Unsent("receipt-" + "4f" * 16 + "-7", b"BBR1 and so on"),),
    receipts=7,
    head="cd" * 32,
    device=DEVICE,
)
IDENTITY = DeviceIdentity(SigningKey.from_raw(b"\x6f" * 32), SealKey.from_raw(b"\x6e" * 32), b"\x6d" * 32)
DECIDED = replace(WIPE, step=Step.COMMITTED, since=AT + 14520, until=0)
HOLD = Hold(
    phase=CLOSED, order="1f" * 16, since=AT, message={"en": "Bring me back"}, contact="020 555 01", lost=True,
    challenge="K7M2QXD", wrong=2, wait_until=900, wait_s=60, boot_id="0f1e2d3c",
)  # fmt: skip
MESSAGES = (
    Message("5f" * 16, {"en": "Museum on Friday", "ar": "المتحف يوم الجمعة"}, ("ict-1",), AT, AT + 86400),
)


REPLY = Reply(
    "7f" * 16, "8f" * 16, True, {"en": "Until the exam"}, "asked-8f8f8f8f8f8f8f8f", "2027-06-30",
    ("ict-1",), AT, AT + 60,
)  # fmt: skip
GIVEN = Given({"staff-wifi": "four random little words"}, DEVICE, 3, 2)
ARRANGED = Arranged(
    "bf" * 16, DEVICE, 3, 2, ("ict",), {"accessibility.magnifier": "3x", "input.layouts": ["ara", "us"]},
    until=AT + 90 * 86400, at=AT,
)  # fmt: skip
SESSION = Session(
    DEVICE, "bf" * 16, 3, 4, "exam", 5400, AT + 5400, ("lee",), 5390, 900, "0f1e2d3c"
)  # fmt: skip
CHOICES = Choices(
    DEVICE, (Picked("tuxpaint", ("1000", "1001")), Picked("g++", ("1001",))), (Changed("1001", AT),)
)
REQUEST = Request("8f" * 16, "north", DEVICE, "open-site", "", "casino.example", "للرياضيات", AT - 60)
ASKED = (
    Asked("1000", REQUEST, "ask-" + "9f" * 16 + "-" + "8f" * 16, sent_at=AT),
    Asked(
        "1001", replace(REQUEST, id="af" * 16, at=AT), "ask-" + "9f" * 16 + "-" + "af" * 16, b"BBR1 and so on"
    ),
)


def write(folder: Path) -> None:
    """Everything, as a laptop writes it."""
    BookFile(f"{folder}/commands.json").write(BOOK)
    Holding(f"{folder}/hold.json", UndoJournal(f"{folder}/undo"), ()).write(HOLD)
    kept = Messages(f"{folder}/messages.json")
    for one in MESSAGES:
        kept.add(one, AT)
    Replies(f"{folder}/replies.json").add(REPLY)
    Secrets(f"{folder}/secrets.json").put(GIVEN)
    Arrangements(f"{folder}/arranged.json").keep(ARRANGED)
    Sessions(f"{folder}/session.json").write(SESSION)
    open_file(f"{folder}/choices.json").write(CHOICES)
    StateFile(f"{folder}/book.json", Requests, "asks").write(Requests(ASKED))
    Staged(str(folder)).put(DECIDED, IDENTITY)
    shutil.rmtree(folder / "undo", ignore_errors=True)


def test_they_are_written_exactly_so(tmp_path: Path) -> None:
    write(tmp_path)
    expected = {path.name: path.read_bytes() for path in GOLDEN.iterdir()}
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == expected


def test_they_are_read_to_the_same_values(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(GOLDEN, tmp_path / "copy"))
    book = BookFile(f"{copy}/commands.json").read(AT, (0, ""), DEVICE)
    assert (book.cases, book.ended, book.called_off, book.unsent, book.head) == (
        BOOK.cases, BOOK.ended, BOOK.called_off, BOOK.unsent, BOOK.head,
    )  # fmt: skip
    hold = Holding(f"{copy}/hold.json", UndoJournal(f"{copy}/undo"), ()).read()
    assert (hold.locked, hold.message, hold.challenge, hold.wait_s) == (True, HOLD.message, "K7M2QXD", 60)
    assert Messages(f"{copy}/messages.json").read(AT) == MESSAGES
    assert Replies(f"{copy}/replies.json").read() == (REPLY,)
    assert Secrets(f"{copy}/secrets.json").read() == replace(GIVEN, count=1)
    assert Arrangements(f"{copy}/arranged.json").read() == replace(ARRANGED, count=1)
    assert open_file(f"{copy}/choices.json").read() == replace(CHOICES, count=1)
    assert StateFile(f"{copy}/book.json", Requests, "asks").read() == Requests(ASKED)
    assert Staged(str(copy)).read(IDENTITY) == DECIDED


@pytest.mark.parametrize("name", ["commands.json", "hold.json"])
def test_one_damaged_copy_of_two_costs_nothing(tmp_path: Path, name: str) -> None:
    copy = Path(shutil.copytree(GOLDEN, tmp_path / "copy"))
    (copy / name).write_bytes(b"\0" * 100)
    assert BookFile(f"{copy}/commands.json").read(AT, (0, ""), DEVICE).receipts == 7
    assert Holding(f"{copy}/hold.json", UndoJournal(f"{copy}/undo"), ()).read().locked


if __name__ == "__main__" and len(sys.argv) == 1:
    shutil.rmtree(GOLDEN, ignore_errors=True)
    GOLDEN.mkdir(parents=True)
    write(GOLDEN)
