"""The shim that the public tuf-conformance suite drives: three verbs, exit codes, any TUF repository."""

from __future__ import annotations

import functools
import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.core.clock import DAY
from agent.trust import conformance
from tests.trust import forging
from tests.trust.school import School


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """The tests read exit codes."""


@pytest.fixture
def url(school: School) -> Iterator[str]:
    import datetime

    # The shim judges by the machine's own clock, as the suite expects.
    school.at = int(datetime.datetime.now(datetime.UTC).timestamp())
    school.repository.refresh(school.online, at=school.at - DAY)
    handler = functools.partial(Quiet, directory=str(school.mirror))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(tmp_path: Path, url: str) -> functools.partial[int]:
    def run(verb: str, *names: str, base: str = url) -> int:
        wanted = [part for name in names for part in ("--target-name", name)]
        return conformance.main(
            [
                "--metadata-dir",
                str(tmp_path / "metadata"),
                "--metadata-url",
                f"{base}/metadata",
                "--target-dir",
                str(tmp_path / "targets"),
                "--target-base-url",
                f"{base}/targets",
                *wanted,
                *verb.split(),
            ]
        )

    return functools.partial(run)


def test_init_refresh_download(tmp_path: Path, school: School, client: functools.partial[int]) -> None:
    (tmp_path / "targets").mkdir()
    root = school.mirror / "metadata" / "1.root.json"
    assert client(f"init {root}") == 0
    assert client("refresh") == 0
    assert client("download", "policy/ict/home.yaml", "trust.json") == 0
    assert (tmp_path / "targets" / "policy%2Fict%2Fhome.yaml").read_bytes() == b"policy: home\n"
    assert (tmp_path / "metadata" / "timestamp.json").exists()


def test_failures_have_an_exit_code(school: School, client: functools.partial[int]) -> None:
    root = school.mirror / "metadata" / "1.root.json"
    assert client("refresh") == 1  # not initialised
    assert client(f"init {root}") == 0
    assert client("download", "no/such.yaml") == 1
    assert client("refresh", base="http://127.0.0.1:1") == 1
    timestamp = school.mirror / "metadata" / "timestamp.json"
    good = timestamp.read_bytes()
    timestamp.write_bytes(b"<html>")
    assert client("refresh") == 1
    timestamp.write_bytes(good)
    assert client("refresh") == 0
    forging.republish(school.mirror, school, online=type(school.online).generate())
    assert client("refresh") == 1


def test_it_runs_as_a_module(tmp_path: Path) -> None:
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "agent.trust.conformance",
            "--metadata-dir",
            str(tmp_path),
            "init",
            str(tmp_path / "none"),
        ],
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 1
    assert b"init:" in ended.stderr
