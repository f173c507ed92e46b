"""What laptops return, against strangers: by the network and on a stick nobody takes a laptop's place, fills
its room, or stays in the way."""

from __future__ import annotations

import http.client
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.fleet import folder, refused, returnbox
from agent.fleet.expected import Expected
from agent.fleet.folder import Folder
from agent.fleet.returnbox import ReturnBox, Room
from agent.fleet.service.repository import Repository
from agent.fleet.service.returns import Returns
from agent.fleet.service.site import Site
from agent.sync.connection import Deadline
from agent.sync.https import HttpsSource
from agent.trust import receipts, returned
from agent.trust.identity import DeviceIdentity
from agent.trust.keys import SealKey
from agent.web.loop import Listener, Loop
from tests.fleet.chain import Chain
from tests.fleet.desk import DAY, Desk, Laptop, deliver, enrolled


@pytest.fixture
def lap(desk: Desk, tmp_path: Path) -> Laptop:
    return enrolled(desk, tmp_path, "lap-1")


class Service:
    """The desk's returns over a real socket: how a stranger and a laptop fare."""

    def __init__(self, port: int) -> None:
        self.port = port

    def put(self, name: str, data: bytes) -> int:
        """The status that anybody's upload is answered with."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("PUT", f"/returns/{name}", data)
            return connection.getresponse().status
        finally:
            connection.close()

    def deliver(self, name: str, data: bytes) -> str:
        """As a laptop does."""
        source = HttpsSource(f"http://127.0.0.1:{self.port}/", "", Deadline(20))
        try:
            return source.deliver(name, data)
        finally:
            source.close()


@contextmanager
def serving(desk: Desk) -> Iterator[Service]:
    returns = Returns(ReturnBox(str(desk.root / "returns")), Expected(Folder(desk.root), lambda: desk.now))
    listener = Listener("127.0.0.1", 0, Site(Repository(str(desk.root / "published")), returns, prefixes=[]))
    defects: list[Exception] = []
    loop = Loop([listener], log=lambda *_: None, defect=defects.append)
    thread = threading.Thread(target=loop.run)
    thread.start()
    try:
        yield Service(listener.port)
    finally:
        loop.stop()
        thread.join(10)
        assert defects == []


def _waiting(desk: Desk) -> list[str]:
    return sorted(path.name for path in (desk.root / "returns").iterdir() if path.is_file())


def _told(desk: Desk) -> list[str]:
    """Who told what, new at this look."""
    value = desk.run("receipts", "--as", "ict-1").value
    return [f"{one['device']} {one['n']} {one['state']}" for one in value["receipts"]]


def test_a_stranger_neither_takes_a_receipts_place_nor_fills_the_box(
    desk: Desk, lap: Laptop, tmp_path: Path
) -> None:
    chain, other = Chain(lap, desk), Chain(enrolled(desk, tmp_path, "lap-2"), desk)
    name, data = chain.next()
    theirs, stranger = other.next()[1], DeviceIdentity.generate()
    box = returned.unwrap(data, name, lap.identity.sign_key.public)
    with serving(desk) as service:
        for n in range(1, 20):
            assert service.put(chain.name(n), b"x") == 403
        junk = receipts.make_return(b"{}", name, stranger, SealKey.generate().public)
        for forged in (junk, theirs, box, data[:-1] + b"x", returned.wrap(box, name, stranger.sign_key)):
            assert service.put(name, forged) == 403
        assert service.put(chain.name(2), data) == 403, "what it said under one name it said under no other"
        assert service.put(name, bytes(returned.MOST + 1)) == 413
        assert _waiting(desk) == []
        assert service.deliver(name, data) == "delivered"
        assert service.deliver(name, data) == "delivered", "our answer was lost, and it asks again"
    assert _waiting(desk) == [name]
    assert _told(desk) == ["lap-1 1 done"]


def test_what_the_desk_keeps_is_known_again_and_nothing_else_is_left_of_it(desk: Desk, lap: Laptop) -> None:
    chain = Chain(lap, desk)
    sent = [chain.next() for _ in range(3)]
    set_back = Chain(lap, desk)
    with serving(desk) as service:
        assert [service.deliver(*one) for one in sent] == ["delivered"] * 3
        assert len(_told(desk)) == 3
        assert sorted(os.listdir(desk.root / "returns")) == ["done"]
        assert os.listdir(desk.root / "returns/done") == [f"enrol-{Folder(desk.root).device('lap-1').token}"]
        assert [service.deliver(*one) for one in sent] == ["delivered"] * 3, "known by its hash"
        assert service.deliver(*set_back.next("failed")) == "already", "another one of that number is not"
        assert _waiting(desk) == []
        assert service.deliver(*chain.next()) == "delivered"
    assert _told(desk) == ["lap-1 4 done"]


def test_of_an_enrolment_that_was_dealt_with_a_hash_is_left(desk: Desk, tmp_path: Path) -> None:
    laptop = Laptop(tmp_path / "lap-1", serial="S-1")
    name, data = laptop.enrol(desk, Path(desk.run("device", "lap-1").value["file"]))
    with serving(desk) as service:
        assert service.put(name, data) == 201
        desk.run("assign", "lap-1", "--as", "ict-1")
        assert (desk.root / "returns/done" / name).stat().st_size == 64 < len(data)
        assert (service.put(name, data), service.put(name, data + b"x")) == (200, 409)


def test_one_laptop_that_tells_without_end_takes_no_room_from_others(
    desk: Desk, lap: Laptop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(returnbox, "LAPTOP", Room(3, 1 << 20))
    monkeypatch.setattr(returnbox, "MEASURE_EVERY", 0.0)
    mad, other = Chain(lap, desk), Chain(enrolled(desk, tmp_path, "lap-2"), desk)
    sent = [mad.next() for _ in range(5)]
    with serving(desk) as service:
        assert [service.put(*one) for one in sent] == [201, 201, 201, 507, 507]
        assert service.deliver(*other.next()) == "delivered"
        assert len(_told(desk)) == 4
        assert service.deliver(*sent[3]) == "delivered", "there is room once the desk has looked"


@pytest.mark.parametrize("size", [Room(1, 1 << 20), Room(100, 6000)])
def test_receipts_and_enrolments_have_room_of_their_own(
    desk: Desk, lap: Laptop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: Room
) -> None:
    chain = Chain(lap, desk)
    new = [Laptop(tmp_path / name, serial=name) for name in ("lap-2", "lap-3")]
    asked = [one.enrol(desk, Path(desk.run("device", one.serial).value["file"])) for one in new]
    with serving(desk) as service:
        monkeypatch.setattr(returnbox, "RECEIPTS", size)
        assert [service.put(*chain.next()) for _ in range(2)] == [201, 507]
        assert service.deliver(*asked[0]) == "delivered"
        monkeypatch.setattr(returnbox, "RECEIPTS", Room(100, 1 << 20))
        monkeypatch.setattr(returnbox, "ENROLMENTS", Room(1, 1 << 20))
        assert service.put(*asked[1]) == 507
        assert service.deliver(*chain.next()) == "delivered"


def test_many_enrolments_keep_no_receipt_from_being_read(
    desk: Desk, lap: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "MOST_FILES", 20)
    for n in range(30):
        deliver(desk, f"enrol-{n:032x}", b"x")
    Chain(lap, desk).tell()
    assert _told(desk) == ["lap-1 1 done"]


def test_what_cannot_be_believed_is_told_once_and_put_aside(desk: Desk, lap: Laptop) -> None:
    """A receipt of a laptop that has enrolled anew since is such a one."""
    chain = Chain(lap, desk)
    former = Chain(Laptop(lap.folder), desk).tell()
    deliver(desk, chain.name(7), b"junk")
    name, data = chain.next()
    deliver(desk, name, data)
    refusals = desk.run("receipts", "--as", "ict-1", expect=4).value["problems"]
    assert sorted(one.partition(": ")[0] for one in refusals) == sorted([former, chain.name(7)])
    assert desk.run("receipts", "--as", "ict-1").value["problems"] == []
    assert sorted(os.listdir(desk.root / "returns/refused")) == sorted([former, chain.name(7)])
    assert _waiting(desk) == []


def test_little_is_kept_of_what_cannot_be_believed(
    desk: Desk, lap: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refused, "MOST", 3)
    chain = Chain(lap, desk)
    for n in range(1, 6):
        deliver(desk, chain.name(n), b"junk")
        os.utime(desk.root / "returns" / chain.name(n), (n, n))
    desk.run("receipts", "--as", "ict-1", expect=4)
    assert sorted(os.listdir(desk.root / "returns/refused")) == [chain.name(n) for n in (3, 4, 5)]
    monkeypatch.setattr(refused, "MOST_BYTES", 5)
    deliver(desk, chain.name(6), b"junk")
    desk.run("receipts", "--as", "ict-1", expect=4)
    assert os.listdir(desk.root / "returns/refused") == [chain.name(6)]


def test_an_enrolment_whose_token_is_dead_is_put_aside_and_a_live_one_waits(desk: Desk) -> None:
    for name in ("lap-1", "lap-2"):
        desk.run("device", name, *(["--days", "7"] if name == "lap-1" else []))
    dead, live = (f"enrol-{Folder(desk.root).device(name).token}" for name in ("lap-1", "lap-2"))
    unknown = "enrol-" + "0" * 32  # of a device that this copy of the folder has not heard of yet
    for name in (dead, live, unknown):
        deliver(desk, name, b"x")
    desk.run("receipts", "--as", "ict-1")
    assert _waiting(desk) == sorted([dead, live, unknown])
    desk.now += 8 * DAY
    assert "1 enrolments" in desk.run("receipts", "--as", "ict-1", as_json=False).out
    assert _waiting(desk) == sorted([live, unknown])
    assert os.listdir(desk.root / "returns/refused") == [dead]


def test_a_receipt_that_was_kept_when_the_power_went_is_taken_again(desk: Desk, lap: Laptop) -> None:
    """It is in ``receipts/``, and its return is still there."""
    name, data = Chain(lap, desk).next()
    for _ in range(2):
        deliver(desk, name, data)
        assert _told(desk) == ["lap-1 1 done"]
        assert _waiting(desk) == []
    assert len(os.listdir(desk.root / "receipts/lap-1")) == 1


def test_a_number_inside_that_is_not_the_names_is_refused(desk: Desk, lap: Laptop) -> None:
    """Else one signed receipt could be kept in another's place."""
    chain = Chain(lap, desk)
    first, data = chain.next()
    box = returned.unwrap(data, first, lap.identity.sign_key.public)
    name = chain.name(2)
    deliver(desk, name, returned.wrap(box, name, lap.identity.sign_key))
    (problem,) = desk.run("receipts", "--as", "ict-1", expect=4).value["problems"]
    assert problem == f"{name}: cannot believe this receipt: inside it has number 1"
    assert not (desk.root / "receipts").exists()


