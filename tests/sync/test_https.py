"""An https host as a source, polite and rude: what it gives is bounded in bytes and time, and nothing but the
file asked for counts.
"""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.sync.connection import Deadline
from agent.sync.https import HttpsSource
from agent.sync.source import SourceFailed
from tests.sync.server import make_tls, rude_host, static_host

NAME = "metadata/timestamp.json"


@pytest.fixture
def docroot(tmp_path: Path) -> Path:
    (tmp_path / "site" / "metadata").mkdir(parents=True)
    (tmp_path / "site" / NAME).write_bytes(b'{"signed":1}')
    return tmp_path / "site"


def source(url: str, ca: Path | str = "", seconds: float = 20) -> HttpsSource:
    return HttpsSource(url, str(ca), Deadline(seconds))


def failure(url: str, ca: Path | str = "", seconds: float = 20, most: int = 1000) -> SourceFailed:
    """The error of reading the timestamp; fails if it can be read."""
    one = source(url, ca, seconds)
    try:
        got = b"".join(one.open(NAME, most))
    except SourceFailed as problem:
        return problem
    finally:
        one.close()
    raise AssertionError(f"accepted: {got[:100]!r}")


def says(data: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(data)


def test_a_file_over_tls_pinned_to_the_schools_ca(tmp_path: Path, docroot: Path) -> None:
    tls = make_tls(tmp_path / "tls")
    with static_host(docroot, tls) as host:
        one = source(host.url, tls.ca)
        assert b"".join(one.open(NAME, 1000)) == b'{"signed":1}'
        with pytest.raises(BookbagError) as missing:
            one.open("metadata/2.root.json", 1000)
        assert missing.value.code == "not-found"
        assert b"".join(one.open(NAME, 1000)) == b'{"signed":1}'  # the same connection goes on
        one.close()


def test_another_ca_is_refused(tmp_path: Path, docroot: Path) -> None:
    tls, other = make_tls(tmp_path / "tls"), make_tls(tmp_path / "other")
    with static_host(docroot, tls) as host:
        problem = failure(host.url, other.ca)
    assert problem.code == "network"
    assert "certificate" in problem.message
    assert not problem.answered


def test_the_systems_cas_do_not_vouch_for_a_pinned_host_and_nobody_vouches_for_ours(
    tmp_path: Path, docroot: Path
) -> None:
    with static_host(docroot, make_tls(tmp_path / "tls")) as host:
        assert "certificate" in failure(host.url).message


def test_a_laptop_whose_clock_is_wrong_can_still_fetch_the_time(tmp_path: Path, docroot: Path) -> None:
    """Dates of a pinned certificate are not looked at; see agent.sync.connection.pinned."""
    tls = make_tls(tmp_path / "tls", expired=True)
    with static_host(docroot, tls) as host:
        one = source(host.url, tls.ca)
        assert b"".join(one.open(NAME, 1000)) == b'{"signed":1}'
        one.close()


def test_a_probe_is_one_conditional_request(docroot: Path) -> None:
    with static_host(docroot) as host:
        one = source(host.url)
        first = one.probe("")
        assert first is not None
        data, tag = first
        assert data == b'{"signed":1}'
        assert one.probe(tag) is None
        one.close()
        assert host.seen == [f"GET /{NAME} 200", f"GET /{NAME} 304"]
        (docroot / NAME).write_bytes(b'{"signed":2}')
        again = source(host.url)
        assert again.probe(tag) is not None
        again.close()


def test_a_host_that_closed_the_kept_connection_is_asked_again(docroot: Path) -> None:
    body = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    with rude_host(says(body)) as url:  # closes after each answer without saying so
        one = source(url)
        assert b"".join(one.open(NAME, 10)) == b"{}"
        assert b"".join(one.open(NAME, 10)) == b"{}"
        one.close()


def test_a_body_that_comes_late_and_ends_the_connection_is_read() -> None:
    def late(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\n")
        time.sleep(0.2)
        connection.sendall(b"body")

    with rude_host(late) as url:
        one = source(url)
        assert b"".join(one.open(NAME, 10)) == b"body"
        assert b"".join(one.open(NAME, 10)) == b"body"
        one.close()


def test_returns_are_delivered_once(docroot: Path) -> None:
    with static_host(docroot) as host:
        one = source(host.url)
        assert one.deliver("enrol-1", b"sealed") == "delivered"
        assert one.deliver("enrol-1", b"sealed") == "delivered"
        assert one.deliver("enrol-1", b"another's") == "already"
        one.close()
        assert host.returns == {"enrol-1": b"sealed"}


PORTAL = b"<html><body>Please sign in</body></html>"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 40\r\n\r\n"
            + PORTAL,
            "web page",
        ),
        (
            b"HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\nContent-Length: 0\r\n\r\n",
            "login.example",
        ),
        (b"HTTP/1.1 301 Moved\r\nLocation: https://other/\r\nContent-Length: 0\r\n\r\n", "points to"),
        (b"HTTP/1.1 511 Network Authentication Required\r\nContent-Length: 0\r\n\r\n", "sign-in"),
    ],
)
def test_a_captive_portal_is_named(answer: bytes, why: str) -> None:
    with rude_host(says(answer)) as url:
        problem = failure(url)
    assert problem.code == "network"
    assert why in problem.message
    assert "sign in" in problem.remedy
    assert problem.place == url
    assert problem.answered


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", "without an answer"),
        (b"\x16\x03\x01\x02\x00", "not HTTP"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not HTTP"),
        (b"HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\n\r\n{}", "206"),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "500"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", "ended after 2 of 100"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", "ended early"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc", "ended early"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300 + b"\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", "not HTTP"),
    ],
)
def test_what_is_no_answer_is_no_file(answer: bytes, why: str) -> None:
    with rude_host(says(answer)) as url:
        problem = failure(url)
    assert problem.code == "network"
    assert why in problem.message


