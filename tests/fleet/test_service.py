"""The service under good clients and bad ones, over real sockets."""

from __future__ import annotations

import hashlib
import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.fleet import certificates, returnbox
from agent.fleet.returnbox import ReturnBox
from agent.fleet.service.page import Content, Page, Table
from agent.fleet.service.repository import Repository
from agent.fleet.service.returns import Returns
from agent.fleet.service.site import Site
from agent.web.connection import Times
from agent.web.loop import Listener, Loop

TOKEN = "enrol-" + "ab" * 16
NOW = 1_800_000_000


class ByName:
    """Who says which returns are taken: not those whose name ends in zeros."""

    def expects(self, name: str) -> bool:
        return not name.endswith("0" * 8)

    def is_new(self, name: str, data: bytes) -> bool:
        return True


class Service:
    """A running loop in a thread, on a free loopback port."""

    def __init__(self, folder: Path, times: Times, tls: ssl.SSLContext | None, most: int) -> None:
        self.folder = folder
        self.returns = Returns(ReturnBox(str(folder / "returns")), ByName())
        site = Site(Repository(str(folder / "published")), self.returns, prefixes=["/bookbag"])
        table = Table("Laptops", ["name"], [["<script>alert(1)</script>"]])
        page = Page(lambda view: Content("north <b>", view, [table]))
        self.public = Listener("127.0.0.1", 0, site, tls)
        self.admin = Listener("127.0.0.1", 0, page)
        self.logged: list[tuple[str, str, int, int, float]] = []
        self.defects: list[Exception] = []
        self.loop = Loop(
            [self.public, self.admin],
            log=lambda *entry: self.logged.append(entry),
            defect=self.defects.append,
            times=times,
            max_connections=most,
        )
        self.thread = threading.Thread(target=self.loop.run)
        self.thread.start()

    def client(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.public.port, timeout=10)

    def raw(self, data: bytes, *, until_closed: bool = True) -> bytes:
        with socket.create_connection(("127.0.0.1", self.public.port), timeout=10) as sock:
            sock.sendall(data)
            if not until_closed:
                return sock.recv(65536)
            parts = []
            try:
                while part := sock.recv(65536):
                    parts.append(part)
            except ConnectionResetError:
                pass
            return b"".join(parts)

    def stop(self) -> None:
        self.loop.stop()
        self.thread.join(10)
        assert not self.thread.is_alive()
        assert self.defects == []


@contextmanager
def serving(
    folder: Path, *, times: Times | None = None, tls: ssl.SSLContext | None = None, most: int = 512
) -> Iterator[Service]:
    for name, data in {
        "metadata/1.root.json": b'{"root": 1}',
        "metadata/timestamp.json": b'{"timestamp": 1}',
        "metadata/.hidden.json": b"secret",
        "targets/policy/abc.index.json": b"{}",
        "targets/big": bytes(range(256)) * 8192,
        "private.json": b"secret",
    }.items():
        path = folder / "published" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (folder / "secret.txt").write_bytes(b"secret")
    (folder / "published/metadata/link.json").symlink_to(folder / "secret.txt")
    (folder / "published/metadata/out").symlink_to(folder)
    os.mkfifo(folder / "published/metadata/fifo.json")
    service = Service(folder, times or Times(), tls, most)
    try:
        yield service
    finally:
        service.stop()