def test_a_kept_receipt_is_never_written_over_by_another(desk: Desk, lap: Laptop) -> None:
    Chain(lap, desk).tell("armed")
    assert _told(desk) == ["lap-1 1 armed"]
    Chain(lap, desk).tell("done")
    (problem,) = desk.run("receipts", "--as", "ict-1", expect=4).value["problems"]
    assert "another one of this number is kept" in problem
    assert desk.run("receipts", "lap-1", "--as", "ict-1").value["receipts"][0]["state"] == "armed"


def test_a_stick_brings_only_what_a_laptop_signed_and_is_told_of_once(desk: Desk, lap: Laptop) -> None:
    stick = desk.root.parent / "stick"
    (stick / "returns").mkdir(parents=True)
    chain = Chain(lap, desk)
    name, data = chain.next()
    former = Chain(Laptop(lap.folder), desk).next()
    bad = {
        former[0]: former[1],
        chain.name(2): data,
        chain.name(3): b"junk",
        chain.name(4): bytes(returned.MOST + 1),
    }
    for one, content in {name: data, **bad}.items():
        (stick / "returns" / one).write_bytes(content)
    ran = desk.run("stick", str(stick), expect=4).value
    assert ran["collected"] == [name]
    assert {one["name"] for one in ran["refused"]} == set(bad)
    assert _waiting(desk) == [name]
    assert desk.run("stick", str(stick)).value["refused"] == []
    assert _told(desk) == ["lap-1 1 done"]
    (stick / "returns" / name).write_bytes(data)  # the laptop leaves it again, until it hears
    assert desk.run("stick", str(stick)).value["collected"] == []
    assert os.listdir(stick / "returns") == [] and _waiting(desk) == []


def test_a_stick_does_not_fill_the_desk_with_enrolments_that_nobody_asked_for(desk: Desk) -> None:
    stick = desk.root.parent / "stick"
    (stick / "returns").mkdir(parents=True)
    for n in range(50):
        (stick / "returns" / f"enrol-{n:032x}").write_bytes(b"junk")
    ran = desk.run("stick", str(stick), expect=4).value
    assert ran["collected"] == [] and len(ran["refused"]) == 50
    assert _waiting(desk) == []
