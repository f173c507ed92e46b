"""Blobs of learning content, from a host and from a stick (I-2): whole and right, gone on with where they
were broken off, bounded in bytes, and never a loop over what is wrong.
"""

from __future__ import annotations

import errno
import hashlib
import os
import random
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.sync.blobs import Fetched, Limits, Run, Spool, Wanted
from agent.sync.connection import Deadline
from agent.sync.folder import FolderSource
from agent.sync.https import HttpsSource
from agent.sync.pace import Meter, Pace
from agent.sync.ports import Source
from agent.sync.source import SourceFailed
from agent.trust.paths import blob_place
from tests.sync.server import Host, rude_host, static_host

NOISE = random.Random(3).randbytes(3 << 20)
ONE, TWO, THREE = NOISE[:700_000], NOISE[700_000:1_500_000], NOISE[1_500_000:1_600_000]


def blob(data: bytes) -> Wanted:
    return Wanted(hashlib.sha256(data).hexdigest(), len(data))


class Line:
    """A docroot, a spool, and a run between them. ``after``: bytes after which the time is up."""

    def __init__(self, folder: Path) -> None:
        self.docroot = folder / "site"
        (self.docroot / "metadata").mkdir(parents=True)
        self.spool = folder / "spool" / "blobs"
        self.spool.mkdir(parents=True)
        self.day = 0

    def publish(self, *datas: bytes) -> list[Wanted]:
        for data in datas:
            self.place(blob(data)).parent.mkdir(parents=True, exist_ok=True)
            self.place(blob(data)).write_bytes(data)
        return [blob(data) for data in datas]

    def place(self, wanted: Wanted) -> Path:
        return self.docroot / blob_place(wanted.sha256)

    def fetch(
        self, *sources: Callable[[], Source], blobs: list[Wanted], after: int = 1 << 40, per_day: int = 0
    ) -> Fetched:
        spool = Spool(str(self.spool))
        spool.prune([one.sha256 for one in blobs], [])
        meter = Meter(str(self.spool.parent / "meter.json"), self.day * 86_400, per_day)
        run = Run(spool, Limits(Pace(0), meter, lambda: run.this.bytes >= after, bounded=per_day > 0))
        try:
            run.fetch(sources, blobs)
        finally:
            meter.save()
        return run.this

    def has(self, wanted: Wanted) -> bool:
        path = self.spool / wanted.sha256
        return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == wanted.sha256

    def names(self) -> set[str]:
        return {path.name for path in self.spool.iterdir()}


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path)


@pytest.fixture
def host(line: Line) -> Iterator[Host]:
    with static_host(line.docroot) as made:
        yield made


@pytest.fixture(params=["host", "stick"])
def source(request: pytest.FixtureRequest, line: Line, host: Host) -> Callable[[], Source]:
    """I-2: what holds for one holds for the other."""
    if request.param == "host":
        return lambda: HttpsSource(host.url, "", Deadline(20))
    return lambda: FolderSource(str(line.docroot))


def test_all_of_them_come_and_are_right(line: Line, source: Callable[[], Source]) -> None:
    wanted = line.publish(ONE, TWO, THREE)
    this = line.fetch(source, blobs=wanted)
    assert all(line.has(one) for one in wanted)
    assert (this.blobs, this.bytes, this.absent) == (3, len(ONE + TWO + THREE), 0)
    assert line.fetch(source, blobs=wanted).bytes == 0
    assert {path.stat().st_mode & 0o777 for path in line.spool.iterdir()} == {0o640}


def test_what_was_broken_off_is_gone_on_with(line: Line, source: Callable[[], Source]) -> None:
    wanted = line.publish(TWO)
    first = line.fetch(source, blobs=wanted, after=100_000)
    assert (first.blobs, line.names()) == (0, {f"{wanted[0].sha256}.part"})
    second = line.fetch(source, blobs=wanted)
    assert line.has(wanted[0])
    assert first.bytes + second.bytes == len(TWO)


def test_a_host_is_asked_for_the_rest_only(line: Line, host: Host) -> None:
    wanted = line.publish(TWO)
    first = line.fetch(lambda: HttpsSource(host.url, "", Deadline(20)), blobs=wanted, after=100_000)
    line.fetch(lambda: HttpsSource(host.url, "", Deadline(20)), blobs=wanted)
    assert host.asked == [f"bytes={first.bytes}-"]