def get(
    service: Service, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    client = service.client()
    try:
        client.request(
            method, path, body=body, headers={key.replace("_", "-"): v for key, v in headers.items()}
        )
        answer = client.getresponse()
        return answer.status, {key.lower(): v for key, v in answer.getheaders()}, answer.read()
    finally:
        client.close()


# -- reading


def test_a_file_is_served_whole_with_an_etag_and_not_again(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        status, headers, body = get(service, "/metadata/1.root.json")
        assert (status, body, headers["cache-control"]) == (200, b'{"root": 1}', "no-cache")
        etag = headers["etag"]
        assert get(service, "/metadata/1.root.json", If_None_Match=etag)[0::2] == (304, b"")
        assert get(service, "/metadata/1.root.json", If_None_Match=f'"x", W/{etag}')[0] == 304
        assert get(service, "/metadata/1.root.json", If_None_Match='"other"')[0] == 200
        (tmp_path / "published/metadata/1.root.json").write_bytes(b'{"root": 2}')
        assert get(service, "/metadata/1.root.json", If_None_Match=etag)[0::2] == (200, b'{"root": 2}')


def test_a_url_with_a_path_finds_the_same_files(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        assert get(service, "/bookbag/metadata/1.root.json")[0::2] == (200, b'{"root": 1}')
        assert get(service, "/bookbag/returns/" + TOKEN, method="PUT", body=b"x")[0] == 201
        assert get(service, "/bookbag/private.json")[0] == 404
        assert get(service, "/bookbag/bookbag/metadata/1.root.json")[0] == 404
        assert get(service, "/bookbagmetadata/1.root.json")[0] == 404


def test_head_tells_the_length_and_sends_nothing(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        status, headers, body = get(service, "/targets/big", method="HEAD")
        assert (status, headers["content-length"], body) == (200, str(256 * 8192), b"")
        assert "immutable" in headers["cache-control"]


@pytest.mark.parametrize(
    ("asked", "status", "first", "length"),
    [
        ("bytes=0-9", 206, 0, 10),
        ("bytes=2097150-", 206, 2097150, 2),
        ("bytes=-5", 206, 2097147, 5),
        ("bytes=5-99999999", 206, 5, 2097147),
        ("bytes=-99999999", 206, 0, 2097152),
        ("bytes=0-1,4-5", 200, 0, 2097152),
        ("bytes=9-3", 200, 0, 2097152),
        ("lines=0-1", 200, 0, 2097152),
        ("bytes=-", 200, 0, 2097152),
        ("bytes=2097152-", 416, 0, 0),
        ("bytes=-0", 416, 0, 0),
    ],
)
def test_ranges(tmp_path: Path, asked: str, status: int, first: int, length: int) -> None:
    big = bytes(range(256)) * 8192
    with serving(tmp_path) as service:
        got, headers, body = get(service, "/targets/big", Range=asked)
        assert got == status
        if status == 416:
            assert headers["content-range"] == f"bytes */{len(big)}"
        else:
            assert body == big[first : first + length]


def test_a_range_of_a_file_that_changed_meanwhile_gives_the_whole_file(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        etag = get(service, "/targets/big", method="HEAD")[1]["etag"]
        assert get(service, "/targets/big", Range="bytes=0-0", If_Range=etag)[0] == 206
        assert get(service, "/targets/big", Range="bytes=0-0", If_Range='"old"')[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/metadata",
        "/metadata/",
        "/metadata//1.root.json",
        "/private.json",
        "/returns",
        "/returns/",
        "/metadata/../private.json",
        "/metadata/%2e%2e/private.json",
        "/metadata/..%2fprivate.json",
        "/metadata/../../secret.txt",
        "/..%2f..%2fsecret.txt",
        "/metadata/.hidden.json",
        "/metadata/%2ehidden.json",
        "/metadata/link.json",
        "/metadata/out/secret.txt",
        "/metadata/fifo.json",
        "/metadata/1.root.json%00",
        "/metadata/1.root.json/",
        "/metadata/%ff",
        "/metadata/" + "a/" * 500 + "b",
        "/metadata/" + "a" * 300,
        "/metadata/%252e%252e/private.json",
        "/targets/policy",
        "//metadata/1.root.json",
    ],
)
def test_nothing_outside_the_published_files_is_served(tmp_path: Path, path: str) -> None:
    with serving(tmp_path) as service:
        answer = service.raw(
            b"GET " + path.encode("latin-1") + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        status = int(answer.split(b" ")[1])
        assert status in (404, 405)
        assert b"secret" not in answer
        assert get(service, "/metadata/1.root.json")[0] == 200  # and the rest goes on


def test_one_connection_carries_many_requests_without_delay(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        client = service.client()
        began = time.monotonic()
        for _ in range(100):
            client.request("GET", "/metadata/1.root.json")
            assert client.getresponse().read() == b'{"root": 1}'
        elapsed = time.monotonic() - began
        client.close()
        assert len(service.logged) == 100
        assert elapsed < 2.0  # Nagle against delayed ACK would cost 4 s


def test_pipelined_requests_are_answered_in_order(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        one = b"GET /metadata/1.root.json HTTP/1.1\r\nHost: x\r\n\r\n"
        last = b"GET /metadata/timestamp.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        answer = service.raw(one * 40 + last)
        assert answer.count(b'{"root": 1}') == 40
        assert answer.endswith(b'{"timestamp": 1}')


# -- malformed


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # no Host
        (b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET http://x/metadata/1.root.json HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /metadata/1.root.json HTTP/2.0\r\nHost: x\r\n\r\n", 505),
        (b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),  # a TLS hello to a plain port
        (b"GET /metadata/1.root.json HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
        (b"GET /metadata/1.root.json HTTP/1.1\r\nHost : x\r\n\r\n", 400),
        (b"GET /metadata/1.root.json HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400),
        (b"GET /metadata/1.root.json HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345", 400),
        (
            b"GET /metadata/1.root.json HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            501,
        ),
        (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 5000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 65 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"a" * 100_000, 431),
        (b"A" * 100_000, 414),
        (b"POST /metadata/1.root.json HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        (b"DELETE /returns/" + TOKEN.encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        (b"GET /returns/" + TOKEN.encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        (b"PUT /metadata/1.root.json HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", 405),
        (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ],
)
def test_malformed_requests_are_refused_and_the_connection_closed(
    tmp_path: Path, request_: bytes, status: int
) -> None:
    with serving(tmp_path) as service:
        answer = service.raw(request_)
        assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:80]
        assert answer.count(b"Content-Length: ") == 1  # nothing smuggled behind it was answered
        assert get(service, "/metadata/1.root.json")[0] == 200


# -- returns


def test_a_return_is_stored_once_and_the_same_bytes_are_welcome_again(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        path = "/returns/" + TOKEN
        assert get(service, path, method="PUT", body=b"sealed")[0] == 201
        assert (tmp_path / "returns" / TOKEN).read_bytes() == b"sealed"
        assert (tmp_path / "returns" / TOKEN).stat().st_mode & 0o777 == 0o600
        assert get(service, path, method="PUT", body=b"sealed")[0] == 200  # the laptop lost our answer
        assert get(service, path, method="PUT", body=b"another laptop")[0] == 409
        assert (tmp_path / "returns" / TOKEN).read_bytes() == b"sealed"
        os.rename(tmp_path / "returns" / TOKEN, tmp_path / "returns/done" / TOKEN)  # the desk dealt with it
        assert get(service, path, method="PUT", body=b"another laptop")[0] == 409
        assert sorted(os.listdir(tmp_path / "returns")) == ["done"]


def test_twenty_racing_uploads_under_one_name_leave_exactly_one(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        statuses: list[int] = []
        threads = [
            threading.Thread(
                target=lambda n=n: statuses.append(
                    get(service, "/returns/" + TOKEN, method="PUT", body=b"%d" % n)[0]
                )
            )
            for n in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [201] + [409] * 19


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "enrol-short",
        TOKEN.upper(),
        TOKEN + "x",
        "../" + TOKEN,
        TOKEN + "/a",
        "done",
        ".part-" + "0" * 32,
        TOKEN + "%00",
    ],
)
def test_returns_have_strict_names(tmp_path: Path, name: str) -> None:
    with serving(tmp_path) as service:
        assert get(service, "/returns/" + name, method="PUT", body=b"x")[0] == 404
        assert sorted(os.listdir(tmp_path / "returns")) == ["done"]


def test_a_return_that_nobody_expects_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        assert get(service, "/returns/enrol-" + "0" * 32, method="PUT", body=b"x")[0] == 403


def test_a_body_without_or_beyond_its_length_is_refused(tmp_path: Path) -> None:
    head = b"PUT /returns/" + TOKEN.encode() + b" HTTP/1.1\r\nHost: x\r\n"
    with serving(tmp_path) as service:
        assert service.raw(head + b"\r\n").startswith(b"HTTP/1.1 411")
        assert service.raw(head + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n").startswith(
            b"HTTP/1.1 411"
        )
        for length in (b"0", b"524289", b"99999999999999999"):
            assert service.raw(head + b"Content-Length: " + length + b"\r\n\r\n").startswith(b"HTTP/1.1 413")
        for length in (b"-1", b"+5", b"5, 5", b"0x5", b"1" * 30):
            assert service.raw(head + b"Content-Length: " + length + b"\r\n\r\nhello").startswith(
                b"HTTP/1.1 400"
            )
        # A client that sends a gigabyte behind a refused announcement is cut off, not read.
        with socket.create_connection(("127.0.0.1", service.public.port), timeout=10) as sock:
            sent = 0
            try:
                sock.sendall(head + b"Content-Length: 1073741824\r\n\r\n")
                while sent < 1 << 30:
                    sent += sock.send(b"x" * 65536)
            except OSError:
                pass
            assert sent < 1 << 30
        assert sorted(os.listdir(tmp_path / "returns")) == ["done"]


def test_an_upload_cut_short_leaves_nothing(tmp_path: Path) -> None:
    head = b"PUT /returns/" + TOKEN.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
    with serving(tmp_path) as service:
        with socket.create_connection(("127.0.0.1", service.public.port)) as sock:
            sock.sendall(head + b"half")
        assert get(service, "/returns/" + TOKEN, method="PUT", body=b"whole")[0] == 201
        assert sorted(os.listdir(tmp_path / "returns")) == ["done", TOKEN]


def test_leftovers_of_a_crash_are_cleared_and_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "returns").mkdir()
    (tmp_path / "returns" / (".part-" + "0" * 32)).write_bytes(b"half")
    with serving(tmp_path):
        assert sorted(os.listdir(tmp_path / "returns")) == ["done"]


def test_a_full_service_says_so_and_takes_more_once_the_desk_has_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(returnbox, "ENROLMENTS", returnbox.Room(2, 1000))
    monkeypatch.setattr(returnbox, "MEASURE_EVERY", 0.0)
    with serving(tmp_path) as service:
        names = [f"enrol-{n:032x}" for n in (0xA1, 0xA2, 0xA3)]
        assert [get(service, f"/returns/{n}", method="PUT", body=b"x")[0] for n in names] == [201, 201, 507]
        os.unlink(tmp_path / "returns" / names[0])
        assert get(service, f"/returns/{names[2]}", method="PUT", body=b"x")[0] == 201


def test_expect_continue_is_answered_before_the_body(tmp_path: Path) -> None:
    head = (
        b"PUT /returns/"
        + TOKEN.encode()
        + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    )
    with (
        serving(tmp_path) as service,
        socket.create_connection(("127.0.0.1", service.public.port), timeout=5) as sock,
    ):
        sock.sendall(head)
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"hello")
        assert sock.recv(1000).startswith(b"HTTP/1.1 201")


# -- slow and many


def test_thirty_stalled_clients_cost_others_nothing(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        stalled = []
        for number in range(30):
            sock = socket.create_connection(("127.0.0.1", service.public.port))
            if number % 3 == 0:
                sock.sendall(b"GET /metadata/1.root.json HTTP/1.1\r\nHo")
            elif number % 3 == 1:  # asks for a lot and reads nothing
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                sock.sendall(b"GET /targets/big HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
            stalled.append(sock)
        began = time.monotonic()
        for _ in range(20):
            assert get(service, "/metadata/1.root.json")[0] == 200
        assert time.monotonic() - began < 2.0
        for sock in stalled:
            sock.close()


def test_a_trickled_head_is_cut_off_in_time(tmp_path: Path) -> None:
    with serving(tmp_path, times=Times(head=0.5, idle=0.5)) as service:
        sock = socket.create_connection(("127.0.0.1", service.public.port), timeout=10)
        with sock:
            began = time.monotonic()
            answer = b""
            sock.settimeout(0.05)
            for byte in b"GET /metadata/1.root.json HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 50:
                try:
                    sock.send(bytes([byte]))
                    answer = sock.recv(1000)
                    break
                except TimeoutError:
                    continue
                except OSError:
                    break
            assert answer.startswith(b"HTTP/1.1 408")
            assert 0.3 < time.monotonic() - began < 3


def test_a_trickled_body_and_an_unread_answer_are_cut_off(tmp_path: Path) -> None:
    head = b"PUT /returns/" + TOKEN.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx"
    with serving(tmp_path, times=Times(body=0.4, stall=0.4)) as service:
        assert service.raw(head).startswith(b"HTTP/1.1 408")
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect(("127.0.0.1", service.public.port))
            sock.sendall(b"GET /targets/big HTTP/1.1\r\nHost: x\r\n\r\n" * 4)
            time.sleep(2.5)
            sock.settimeout(5)
            got = 0
            try:
                while part := sock.recv(65536):
                    got += len(part)
            except OSError:
                pass
            assert got < 4 * 256 * 8192
        assert sorted(os.listdir(tmp_path / "returns")) == ["done"]


def test_an_idle_connection_is_closed_without_a_word(tmp_path: Path) -> None:
    with serving(tmp_path, times=Times(idle=0.3)) as service:
        assert service.raw(b"") == b""


def test_when_all_places_are_taken_the_longest_waiting_client_makes_room(tmp_path: Path) -> None:
    with serving(tmp_path, most=8) as service:
        stalled = [socket.create_connection(("127.0.0.1", service.public.port)) for _ in range(20)]
        assert get(service, "/metadata/1.root.json")[0] == 200
        stalled[0].settimeout(5)
        assert stalled[0].recv(1) == b""
        for sock in stalled:
            sock.close()


def test_stopping_lets_an_answer_finish_and_closes_the_rest(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        idle = socket.create_connection(("127.0.0.1", service.public.port), timeout=5)
        busy = socket.create_connection(("127.0.0.1", service.public.port), timeout=5)
        busy.sendall(b"GET /targets/big HTTP/1.1\r\nHost: x\r\n\r\n")
        got = busy.recv(65536)
        service.loop.stop()
        while part := busy.recv(65536):
            got += part
        assert len(got.partition(b"\r\n\r\n")[2]) == 256 * 8192
        assert idle.recv(1) == b""
        idle.close()
        busy.close()


# -- TLS


@pytest.fixture(scope="module")
def authority() -> certificates.Authority:
    return certificates.make_authority("north", int(time.time()))


def contexts(
    authority: certificates.Authority, folder: Path, host: str
) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    certificate, key = certificates.make_server(authority, [f"https://{host}:8443/"], int(time.time()))
    (folder / "server.pem").write_bytes(certificate + key)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem")
    client = ssl.create_default_context(cadata=authority.pem.decode())
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    return server, client


def test_https_with_the_sites_own_authority(tmp_path: Path, authority: certificates.Authority) -> None:
    server, client = contexts(authority, tmp_path, "127.0.0.1")
    with serving(tmp_path, tls=server) as service:
        connection = http.client.HTTPSConnection("127.0.0.1", service.public.port, context=client, timeout=10)
        for path, length in (("/targets/big", 256 * 8192), ("/metadata/1.root.json", 11)):
            connection.request("GET", path)
            assert len(connection.getresponse().read()) == length
        body = os.urandom(300_000)
        connection.request("PUT", "/returns/" + TOKEN, body=body)
        assert connection.getresponse().read() == b"stored\n"
        connection.close()
        digest = hashlib.sha256((tmp_path / "returns" / TOKEN).read_bytes()).digest()
        assert digest == hashlib.sha256(body).digest()


def test_a_certificate_for_another_host_and_another_authority_are_refused_by_clients(
    tmp_path: Path, authority: certificates.Authority
) -> None:
    server, client = contexts(authority, tmp_path, "school.example")
    with serving(tmp_path, tls=server) as service:
        connection = http.client.HTTPSConnection("127.0.0.1", service.public.port, context=client, timeout=10)
        with pytest.raises(ssl.SSLCertVerificationError):
            connection.connect()
        connection.close()
        other = ssl.create_default_context(
            cadata=certificates.make_authority("n", int(time.time())).pem.decode()
        )
        other.check_hostname = False
        connection = http.client.HTTPSConnection("127.0.0.1", service.public.port, context=other, timeout=10)
        with pytest.raises(ssl.SSLCertVerificationError):
            connection.connect()
        connection.close()


def test_stalled_handshakes_and_plain_text_on_the_tls_port_harm_nobody(
    tmp_path: Path, authority: certificates.Authority
) -> None:
    server, client = contexts(authority, tmp_path, "127.0.0.1")
    with serving(tmp_path, tls=server, times=Times(handshake=0.5)) as service:
        silent = [socket.create_connection(("127.0.0.1", service.public.port), timeout=5) for _ in range(30)]
        assert b"200" not in service.raw(b"GET /metadata/1.root.json HTTP/1.1\r\nHost: x\r\n\r\n")
        connection = http.client.HTTPSConnection("127.0.0.1", service.public.port, context=client, timeout=10)
        connection.request("GET", "/metadata/1.root.json")
        assert connection.getresponse().read() == b'{"root": 1}'
        connection.close()
        assert silent[0].recv(1) == b""
        for sock in silent:
            sock.close()


# -- the page


def test_the_page_is_escaped_read_only_and_for_this_machine(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        connection = http.client.HTTPConnection("127.0.0.1", service.admin.port, timeout=10)
        connection.request("GET", "/")
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200
        assert b"&lt;script&gt;" in body
        assert b"<script" not in body
        assert "default-src 'none'" in (answer.getheader("Content-Security-Policy") or "")
        for method, path, host, status in (
            ("POST", "/", "localhost:1", 405),
            ("GET", "/x", "localhost:1", 404),
            ("GET", "/", "evil.example:80", 421),
        ):
            connection.request(method, path, headers={"Host": host})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status
        connection.close()
