"""The machine of a school's service after somebody took it over: the same address, certificate and files,
and answers as the thief likes. A program of its own:
``python evil_host.py DOCROOT ADDRESS PORT CERTIFICATE RULE``.

``RULE`` is a file, read at each request: what to answer with instead of the files, "" for the files.
``CERTIFICATE`` "" is no TLS at all.
"""

from __future__ import annotations

import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MUCH = 64 << 20  #: bytes: more than any laptop may take
PAGE = b"<!doctype html><title>Sign in</title><p>Please sign in to the Wi-Fi.</p>"


class Evil(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    docroot: Path
    rule: Path

    def do_GET(self) -> None:
        word, _, what = self.rule.read_text(encoding="utf-8").partition(" ")
        path = self.path.lstrip("/")
        if word and (not what or path.startswith(what) or word == "redirect"):
            self.lie(word, what)
            return
        file = self.docroot / path
        if ".." in path or not file.is_file():
            self.answer(404, b"")
            return
        self.answer(200, file.read_bytes())

    def lie(self, word: str, what: str) -> None:
        """One of the answers that are none."""
        if word == "redirect":
            self.answer(302, b"", {"Location": f"{what}{self.path}"})
        elif word == "page":
            self.answer(200, PAGE, {"Content-Type": "text/html"})
        elif word == "busy":
            self.answer(503, b"", {"Retry-After": "99999999999"})
        elif word == "half":
            self.answer(200, b"{", promised=1000)
            self.close_connection = True
        elif word == "endless":
            self.answer(200, b"", promised=None)
            for _ in range(MUCH >> 16):
                self.wfile.write(bytes(1 << 16))
            self.close_connection = True
        elif word == "unchanged":
            self.answer(304, b"")
        else:  # headers without end
            self.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000)
            self.close_connection = True

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        word = self.rule.read_text(encoding="utf-8").partition(" ")[0]
        if word == "returns":
            self.answer(307, b"\x00garbage" * 100, {"Location": "http://10.77.0.1:1/", "X-Order": "wipe"})
        else:
            self.answer(201, b"")

    def do_POST(self) -> None:
        self.do_PUT()

    def answer(
        self,
        status: int,
        body: bytes,
        more: dict[str, str] | None = None,
        *,
        promised: int | None = -1,
    ) -> None:
        """Status, headers and body. ``promised``: another length than it has; None: no length."""
        self.send_response(status)
        for name, value in (more or {}).items():
            self.send_header(name, value)
        if promised is not None:
            self.send_header("Content-Length", str(len(body) if promised < 0 else promised))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: what came of it shows at the laptop."""


def main(docroot: str, address: str, port: str, certificate: str, rule: str) -> None:
    """Serve until killed."""
    Evil.docroot, Evil.rule = Path(docroot), Path(rule)
    server = ThreadingHTTPServer((address, int(port)), Evil)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
