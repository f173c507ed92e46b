"""Servers for tests: one that serves a site as any static host does, and one that answers exactly what it is
told, however rude.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import http.server
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Tls:
    """A CA, and a server certificate of its for 127.0.0.1, as PEM files."""

    ca: Path
    chain: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        return context


def make_tls(folder: Path, *, expired: bool = False) -> Tls:
    """A fresh CA and certificate; ``expired``: the certificate ended yesterday."""
    folder.mkdir(parents=True, exist_ok=True)
    today = datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC)
    day = datetime.timedelta(days=1)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a school's CA")])
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "host")])
    ca = (
        x509.CertificateBuilder()
        .subject_name(ca_name)
        .issuer_name(ca_name)
        .public_key(ca_key.public_key())
        .serial_number(1)
        .not_valid_before(today - 900 * day)
        .not_valid_after(today + 900 * day)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    leaf = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(ca_name)
        .public_key(key.public_key())
        .serial_number(2)
        .not_valid_before(today - 800 * day)
        .not_valid_after(today - 700 * day if expired else today + 800 * day)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))
    (folder / "chain.pem").write_bytes(leaf.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return Tls(folder / "ca.pem", folder / "chain.pem", folder / "key.pem")


@dataclass
class Host:
    """A static host that was started: its address, and every request it saw as "METHOD path status"."""

    url: str
    seen: list[str] = field(default_factory=list)
    returns: dict[str, bytes] = field(default_factory=dict)
    answer: Callable[[str], tuple[int, dict[str, str], bytes] | None] = lambda _: None  #: overrides, by path
    ranges: bool = True  #: whether it knows byte ranges, as nearly all do
    asked: list[str] = field(default_factory=list)  #: the Range headers that came


class _Handler(http.server.BaseHTTPRequestHandler):
    """Files with ETags; PUT returns/NAME once each."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 5
    server: _Server

    def do_GET(self) -> None:
        made = self.server.host.answer(self.path)
        path = self.server.docroot / self.path.lstrip("/")
        if made is not None:
            self.reply(*made)
        elif not path.is_file():
            self.reply(404, {}, b"no such file")
        else:
            data = path.read_bytes()
            tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
            asked = self.headers.get("Range", "")
            known = self.server.host.ranges and self.headers.get("If-Range", tag) == tag
            if asked:
                self.server.host.asked.append(asked)
            if self.headers.get("If-None-Match") == tag:
                self.reply(304, {"ETag": tag}, None)
            elif asked and known:
                self.reply_part(data, int(asked.removeprefix("bytes=").removesuffix("-")), tag)
            else:
                self.reply(200, {"ETag": tag, "Content-Type": "application/octet-stream"}, data)

    def reply_part(self, data: bytes, first: int, tag: str) -> None:
        if first >= len(data):
            self.reply(416, {"Content-Range": f"bytes */{len(data)}"}, b"")
            return
        told = f"bytes {first}-{len(data) - 1}/{len(data)}"
        self.reply(206, {"ETag": tag, "Content-Range": told}, data[first:])

    def do_PUT(self) -> None:
        host = self.server.host
        body = self.rfile.read(int(self.headers["Content-Length"]))
        made = host.answer(self.path)
        name = self.path.removeprefix("/returns/")
        if made is not None:
            self.reply(*made)
        elif name in host.returns:
            same = host.returns[name] == body
            self.reply(200 if same else 409, {}, b"it is there")
        else:
            host.returns[name] = body
            self.reply(201, {}, b"")

    def reply(self, status: int, headers: dict[str, str], body: bytes | None) -> None:
        self.server.host.seen.append(f"{self.command} {self.path} {status}")
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if body is not None:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if body:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True

    def __init__(self, docroot: Path, host: Host) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.docroot = docroot
        self.host = host

    def handle_error(self, *_: object) -> None:
        pass  # a client that hung up


@contextlib.contextmanager
def static_host(docroot: Path, tls: Tls | None = None) -> Iterator[Host]:
    """Serve ``docroot`` with ETags, and take PUT returns/NAME once each."""
    host = Host("")
    server = _Server(docroot, host)
    if tls is not None:
        server.socket = tls.context().wrap_socket(server.socket, server_side=True)
    host.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def rude_host(speak: Callable[[socket.socket], None]) -> Iterator[str]:
    """Accept connections one after the other, read each request's head, and let ``speak`` do what it likes;
    yields the URL.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                head = b""
                try:
                    while b"\r\n\r\n" not in head and (piece := connection.recv(4096)):
                        head += piece
                    speak(connection)
                except OSError:
                    pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        over.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()