def test_a_file_that_changed_meanwhile_begins_anew(line: Line, source: Callable[[], Source]) -> None:
    wanted = line.publish(TWO)
    line.place(wanted[0]).write_bytes(bytes(len(TWO)))
    line.fetch(source, blobs=wanted, after=100_000)
    line.place(wanted[0]).write_bytes(TWO)
    os.utime(line.place(wanted[0]), (1, 1))
    line.fetch(source, blobs=wanted)
    assert line.has(wanted[0])


def test_a_host_without_ranges_gets_the_time_to_give_all(line: Line, host: Host) -> None:
    host.ranges = False
    wanted = line.publish(TWO)
    line.fetch(lambda: HttpsSource(host.url, "", Deadline(20)), blobs=wanted, after=100_000)
    assert not line.has(wanted[0])
    line.fetch(lambda: HttpsSource(host.url, "", Deadline(20)), blobs=wanted, after=100_000)
    assert line.has(wanted[0])


def test_a_part_that_was_damaged_on_the_disk_is_fetched_again_at_once(
    line: Line, source: Callable[[], Source]
) -> None:
    wanted = line.publish(TWO)
    line.fetch(source, blobs=wanted, after=100_000)
    part = line.spool / f"{wanted[0].sha256}.part"
    part.write_bytes(bytes(part.stat().st_size))
    line.fetch(source, blobs=wanted)
    assert line.has(wanted[0])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(bytes(path.stat().st_size)),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(path.read_bytes() + b"x"),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(bytes(5 << 20)),
    ],
    ids=["other bytes", "truncated", "grown", "empty", "huge"],
)
def test_what_is_wrong_is_never_taken_and_does_not_keep_the_rest_away(
    spoil: Callable[[Path], object], line: Line, source: Callable[[], Source]
) -> None:
    wanted = line.publish(ONE, TWO, THREE)
    spoil(line.place(wanted[0]))
    this = line.fetch(source, blobs=wanted)
    assert (line.has(wanted[1]), line.has(wanted[2])) == (True, True)
    assert this.absent == 1
    assert this.gained == len(TWO + THREE), "what was wrong is no gain"
    with pytest.raises(SourceFailed, match="not what was published") as refused:
        line.fetch(source, blobs=wanted)
    assert refused.value.answered
    assert line.names() == {wanted[1].sha256, wanted[2].sha256}


def test_what_was_wrong_is_asked_for_last(line: Line, source: Callable[[], Source]) -> None:
    wanted = line.publish(ONE, TWO, THREE)
    line.place(wanted[0]).write_bytes(bytes(len(ONE)))
    line.fetch(source, blobs=wanted[:1] + wanted[2:], after=len(ONE) + 10)
    line.fetch(source, blobs=wanted, after=10)
    assert f"{wanted[0].sha256}.part" not in line.names()
    assert f"{wanted[1].sha256}.part" in line.names()


def test_what_one_source_lacks_another_has(line: Line, host: Host, tmp_path: Path) -> None:
    wanted = line.publish(ONE, TWO)
    other = Line(tmp_path / "other")
    other.publish(ONE)
    line.place(wanted[0]).unlink()
    stick = str(other.docroot)
    this = line.fetch(
        lambda: HttpsSource(host.url, "", Deadline(20)), lambda: FolderSource(stick), blobs=wanted
    )
    assert this.blobs == 2
    assert all(line.has(one) for one in wanted)


def test_nobody_has_it(line: Line, source: Callable[[], Source]) -> None:
    this = line.fetch(source, blobs=[blob(ONE)])
    assert (this.absent, this.bytes) == (1, 0)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, {"Content-Type": "text/html"}, b"<html>sign in</html>"),
        (302, {"Location": "http://portal/"}, b""),
        (511, {}, b""),
        (503, {"Retry-After": "77"}, b""),
        (200, {"Content-Encoding": "gzip"}, b"x"),
        (206, {"Content-Range": "bytes 500-900/1000"}, b"x" * 400),
        (500, {}, b"oops"),
    ],
)
def test_what_is_no_answer_is_no_blob(
    status: int, headers: dict[str, str], body: bytes, line: Line, host: Host
) -> None:
    wanted = line.publish(ONE)
    host.answer = lambda path: (status, headers, body) if "/blobs/" in path else None
    with pytest.raises(SourceFailed) as failed:
        line.fetch(lambda: HttpsSource(host.url, "", Deadline(20)), blobs=wanted)
    assert failed.value.answered
    assert failed.value.retry_after == (77 if status == 503 else 0)
    assert line.names() in (set(), {f"{wanted[0].sha256}.part"})


