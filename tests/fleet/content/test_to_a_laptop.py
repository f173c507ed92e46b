"""From the teacher's folder to the student's laptop: published by the real desk, served or carried on a
stick, fetched, verified and kept by a laptop in a folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.content.library import Library
from tests.content.example import page
from tests.daemon.laptop import SandboxLaptop, sandbox, until
from tests.fleet.content import material
from tests.fleet.desk import Desk, make_desk
from tests.fleet.test_serve import serving
from tests.telemetry.receiver import receiving
from tests.telemetry.test_end_to_end import reports


@pytest.fixture(scope="module")
def living_site(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = make_desk(tmp_path_factory.mktemp("living") / "it", now=int(time.time()))
    desk.publish()
    return desk


@pytest.fixture
def desk(living_site: Desk, tmp_path: Path) -> Desk:
    return living_site.copy(tmp_path / "it")


@pytest.fixture
def laptop() -> Iterator[SandboxLaptop]:
    with sandbox() as made:
        yield made


def add(desk: Desk, path: Path, *more: str) -> None:
    desk.run("content", "add", str(path), "--licence", "CC0-1.0", *more)
    desk.publish("ict-1")


def enrol(desk: Desk, laptop: SandboxLaptop, url: str, name: str = "lap-1") -> None:
    """Enrolled, with a host at ``url``, polling and fetching as fast as it can."""
    site = desk.root / "site.yaml"
    site.write_text(site.read_text().replace('"https://127.0.0.1:8443/"', f'"{url}"'))
    file = desk.run("device", name).value["file"]
    assert laptop.cli("enrol", file).returncode == 0
    path = Path(laptop.layout.agent_yaml)
    text = path.read_text().replace("poll: 15m", "poll: 5s")
    path.write_text(text + "content-rate: 500M\ncontent-per-day: 0\n")
    until(lambda: laptop.status()["sync"]["poll_s"] == 5)


def items(laptop: SandboxLaptop) -> dict[str, dict[str, Any]]:
    told = laptop.client.content().result.get("items", [])
    assert isinstance(told, list)
    return {row["key"]: row for row in told}


def ready(laptop: SandboxLaptop, key: str) -> Callable[[], bool]:
    return lambda: items(laptop).get(key, {}).get("state") == "ready"


def hashes(laptop: SandboxLaptop, key: str) -> dict[str, str]:
    """What a student reads, hashed."""
    library = Library(laptop.layout.content)
    found = {}
    for one in library.pages(key):
        digest = hashlib.sha256()
        with library.open(one) as stream:
            while data := stream.read(1 << 16):
                digest.update(data)
        found[one.path] = digest.hexdigest()
    library.close()
    return found


def spooled(laptop: SandboxLaptop) -> list[str]:
    """What lies on its way to the store, or still does."""
    return sorted(os.listdir(laptop.layout.blobs))


def originals(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file()
    }


@pytest.mark.slow
def test_over_https_and_edited_and_withdrawn(desk: Desk, laptop: SandboxLaptop, tmp_path: Path) -> None:
    root = material.site(tmp_path / "rivers", pages=8)
    material.folder(root, {"big.bin": bytes(range(256)) * 40_000})
    add(desk, root)
    with serving(desk) as (_, told):
        laptop.start()
        enrol(desk, laptop, told["url"])
        assert laptop.cli("sync").returncode in (0, 2)
        until(ready(laptop, "ict.rivers"), 60)
        assert hashes(laptop, "ict.rivers") == originals(root)
        assert Library(laptop.layout.content).search("page 3")[0].path == "p3.html"
        shown = laptop.cli("content")
        assert shown.returncode == 0
        assert "ict.rivers" in shown.stdout
        until(lambda: not spooled(laptop))  # it is in the store, and not twice on the disk

        # an edit: the laptop fetches little, and switches
        before = laptop.status()["content"]["used"]
        path = root / "p3.html"
        path.write_bytes(path.read_bytes().replace(b"</h1>", b"</h1><p>A new sentence.", 1))
        add(desk, root)
        laptop.cli("sync")
        until(lambda: hashes(laptop, "ict.rivers") == originals(root), 60)
        assert laptop.status()["content"]["used"] - before < 20_000

        # withdrawn: gone from the laptop
        desk.run("content", "remove", "rivers")
        desk.publish("ict-1")
        laptop.cli("sync")
        until(lambda: "ict.rivers" not in items(laptop), 60)
        until(lambda: not list(Path(laptop.layout.content, "packs").glob("*/*")), 60)
    assert laptop.stop() == 0


@pytest.mark.slow
def test_by_stick_for_a_laptop_that_never_sees_a_network(
    desk: Desk, laptop: SandboxLaptop, tmp_path: Path
) -> None:
    root = material.site(tmp_path / "rivers")
    add(desk, root)
    add(desk, material.film(tmp_path / "film"), "--title", "en=Rivers", "--id", "film")
    stick = tmp_path / "stick"
    stick.mkdir()
    filled = desk.run("stick", str(stick)).value
    assert filled["blobs"]["written"] == filled["blobs"]["of"] > 2
    again = desk.run("stick", str(stick)).value
    assert again["blobs"]["written"] == 0
    laptop.start()
    enrol(desk, laptop, "https://127.0.0.1:9/")
    synced = laptop.cli("sync", "--from", str(stick))
    assert synced.returncode in (0, 2), synced.stderr
    # it returns when all of it is here: the stick may be pulled out
    shutil.rmtree(stick)
    assert spooled(laptop) == []
    assert hashes(laptop, "ict.rivers") == originals(root)
    assert {row["state"] for row in items(laptop).values()} == {"ready"}
    video = Library(laptop.layout.content).page("ict.film")
    assert [track.lang for track in video.tracks] == ["ar", "en", "fr"]
    assert laptop.stop() == 0


@pytest.mark.slow
def test_a_stick_with_one_item_brings_that_one(desk: Desk, laptop: SandboxLaptop, tmp_path: Path) -> None:
    add(desk, material.site(tmp_path / "rivers"))
    add(desk, material.site(tmp_path / "hills", title="Hills", pages=5))
    stick = tmp_path / "stick"
    stick.mkdir()
    desk.run("stick", str(stick), "--content", "hills")
    laptop.start()
    enrol(desk, laptop, "https://127.0.0.1:9/")
    laptop.cli("sync", "--from", str(stick))
    states = {key: row["state"] for key, row in items(laptop).items()}
    assert states == {"ict.hills": "ready", "ict.rivers": "waiting"}
    assert spooled(laptop) == []
    shown = laptop.cli("content")
    assert (shown.returncode, "waits for a network or a stick" in shown.stdout) == (2, True)
    unknown = desk.run("stick", str(stick), "--content", "mountains", expect=1).value
    assert unknown["error"]["code"] == "not-found"
    assert laptop.stop() == 0


@pytest.mark.slow
def test_each_laptop_gets_what_is_meant_for_it(desk: Desk, laptop: SandboxLaptop, tmp_path: Path) -> None:
    add(desk, material.site(tmp_path / "all"))
    add(desk, material.site(tmp_path / "nine", title="Nine"), "--audience", "year=9")
    add(desk, material.site(tmp_path / "ten", title="Ten"), "--audience", "year=10")
    with serving(desk) as (_, told):
        laptop.start()
        enrol(desk, laptop, told["url"])
        laptop.cli("sync")
        until(ready(laptop, "ict.all"), 60)
        assert set(items(laptop)) == {"ict.all"}, "who was not assigned yet gets what is for everybody"
        until(lambda: laptop.status()["enrolment"] == "delivered", 60)
        desk.run("assign", "lap-1", "year=9", "--as", "ict-1")
        plan = desk.run("plan", expect=2).value
        assert plan["orders"] == ["lap-1"]
        desk.publish("ict-1")
        laptop.cli("sync")
        until(ready(laptop, "ict.nine"), 60)
        assert set(items(laptop)) == {"ict.all", "ict.nine"}
        wishes = json.loads(Path(laptop.layout.public, "content.json").read_text())
        assert [one["id"] for one in wishes["others"]] == ["ten"]
    assert laptop.stop() == 0


@pytest.mark.slow
def test_a_host_that_lies_about_a_blob_costs_nothing(
    desk: Desk, laptop: SandboxLaptop, tmp_path: Path
) -> None:
    root = material.site(tmp_path / "rivers")
    add(desk, root)
    blobs = [path for path in (desk.root / "published/blobs").rglob("*") if path.is_file()]
    biggest = max(blobs, key=lambda path: path.stat().st_size)
    good = biggest.read_bytes()
    biggest.unlink()  # it is a second name of the desk's own
    biggest.write_bytes(bytes(len(good)))
    with serving(desk) as (_, told):
        laptop.start()
        enrol(desk, laptop, told["url"])
        laptop.cli("sync")
        until(
            lambda: any("not what was published" in one["message"] for one in laptop.status()["errors"]), 60
        )
        assert not items(laptop)["ict.rivers"]["opens"]
        assert biggest.name not in {path.name for path in Path(laptop.layout.content).rglob("*")}
        biggest.write_bytes(good)
        laptop.cli("content", "--want", "ict.rivers")
        until(ready(laptop, "ict.rivers"), 60)
        assert hashes(laptop, "ict.rivers") == originals(root)
    assert laptop.stop() == 0


@pytest.mark.slow
def test_reports_say_how_much_of_it_is_here(desk: Desk, laptop: SandboxLaptop, tmp_path: Path) -> None:
    root = material.site(tmp_path / "rivers")
    material.folder(root, {"photo.bin": os.urandom(3 << 20)})
    desk.policy("reports", extra="  telemetry.records: [compliance]\n")
    add(desk, root)
    blobs = desk.root / "published/blobs"
    blobs.rename(tmp_path / "blobs")  # the host has the catalogue, and not yet the bytes
    with serving(desk) as (_, told), receiving() as receiver:
        laptop.start()
        enrol(desk, laptop, told["url"])
        path = Path(laptop.layout.agent_yaml)
        path.write_text(path.read_text() + f'telemetry-url: "{receiver.url}"\n')
        until(lambda: laptop.status()["telemetry"]["url"] == receiver.url)
        laptop.cli("sync")
        until(lambda: "ict.rivers" in items(laptop), 60)

        def told_to_the_school() -> tuple[object, object]:
            assert laptop.cli("telemetry", "--now").returncode == 0
            values = reports(receiver)["compliance"].values
            return values.get("content-here"), values.get("content-missing")

        here, missing = told_to_the_school()
        assert here == 0
        assert isinstance(missing, int) and 3 << 20 <= missing <= 4 << 20
        (tmp_path / "blobs").rename(blobs)
        laptop.cli("content", "--want", "ict.rivers")
        until(ready(laptop, "ict.rivers"), 60)
        assert told_to_the_school() == (missing, 0)
    assert laptop.stop() == 0


def test_plan_says_what_it_costs_on_whom(desk: Desk, tmp_path: Path) -> None:
    root = material.site(tmp_path / "rivers")
    desk.run("content", "add", str(root), "--licence", "CC0-1.0")
    (change,) = desk.run("plan", expect=2).value["content"]
    assert (change["id"], change["what"], change["fetch"]) == (
        "rivers",
        "new",
        change["stored"] + _manifest(desk),
    )
    desk.publish("ict-1")
    path = root / "p1.html"
    path.write_bytes(page("Another", "page"))
    desk.run("content", "add", str(root))
    (change,) = desk.run("plan", expect=2).value["content"]
    assert change["what"] == "files"
    assert 0 < change["fetch"] < change["stored"]
    text = desk.run("plan", expect=2, as_json=False).out
    assert "new version" in text and "to fetch on each" in text


def _manifest(desk: Desk) -> int:
    return int(desk.run("content", "show", "rivers").value["manifest-size"])


def test_nothing_is_published_whose_bytes_are_not_here(desk: Desk, tmp_path: Path) -> None:
    desk.run("content", "add", str(material.site(tmp_path / "rivers")), "--licence", "CC0-1.0")
    shutil.rmtree(desk.root / "blobs")
    findings = desk.run("check", expect=4).value["findings"]
    assert [(one["code"], one["blocks"]) for one in findings] == [("not-found", True)]
    stamp = (desk.root / "published/metadata/timestamp.json").read_bytes()
    desk.publish("ict-1", expect=4)
    assert (desk.root / "published/metadata/timestamp.json").read_bytes() == stamp


def test_old_blobs_are_served_for_a_while_and_then_go(desk: Desk, tmp_path: Path) -> None:
    root = material.site(tmp_path / "rivers")
    add(desk, root)
    published = desk.root / "published/blobs"
    first = {path.name for path in published.rglob("*") if path.is_file()}
    for number in range(4):
        (root / "p1.html").write_bytes(page(f"Number {number}", "x" * 5000))
        add(desk, root)
        now = {path.name for path in published.rglob("*") if path.is_file()}
        assert (not first <= now) == (number >= 2)
    tidied = desk.run("content", "tidy").value
    assert tidied["deleted"] > 0
    assert desk.run("content", "check").code == 0


def test_damage_at_the_desk_is_found_before_anybody_fetches_it(desk: Desk, tmp_path: Path) -> None:
    add(desk, material.site(tmp_path / "rivers"))
    assert desk.run("content", "check").code == 0
    blobs = [path for path in (desk.root / "blobs").rglob("*") if path.is_file()]
    blob = max(blobs, key=lambda path: path.stat().st_size)
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 1
    blob.unlink()
    blob.write_bytes(data)
    findings = desk.run("content", "check", expect=4).value["findings"]
    assert {one["code"] for one in findings} == {"state-corrupt"}
