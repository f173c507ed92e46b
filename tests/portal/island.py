"""A network of its own with a portal, a name server that answers every name with this machine, and a
stranger who listens at every address: whatever leaves a browser in there is heard, and nothing goes further.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.leaks import REPOSITORY

NAMES = "127.0.0.53"
OURS, STRANGER = "10.9.9.1", "10.9.9.9"  #: both of a cable that ends in nothing
STUN = 3478


class Island:
    """The running island, seen from outside."""

    def __init__(self, process: subprocess.Popen[str], log: Path, url: str) -> None:
        self._process = process
        self._log = log
        self.url = url
        #: What precedes a command that is to run in there.
        self.enter = ("nsenter", f"--target={process.pid}", "--net", "--mount", "--")

    def heard(self) -> set[str]:
        """What was heard since this was asked last: ``dns NAME``, ``http NAME``, ``udp``."""
        with self._log.open("r+", encoding="utf-8") as file:
            lines = file.read().splitlines()
            file.truncate(0)
        return set(lines)


@contextmanager
def island(laptop: Path, folder: Path, pages: Path) -> Iterator[Island]:
    """With the portal of ``laptop``; the stranger also serves ``pages``, unsandboxed. Needs root."""
    log = folder / "heard"
    log.touch()
    (folder / "resolv.conf").write_text(f"nameserver {NAMES}\n")
    argv = ["unshare", "--net", "--mount", "--", sys.executable, "-m", "tests.portal.island"]
    with subprocess.Popen(
        [*argv, str(laptop), str(folder), str(pages)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield Island(process, log, json.loads(line)["url"])
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(20)


# -- inside


def _listen(log: Path, pages: Path) -> None:
    lock = threading.Lock()

    def hear(what: str) -> None:
        with lock, log.open("a", encoding="utf-8") as file:
            file.write(f"{what}\n")

    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind((NAMES, 53))
    threading.Thread(target=_answer_names, args=(names, hear), daemon=True).start()
    stun = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stun.bind((STRANGER, STUN))
    threading.Thread(target=_hear_packets, args=(stun, hear), daemon=True).start()

    class Stranger(BaseHTTPRequestHandler):
        """Takes note of every request, and serves its pages to whoever asks under the name ``control``,
        ``walled.html`` with the header by which content is kept from the network.
        """

        def do_GET(self) -> None:
            host = self.headers.get("Host", "").partition(":")[0]
            path = self.path.partition("?")[0].removeprefix("/")
            file = pages / path
            if host == "control.example" and file.is_file():
                self._send(file.read_bytes(), "text/html" if path.endswith(".html") else "text/javascript")
                return
            hear(f"http {host}")
            self._send(b"heard", "text/html")

        do_POST = do_HEAD = do_OPTIONS = do_GET  # noqa: N815 - the server looks for these names

        def _send(self, data: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Access-Control-Allow-Origin", "*")
            if self.path == "/walled.html":
                self.send_header("Connection-Allowlist", "(response-origin)")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((STRANGER, 80), Stranger)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def _answer_names(sock: socket.socket, hear: Any) -> None:
    while True:
        data, client = sock.recvfrom(2048)
        at, labels = 12, []
        while at < len(data) and data[at]:
            labels.append(data[at + 1 : at + 1 + data[at]].decode("ascii", "replace"))
            at += 1 + data[at]
        hear(f"dns {'.'.join(labels).lower()}")
        question, kind = data[12 : at + 5], int.from_bytes(data[at + 1 : at + 3], "big")
        head = data[:2] + b"\x81\x80\x00\x01" + (b"\x00\x01" if kind == 1 else b"\x00\x00") + b"\x00" * 4
        answer = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04" + socket.inet_aton(STRANGER)
        sock.sendto(head + question + (answer if kind == 1 else b""), client)


def _hear_packets(sock: socket.socket, hear: Any) -> None:
    while True:
        sock.recvfrom(2048)
        hear("udp")


def main(laptop: str, folder: str, pages: str) -> None:
    """Set it up, say where the portal is, and stay until standard input ends."""
    resolv = os.path.realpath("/etc/resolv.conf")
    for words in (
        "ip link set lo up",
        "ip link add cable type veth peer name end",
        f"ip address add {OURS}/24 dev cable",
        f"ip address add {STRANGER}/24 dev cable",
        "ip link set cable up",
        "ip link set end up",
        "ip route add default via 10.9.9.2 dev cable",
        f"mount --bind {folder}/resolv.conf {resolv}",
    ):
        subprocess.run(words.split(), check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _listen(Path(folder) / "heard", Path(pages))
    argv = [sys.executable, "-m", "agent", "portal", "--root", laptop, "--port", "8642", "--json"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as portal:
        assert portal.stdout is not None
        said = ""
        while not said.rstrip().endswith("}"):
            said += portal.stdout.readline()
        print(json.dumps({"url": json.loads(said)["url"].rstrip("/")}), flush=True)
        sys.stdin.read()
        portal.terminate()


if __name__ == "__main__":
    main(*sys.argv[1:4])
