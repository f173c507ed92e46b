"""Delivering reports to a receiver, polite and rude: at least once each, never to anybody else, and no
noise.
"""

from __future__ import annotations

import dataclasses
import gzip
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.sync.connection import Deadline
from agent.sync.https import HttpsSource
from agent.sync.reports import MOST_BYTES, MOST_REQUESTS, Deliverer, Delivery
from agent.telemetry.memory import MemoryFile
from agent.telemetry.otlp import answer
from agent.telemetry.otlp.decode import groups
from agent.telemetry.otlp.understand import understand
from agent.telemetry.outbox import Outbox
from agent.telemetry.sent import UNKNOWN, Sent
from tests.sync.server import make_tls, rude_host
from tests.telemetry.receiver import PROTOBUF, TAKEN, Receiver, Reply, Taken, receiving
from tests.telemetry.samples import AT, report


class Laptop:
    """What a laptop's sync worker delivers from."""

    def __init__(self, folder: Path) -> None:
        self.outbox = Outbox(str(folder / "out"))
        self.sent = Sent(str(folder / "sent"))
        self.memory = MemoryFile(str(folder))

    def fill(self, logs: int = 1, metrics: int = 1) -> None:
        for number in range(logs):
            self.outbox.put(report("compliance", number))
        for number in range(metrics):
            self.outbox.put(report("health", 10_000 + number))

    def deliver(self, url: str, ca: Path | str = "", seconds: float = 20) -> Delivery:
        receiver = HttpsSource(url, str(ca), Deadline(seconds))
        try:
            return Deliverer(receiver, self.outbox, self.sent, self.memory, AT).run()
        finally:
            receiver.close()

    @property
    def left(self) -> int:
        return len(self.outbox.waiting())

    @property
    def dropped(self) -> dict[str, int]:
        return dict(self.memory.read().dropped)

    def addresses(self) -> set[object]:
        return {entry["url"] for n in self.sent.numbers() if (entry := self.sent.entry(n))}

    def outcomes(self) -> list[object]:
        return [entry["outcome"] for n in self.sent.numbers() if (entry := self.sent.entry(n))]


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    (tmp_path / "telemetry").mkdir()
    return Laptop(tmp_path / "telemetry")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def ids(receiver: Receiver) -> list[str]:
    """Of all reports that arrived."""
    found = []
    for one in receiver.taken:
        signal = one.path.rpartition("/")[2]
        for got in understand(signal, groups("logs" if signal == "logs" else "metrics", one.body)).reports:
            found.append(got.id)
    return found


def always(*reply: object) -> Callable[[Taken], Reply]:
    return lambda _: reply  # type: ignore[return-value]


def test_what_waits_is_delivered_once_and_is_gone_here(laptop: Laptop, receiver: Receiver) -> None:
    laptop.fill(3, 2)
    this = laptop.deliver(f"{receiver.url}/otlp")
    assert (this.taken, this.requests, this.error, dict(this.gone)) == (5, 2, None, {})
    assert [one.path for one in receiver.taken] == ["/otlp/v1/logs", "/otlp/v1/metrics"]
    assert len(set(ids(receiver))) == 5
    assert laptop.addresses() == {f"{receiver.url}/otlp/v1/metrics", f"{receiver.url}/otlp/v1/logs"}
    assert laptop.left == 0
    assert laptop.outcomes() == ["taken (200)", "taken (200)"]
    assert laptop.deliver(receiver.url).requests == 0


def test_a_request_says_whose_reports_it_holds_and_holds_no_others(
    laptop: Laptop, receiver: Receiver
) -> None:
    before, after = "a" * 32, "b" * 32  # it has enrolled anew meanwhile
    for number, whose in enumerate((before, before, after)):
        one = report("health", number)
        laptop.outbox.put(dataclasses.replace(one, laptop={**one.laptop, "installation": whose}))
    assert laptop.deliver(receiver.url).taken == 3
    assert [took.headers[answer.INSTALLATION.lower()] for took in receiver.taken] == [before, after]
    for took in receiver.taken:
        found = understand("metrics", groups("metrics", took.body)).reports
        assert {got.laptop["installation"] for got in found} == {took.headers[answer.INSTALLATION.lower()]}


