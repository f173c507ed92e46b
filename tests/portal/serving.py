"""The portal of a laptop in a folder, running in a thread on two free ports, with clients of several
users."""

from __future__ import annotations

import http.client
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from agent.core.layout import Layout
from agent.portal import sockets
from agent.portal.serve import Service
from agent.web.connection import Times
from tests.content.example import Maker
from tests.leaks import REPOSITORY
from tests.portal.library import furnish

SNAPSHOTS = (REPOSITORY / "tests/cases/formats/public", REPOSITORY / "tests/cases/portal")

#: Sends its standard input as another user (argv: user id, port), prints what comes back. (Whoever it becomes
#: may not be able to read Python's own files, so nothing is imported after that.)
_AS = """
import os, socket, sys
uid, port, data = int(sys.argv[1]), int(sys.argv[2]), sys.stdin.buffer.read()
if os.getuid() != uid:
    os.setgroups([]); os.setgid(uid); os.setuid(uid)
sock = socket.socket()
sock.settimeout(10)
sock.connect(("127.0.0.1", port))
sock.sendall(data)
while data:
    data = sock.recv(65536)
    sys.stdout.buffer.write(data)
"""


@dataclass(frozen=True, slots=True)
class Got:
    """One answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Served:
    """A running portal. Requests are the test's own user's unless they say otherwise."""

    def __init__(self, folder: Path, times: Times | None) -> None:
        self.folder = folder
        self.layout = Layout(str(folder))
        Path(self.layout.public).mkdir(parents=True, exist_ok=True)
        Path(self.layout.portal).mkdir(parents=True, exist_ok=True)
        handed = sockets.opened(0)
        self.port: int = handed.portal.getsockname()[1]
        self.content_port: int = handed.content.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.content_url = f"http://127.0.0.1:{self.content_port}"
        self.defects: list[Exception] = []
        self.service = Service(self.layout, handed, times=times, defect=self.defects.append)
        self.thread = threading.Thread(target=self.service.run)
        self.thread.start()

    def stop(self) -> None:
        self.service.loop.stop()
        self.thread.join(10)
        assert not self.thread.is_alive()
        assert self.defects == []

    def furnish(self, *names: str) -> None:
        """Put snapshots where root puts them: all there are, or those named."""
        for source in SNAPSHOTS:
            for path in source.glob("*.json"):
                if not names or path.stem in names:
                    shutil.copy(path, self.layout.public)

    def fill(self) -> Maker:
        """Put a small library into the store."""
        return furnish(Path(self.layout.content))

    def get(
        self,
        path: str,
        sent: Mapping[str, str] | None = None,
        *,
        port: int = 0,
        method: str = "GET",
        **more: str,
    ) -> Got:
        """One request; header names are written with ``_``."""
        headers = {**(sent or {}), **more}
        client = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=10)
        try:
            client.request(method, path, headers={name.replace("_", "-"): v for name, v in headers.items()})
            answer = client.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Got(answer.status, found, answer.read())
        finally:
            client.close()

    def token(self, path: str = "/help", *, uid: int | None = None) -> str:
        """The token in the forms of a page."""
        got = self.get(path) if uid is None else self.ask_as(uid, path)
        match = re.search(r'name="token" value="([0-9a-f]{32})"', got.text)
        assert match is not None
        return match[1]

    def form_headers(self) -> dict[str, str]:
        return {
            "Origin": self.url,
            "Sec-Fetch-Site": "same-origin",
            "Content-Type": "application/x-www-form-urlencoded",
        }

    def post(self, path: str, fields: Mapping[str, str], **headers: str) -> Got:
        """A form as a browser sends it, headers changed; "" leaves one out."""
        sent = {**self.form_headers(), **{name.replace("_", "-"): value for name, value in headers.items()}}
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            wanted = {name: value for name, value in sent.items() if value}
            client.request("POST", path, urlencode(fields), wanted)
            answer = client.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Got(answer.status, found, answer.read())
        finally:
            client.close()

    def ask_as(
        self, uid: int, path: str, fields: Mapping[str, str] | None = None, *, port: int = 0, **headers: str
    ) -> Got:
        """One request of another user; with ``fields`` a form. Needs root, unless it is the test's own."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        method, body = "GET", ""
        if fields is not None:
            method, body, sent = "POST", urlencode(fields), {**self.form_headers(), **sent}
            sent["Content-Length"] = str(len(body))
        port = port or self.port
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in sent.items()]
        request = "\r\n".join([*lines, "", body]).encode()
        argv = [sys.executable, "-I", "-c", _AS, str(uid), str(port)]
        done = subprocess.run(argv, input=request, capture_output=True, check=True, timeout=30)
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        first, *others = head.decode("latin-1").split("\r\n")
        found = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in others)}
        return Got(int(first.split()[1]), found, rest)


@contextmanager
def serving(folder: Path, *, times: Times | None = None) -> Iterator[Served]:
    """A portal while the block runs."""
    made = Served(folder, times)
    try:
        yield made
    finally:
        made.stop()
