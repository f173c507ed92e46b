"""Real books, a real site and a real film, from a teacher's folder to a laptop: over the service of ours,
over nginx, by stick. What a student reads is what the teacher had, byte for byte.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.content.library import Library
from tests.content import real
from tests.daemon.laptop import SandboxLaptop, sandbox, until
from tests.fleet.content.offering import all_here, offers_all
from tests.fleet.content.test_to_a_laptop import enrol, hashes
from tests.fleet.desk import Desk
from tests.fleet.test_serve import serving

pytestmark = [pytest.mark.slow, pytest.mark.needs("apt-get", "dpkg")]
NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; user root;
events {{ }}
http {{
  access_log {folder}/access.log; client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;
  fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{
    listen 127.0.0.1:{port} ssl; root {root};
    ssl_certificate {pem}; ssl_certificate_key {pem};
  }}
}}
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return offers_all(tmp_path_factory.mktemp("real") / "it")


@pytest.fixture
def desk(published: Desk, tmp_path: Path) -> Desk:
    return published.copy(tmp_path / "it")


@pytest.fixture
def laptop() -> Iterator[SandboxLaptop]:
    with sandbox() as made:
        yield made


def original(root: Path) -> dict[str, str]:
    """What the teacher had, without links."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def everything_is_there(laptop: SandboxLaptop) -> None:
    """The same bytes as at the desk; and it can be found and read in its language."""
    assert hashes(laptop, "ict.python") == original(real.python_docs())
    assert hashes(laptop, "ict.handbook") == original(real.handbook("en-US"))
    assert hashes(laptop, "ict.handbook-fa") == original(real.handbook("fa-IR"))
    film = hashes(laptop, "ict.film")
    assert film["bigbuckbunny.mp4"] == hashlib.sha256(real.film().read_bytes()).hexdigest()
    library = Library(laptop.layout.content)
    assert library.page("ict.handbook-fa").direction == "rtl"
    assert [track.lang for track in library.page("ict.film").tracks] == ["ar", "en"]
    found = [(hit.item.key, hit.path) for hit in library.search("itertools", ["en"])]
    assert ("ict.python", "library/itertools.html") in found
    persian = library.search("مدیریت بسته", ["fa"])
    assert persian and persian[0].item.key == "ict.handbook-fa" and persian[0].direction == "rtl"
    library.close()


@pytest.mark.soak  # a plain web server and a stick are always tried
def test_over_our_own_service(desk: Desk, laptop: SandboxLaptop) -> None:
    with serving(desk) as (_, told):
        laptop.start()
        enrol(desk, laptop, told["url"])
        laptop.cli("sync")
        until(lambda: all_here(laptop), 240)
        everything_is_there(laptop)
    assert laptop.stop() == 0


@contextlib.contextmanager
def nginx(desk: Desk, folder: Path) -> Iterator[str]:
    """A plain web server over what is published; nothing of ours runs there."""
    port = 20_000 + os.getpid() % 20_000
    pem = desk.root / "keys/online/server.pem"
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port, root=desk.root / "published", pem=pem))
    process = subprocess.Popen(
        [
            shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx",
            "-c",
            str(config),
            "-e",
            str(folder / "error.log"),
        ],
        stderr=subprocess.PIPE,
    )
    try:
        until(lambda: (folder / "nginx.pid").exists() or process.poll() is not None)
        assert process.poll() is None, (folder / "error.log").read_text()
        yield f"https://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.mark.needs("nginx")
def test_over_a_plain_web_server(desk: Desk, laptop: SandboxLaptop, tmp_path: Path) -> None:
    folder = tmp_path / "nginx"
    folder.mkdir()
    with nginx(desk, folder) as url:
        laptop.start()
        enrol(desk, laptop, url)
        laptop.cli("sync")
        until(lambda: all_here(laptop), 240)
        everything_is_there(laptop)
    assert laptop.stop() == 0


def test_by_stick(desk: Desk, laptop: SandboxLaptop, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    desk.run("stick", str(stick))
    laptop.start()
    enrol(desk, laptop, "https://127.0.0.1:9/")
    synced = laptop.cli("sync", "--from", str(stick))
    assert synced.returncode in (0, 2), synced.stderr
    shutil.rmtree(stick)
    assert all_here(laptop)
    everything_is_there(laptop)
    assert laptop.stop() == 0


def test_an_edition_in_two_languages_shares_its_pictures(published: Desk) -> None:
    listed = {one["id"]: one for one in published.run("content", "list").value["content"]}
    alone = listed["handbook"]["stored"]
    blobs = {
        path.name: path.stat().st_size for path in (published.root / "blobs").rglob("*") if path.is_file()
    }
    both = sum(one["stored"] for one in listed.values())
    assert alone > 1 << 20
    assert sum(blobs.values()) < both, "some packs serve two items"