def test_a_compressed_answer_is_not_unpacked() -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    with rude_host(says(head + bomb)) as url:
        assert "compressed" in failure(url, most=1 << 20).message


def test_a_gibibyte_is_refused_by_its_length() -> None:
    with rude_host(says(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")) as url:
        problem = failure(url)
    assert problem.code == "too-large"


def test_a_gibibyte_without_a_length_is_cut_off() -> None:
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while sent < 1 << 30:
            connection.sendall(b"a" * (1 << 16))
            sent += 1 << 16

    with rude_host(flood) as url:
        problem = failure(url, most=1000)
    assert problem.code == "too-large"
    assert sent < 64 << 20


def test_a_drip_does_not_move_the_deadline() -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            connection.sendall(b"a")
            time.sleep(0.1)

    with rude_host(drip) as url:
        before = time.monotonic()
        problem = failure(url, seconds=0.7)
        assert time.monotonic() - before < 3
    assert "too long" in problem.message


def test_dripping_headers_do_not_move_it_either() -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in range(100):
            connection.sendall(b"X-%d: y\r\n" % number)
            time.sleep(0.1)

    with rude_host(drip) as url:
        before = time.monotonic()
        problem = failure(url, seconds=0.7)
        assert time.monotonic() - before < 3
    assert "too long" in problem.message


@pytest.mark.parametrize(
    ("header", "seconds"), [(b"120", 120), (b"999999999", 86400), (b"Fri, 31 Dec 1999", 600)]
)
def test_retry_after_is_heard(header: bytes, seconds: int) -> None:
    answer = b"HTTP/1.1 503 Busy\r\nRetry-After: %b\r\nContent-Length: 0\r\n\r\n" % header
    with rude_host(says(answer)) as url:
        problem = failure(url)
    assert (problem.answered, problem.retry_after) == (True, seconds)


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    problem = failure(f"http://127.0.0.1:{port}")
    assert problem.code == "network"
    assert not problem.answered


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x/",
        "https://",
        "https://user:pw@x/",
        "https://x/?a=b",
        "https://x:99999/",
        "https://[::1/",
        "x",
    ],
)
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(BookbagError) as refused:
        source(url)
    assert refused.value.code == "bad-config"