def test_a_request_is_bounded_and_so_is_a_round(laptop: Laptop, receiver: Receiver) -> None:
    laptop.fill(0, 380)
    this = laptop.deliver(receiver.url)
    assert this.taken == 380 and laptop.left == 0
    assert len(receiver.taken) > 3
    assert all(len(one.body) <= MOST_BYTES for one in receiver.taken)
    assert len(receiver.taken) <= MOST_REQUESTS
    assert len(laptop.sent.numbers()) <= 12


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_may_be_tried_again_waits(laptop: Laptop, receiver: Receiver, status: int) -> None:
    laptop.fill(2, 1)
    receiver.answer = always(status, {"Retry-After": "77"}, b"")
    this = laptop.deliver(receiver.url)
    assert (this.requests, laptop.left, laptop.dropped) == (1, 3, {}), (
        "one try, and no further one in this round"
    )
    assert this.error is not None and this.error.retry_after == 77 and this.error.answered
    receiver.answer = always(*TAKEN)
    assert laptop.deliver(receiver.url).taken == 3
    assert set(ids(receiver)) == {f"{n:032x}" for n in (0, 1, 10_000)}, (
        "the same ids: kept once by whoever looks"
    )
    first = laptop.sent.entry(laptop.sent.numbers()[0])
    assert first is not None and (first["tries"], first["outcome"]) == (2, "taken (200)")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 408, 500, 501, 505, 507])
def test_what_is_final_is_dropped_and_counted(laptop: Laptop, receiver: Receiver, status: int) -> None:
    """408 and 500 too: the protocol names four statuses that may be tried again, and no other."""
    laptop.fill(1, 1)
    receiver.answer = always(status, {}, b"no")
    this = laptop.deliver(receiver.url)
    batches = 2 if status == 400 else 1  # another batch may be better; another address will not
    assert len(receiver.taken) == (3 if status == 400 else 1), "400 can mean that it does not unpack"
    assert (laptop.left, laptop.dropped) == (2 - batches, {"refused": batches})
    assert (this.error is None) == (status == 400)


@pytest.mark.parametrize("status", [400, 415])
def test_a_receiver_that_cannot_unpack_gets_it_as_it_is(
    laptop: Laptop, receiver: Receiver, status: int
) -> None:
    laptop.fill(1, 1)

    def plain_only(one: Taken) -> Reply:
        return (status, {}, b"what is this?") if "content-encoding" in one.headers else TAKEN

    receiver.answer = plain_only
    assert laptop.deliver(receiver.url).taken == 2
    assert len(receiver.taken) == 3
    assert laptop.dropped == {}
    assert laptop.outcomes() == ["taken (200)", "taken (200)"]


def test_a_batch_that_is_too_large_is_halved_once(laptop: Laptop, receiver: Receiver) -> None:
    laptop.fill(8, 0)
    sizes: list[int] = []

    def small_only(one: Taken) -> Reply:
        sizes.append(len(understand("logs", groups("logs", one.body)).reports))
        return (413, {"Content-Type": "text/html"}, b"<html>nginx") if sizes[-1] > 4 else TAKEN

    receiver.answer = small_only
    assert laptop.deliver(receiver.url).taken == 8
    assert sizes == [8, 4, 4]
    laptop.fill(8, 0)
    receiver.answer = always(413, {}, b"")
    this = laptop.deliver(receiver.url)
    assert (this.taken, dict(this.gone), laptop.left) == (0, {"refused": 8}, 0)


