"""The contract of flatpak over the simulated one, and over the real one in a folder of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from agent.host.flatpaks import Source
from agent.host.linux.flatpak_fetch import fetch
from agent.host.linux.flatpak_tree import FlatpakTree
from agent.host.linux.flatpak_work import FETCH
from agent.host.linux.flatpaks import LinuxFlatpaks
from agent.host.sandbox.flatpaks import SandboxFlatpaks
from agent.host.sandbox.laptop import open_sandbox
from tests.contract.checks import FLATPAKS
from tests.contract.flatpak_repository import Made, made
from tests.contract.flatpaks_checks import NOWHERE, Supplied
from tests.contract.openpgp_keys import OTHER, VENDOR


@pytest.mark.parametrize("name", FLATPAKS)
def test_simulated(name: str, tmp_path: Path) -> None:
    flatpaks = open_sandbox(str(tmp_path)).flatpaks
    assert isinstance(flatpaks, SandboxFlatpaks)
    flatpaks.note_away(NOWHERE)

    def person_adds(one: str) -> None:
        flatpaks.set_source(one, Source("https://theirs.example/", b"", verified=False, note=""))

    address, keys = "https://vendor.example/repo/", (VENDOR.encode(), OTHER.encode())
    FLATPAKS[name](Supplied(flatpaks, address, *keys, lambda: None, lambda: (), person_adds, simulated=True))


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Made, str]]:
    with made(tmp_path_factory.mktemp("flatpak")) as repository:
        directory = str(repository.folder)
        server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *args: _Quiet(*args, directory=directory))
        Thread(target=server.serve_forever, daemon=True).start()
        yield repository, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        server.server_close()


@pytest.mark.needs("flatpak", "gpg")
@pytest.mark.skipif(os.geteuid() != 0, reason="what all people have is root's")
@pytest.mark.parametrize("name", FLATPAKS)
def test_real(name: str, served: tuple[Made, str], tmp_path: Path) -> None:
    """The network is there while it fetches, and at no other time: that takes a unit, in the lab."""
    repository, address = served
    place, top, began = str(tmp_path / "place"), str(tmp_path / "flatpak"), list[str]()
    tree = FlatpakTree(top)

    def fetched() -> None:
        while began:
            assert began.pop() == FETCH
            fetch(place, tree)

    def person_adds(one: str) -> None:
        subprocess.run(
            ["flatpak", "remote-add", "--system", "--no-gpg-verify", one, address],
            check=True,
            env={**os.environ, "FLATPAK_SYSTEM_DIR": top},
        )

    FLATPAKS[name](
        Supplied(
            LinuxFlatpaks(place, began.append, tree),
            address,
            repository.key,
            repository.wrong_key,
            fetched,
            lambda: tuple(sorted(tree.installed("runtime"))),
            person_adds,
        )
    )