def test_a_drip_ends_with_the_round_and_keeps_what_came(line: Line) -> None:
    wanted = blob(ONE)

    def drip(connection: socket.socket) -> None:
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\nETag: "x"\r\n\r\n' % len(ONE))
        connection.sendall(ONE[:50_000])
        connection.settimeout(5)
        connection.recv(1)

    with rude_host(drip) as url:
        this = line.fetch(lambda: HttpsSource(url, "", Deadline(0.5)), blobs=[wanted])
    part = line.spool / f"{wanted.sha256}.part"
    assert 0 < this.gained == part.stat().st_size
    assert part.read_bytes() == ONE[: this.gained]


@pytest.mark.parametrize("what", ["link", "fifo", "folder", "hard link"])
def test_a_stick_of_tricks(what: str, line: Line) -> None:
    wanted = line.publish(ONE, TWO)
    path = line.place(wanted[0])
    aside = path.with_suffix(".x")
    path.rename(aside)
    {
        "link": lambda: path.symlink_to(aside),
        "fifo": lambda: os.mkfifo(path),
        "folder": lambda: os.mkdir(path),
        "hard link": lambda: os.link(aside, path),
    }[what]()
    this = line.fetch(lambda: FolderSource(str(line.docroot)), blobs=wanted)
    assert (line.has(wanted[1]), this.absent) == (True, 1)


def test_the_day_has_its_bound_and_the_next_day_a_new_one(line: Line, source: Callable[[], Source]) -> None:
    wanted = line.publish(ONE, TWO, THREE)
    first = line.fetch(source, blobs=wanted, per_day=900_000)
    assert first.full
    assert 900_000 <= first.bytes < 900_000 + (1 << 18) + 1
    again = line.fetch(source, blobs=wanted, per_day=900_000)
    assert again.bytes <= 1 << 18
    line.day += 1
    line.fetch(source, blobs=wanted, per_day=900_000)
    assert all(line.has(one) for one in wanted)


def test_no_more_than_the_rate_on_average(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(seconds)
        now += seconds

    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(time, "sleep", sleep)
    limited = Pace(64 << 10)
    for _ in range(100):
        now += 0.01
        limited.took(32 << 10)
    assert (100 * (32 << 10)) / (now - 100.0) == pytest.approx(64 << 10, rel=0.03)
    now += 3600
    before = now
    for _ in range(10):
        limited.took(32 << 10)
    assert now - before > 3, "an hour of silence is not made up for by a burst"
    before = now
    Pace(0).took(1 << 30)
    assert now == before


def test_what_nobody_wants_any_more_goes(line: Line) -> None:
    wanted = line.publish(ONE, TWO)
    line.fetch(lambda: FolderSource(str(line.docroot)), blobs=wanted)
    (line.spool / "stranger").write_bytes(b"x")
    (line.spool / f"{'0' * 64}.part").write_bytes(b"x")
    line.fetch(lambda: FolderSource(str(line.docroot)), blobs=wanted[:1])
    assert line.names() == {wanted[0].sha256}


def test_a_full_disk_is_said(
    line: Line, source: Callable[[], Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = line.publish(ONE)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(BookbagError) as error:
        line.fetch(source, blobs=wanted)
    assert error.value.code == "disk-full"


def test_a_garbled_memory_costs_a_download_and_no_more(line: Line, source: Callable[[], Source]) -> None:
    wanted = line.publish(TWO)
    for data in (b"", b"[]", b'{"tags":{"x":7}}', b"\xff", b'{"tags":[1]}'):
        line.fetch(source, blobs=wanted, after=100_000)
        (line.spool.parent / "blobs.json").write_bytes(data)
        (line.spool.parent / "meter.json").write_bytes(data)
    line.fetch(source, blobs=wanted)
    assert line.has(wanted[0])