def test_a_receiver_that_takes_a_part_has_taken_what_it_will(laptop: Laptop, receiver: Receiver) -> None:
    laptop.fill(5, 0)
    receiver.answer = always(200, PROTOBUF, answer.partial(2, "two of them are odd"))
    this = laptop.deliver(receiver.url)
    assert (this.taken, dict(this.gone), laptop.left) == (3, {"rejected": 2}, 0)
    assert laptop.outcomes() == ["taken (200); not taken: 2 (two of them are odd)"]
    laptop.fill(1, 0)
    receiver.answer = always(200, PROTOBUF, answer.partial(10**9, "more than there were"))
    assert dict(laptop.deliver(receiver.url).gone) == {"rejected": 1}


@pytest.mark.parametrize(
    "reply",
    [
        (302, {"Location": "http://evil.example/"}, b""),
        (307, {"Location": "http://evil.example/"}, b""),
        (511, {}, b"sign in"),
        (200, {"Content-Type": "text/html"}, b"<html>sign in to Hotel WiFi"),
        (200, {"Content-Type": "text/plain"}, b"ok"),
        (200, {"Content-Type": "application/json"}, b"{}"),
        (404, {"Content-Type": "text/html"}, b"<html>nginx"),
    ],
)
def test_what_is_no_receiver_takes_nothing(laptop: Laptop, receiver: Receiver, reply: Reply) -> None:
    laptop.fill(1, 1)
    receiver.answer = always(*reply)
    this = laptop.deliver(receiver.url)
    assert (len(receiver.taken), laptop.left, laptop.dropped) == (1, 2, {})
    assert this.error is not None and "no receiver" in this.error.message


def test_an_answer_that_cannot_be_read_is_a_yes_all_the_same(laptop: Laptop, receiver: Receiver) -> None:
    laptop.fill(1, 0)
    receiver.answer = always(200, PROTOBUF, b"\xff\xff\xff\xff")
    assert laptop.deliver(receiver.url).taken == 1
    assert laptop.outcomes() == ["taken, with an answer that cannot be read"]
    for status in (202, 204):
        laptop.fill(1, 0)
        receiver.answer = always(status, {}, b"")
        assert laptop.deliver(receiver.url).taken == 1


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: "


@pytest.mark.parametrize(
    "speak",
    [
        lambda line: line.sendall(b""),
        lambda line: line.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"),
        lambda line: line.sendall(HEAD + b"100\r\n\r\nhalf"),
        lambda line: line.sendall(HEAD[:20]),
        lambda line: line.sendall(b"\x00" * 5000),
    ],
    ids=["closes", "another-protocol", "half-an-answer", "half-a-head", "zeros"],
)
def test_no_answer_means_wait(laptop: Laptop, speak: Callable[[socket.socket], None]) -> None:
    laptop.fill(1, 0)
    with rude_host(speak) as url:
        this = laptop.deliver(url)
    assert this.error is not None and laptop.left == 1 and laptop.dropped == {}
    (outcome,) = laptop.outcomes()
    assert "no answer came" in str(outcome) or "tried again" in str(outcome)


def test_a_huge_answer_is_not_read(laptop: Laptop) -> None:
    laptop.fill(1, 0)
    with rude_host(lambda line: line.sendall(HEAD + b"99999999999\r\n\r\n")) as url:
        laptop.deliver(url)
    assert laptop.left == 1, "a yes of so many bytes is none"


def test_a_drip_does_not_hold_up_the_laptop(laptop: Laptop) -> None:
    def drip(line: socket.socket) -> None:
        line.sendall(HEAD + b"1000\r\n\r\n")
        for _ in range(100):
            line.sendall(b"x")
            time.sleep(0.1)

    laptop.fill(1, 1)
    with rude_host(drip) as url:
        began = time.monotonic()
        this = laptop.deliver(url, seconds=1.5)
        assert time.monotonic() - began < 15
    assert this.error is not None and laptop.left == 2


def recorded(line: socket.socket, into: bytearray) -> None:
    while data := line.recv(4096):
        into += data


