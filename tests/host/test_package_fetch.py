"""Who fetches packages takes the file that is listed, and of no other more than that file is long."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from agent.host.linux.apt_get import File
from agent.host.linux.package_fetch import HELPER, fetch
from agent.host.linux.package_files import PackageFiles

GOOD = b"!<arch>\n" * 1000
PIECE = b"x" * (1 << 16)
MOST = 64 << 20


class _Source(ThreadingHTTPServer):
    daemon_threads = True
    sent = 0


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, _Source)
        self.send_response(200)
        self.send_header("Content-Length", str(len(GOOD) if "good" in self.path else MOST))
        self.end_headers()
        if "good" in self.path:
            self.wfile.write(GOOD)
            return
        try:
            while self.server.sent < MOST:
                self.wfile.write(PIECE)
                self.server.sent += len(PIECE)
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@contextmanager
def source() -> Iterator[_Source]:
    with _Source(("127.0.0.1", 0), _Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.needs(HELPER)
def test_of_an_answer_that_is_too_long_no_more_is_taken_than_the_file_is_long(tmp_path: Path) -> None:
    files = PackageFiles(str(tmp_path / "packages"))
    files.begin()
    Path(files.fetched).mkdir()
    digest = hashlib.sha256(GOOD).hexdigest()
    with source() as server:
        at = f"http://127.0.0.1:{server.server_port}"
        listed = [File(f"{at}/{name}.deb", f"{name}.deb", len(GOOD), digest) for name in ("longer", "good")]
        files.want({one.name: [one] for one in listed})
        came, missing, why = fetch(str(tmp_path / "packages"), 0)
        assert (came, missing) == (1, 1), "the control: the other one came"
        assert server.sent < MOST
    assert why and [one.name for one in Path(files.fetched).iterdir()] == ["good.deb"]


@pytest.mark.needs(HELPER)
def test_what_takes_long_waits_until_what_came_is_installed(tmp_path: Path) -> None:
    files = PackageFiles(str(tmp_path / "packages"))
    files.begin()
    Path(files.fetched).mkdir()
    digest = hashlib.sha256(GOOD).hexdigest()
    with source() as server:
        at = f"http://127.0.0.1:{server.server_port}"
        large = File(f"{at}/a-large.deb", "a-large.deb", MOST, digest)
        small = File(f"{at}/good.deb", "good.deb", len(GOOD), digest)
        files.want({"large": [large], "small": [small]})
        assert fetch(str(tmp_path / "packages"), 16 << 10)[:2] == (1, 1)
        assert server.sent == 0 and [one.name for one in Path(files.fetched).iterdir()] == ["good.deb"]
        assert fetch(str(tmp_path / "packages"), 1 << 30)[:2] == (0, 1)
        assert server.sent, "the control: when nothing else comes, it is asked for"