def test_a_host_that_is_not_the_schools_gets_not_one_byte(laptop: Laptop, tmp_path: Path) -> None:
    """Another authority's certificate, an expired one of another's, no TLS at all where https was meant."""
    school, other = make_tls(tmp_path / "school"), make_tls(tmp_path / "other")
    laptop.fill(1, 1)
    with receiving(other) as impostor:
        this = laptop.deliver(impostor.url, school.ca)
        assert this.error is not None and "certificate" in this.error.message
        assert impostor.taken == [] and laptop.sent.numbers() == [], "nothing left, so nothing is noted"
        assert "certificate" in str(laptop.deliver(impostor.url).error), (
            "nor do the system's own vouch for it"
        )
    with receiving() as plain:
        assert laptop.deliver(plain.url.replace("http:", "https:"), school.ca).error is not None
        assert plain.taken == []
    with receiving(school) as right:
        assert laptop.deliver(right.url, school.ca).taken == 2


def test_nobody_there_means_wait_and_is_no_burden(laptop: Laptop) -> None:
    laptop.fill(1, 0)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    this = laptop.deliver(f"http://127.0.0.1:{port}")
    assert this.error is not None and not this.error.answered
    assert laptop.sent.numbers() == [] and laptop.left == 1


def test_damaged_and_forged_files_are_dropped_counted_and_hold_up_nobody(
    laptop: Laptop, receiver: Receiver
) -> None:
    laptop.fill(3, 0)
    names = [one.name for one in laptop.outbox.waiting()]
    folder = Path(laptop.outbox.directory)
    (folder / names[0]).write_bytes(b"")
    (folder / names[1]).write_bytes((folder / names[1]).read_bytes().replace(b'"good"', b'"Lina"'))
    (folder / f"{4:012d}-4-compliance-{'a' * 32}.json").symlink_to("/etc/passwd")
    (folder / f"{5:012d}-4-compliance-{'b' * 32}.json").mkdir()
    (folder / "stranger").write_bytes(b"x")
    this = laptop.deliver(receiver.url)
    assert this.taken == 1
    assert b"Lina" not in receiver.taken[0].body and b"root:" not in receiver.taken[0].body
    assert laptop.dropped == {"damaged": 3, "withheld": 1}


def test_a_report_of_a_newer_version_waits_for_the_newer_program(laptop: Laptop, receiver: Receiver) -> None:
    laptop.fill(1, 0)
    path = Path(laptop.outbox.directory) / laptop.outbox.waiting()[0].name
    path.write_bytes(path.read_bytes().replace(b'"v":1', b'"v":2'))
    assert laptop.deliver(receiver.url).requests == 0
    assert laptop.left == 1 and laptop.dropped == {}


def test_between_the_first_byte_and_the_answer_the_student_sees_that_it_may_have_left(
    laptop: Laptop, receiver: Receiver
) -> None:
    laptop.fill(1, 0)
    seen: list[list[object]] = []

    def look(_: Taken) -> Reply:
        seen.append(laptop.outcomes())
        return TAKEN

    receiver.answer = look
    laptop.deliver(receiver.url)
    assert seen == [[UNKNOWN]]


def test_what_the_student_sees_is_what_left(laptop: Laptop, receiver: Receiver) -> None:
    laptop.fill(1, 1)
    laptop.deliver(receiver.url)
    for number, one in zip(laptop.sent.numbers(), receiver.taken, strict=True):
        entry = laptop.sent.entry(number)
        assert laptop.sent.raw(number) == one.body == gzip.decompress(one.raw)
        assert entry is not None and entry["line-bytes"] == len(one.raw)
        assert entry["url"] == receiver.url + one.path


def test_a_broken_disk_is_told(laptop: Laptop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    laptop.fill(1, 0)

    def full(*_: object, **__: object) -> None:
        raise BookbagError("disk-full", "cannot write: no space is left")

    monkeypatch.setattr("agent.telemetry.sent.atomic.write", full)
    with pytest.raises(BookbagError):
        laptop.deliver(receiver.url)
    assert receiver.taken == [], "what cannot be shown to the student does not leave"
    assert laptop.left == 1
