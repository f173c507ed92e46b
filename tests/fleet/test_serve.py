"""`bookbag-fleet serve` as the process it is: started, asked, refreshed, stopped."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.fleet.folder import Folder
from tests.fleet.desk import DAY, Desk, Laptop, make_desk


@pytest.fixture(scope="module")
def living_site(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A published site of today: the service and its certificate live by the machine's clock."""
    desk = make_desk(tmp_path_factory.mktemp("living") / "it", now=int(time.time()))
    desk.publish()
    return desk


@pytest.fixture
def living(living_site: Desk, tmp_path: Path) -> Desk:
    """A copy of it."""
    return living_site.copy(tmp_path / "it")


@contextmanager
def serving(desk: Desk, *more: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A running service and its first event."""
    process = desk.spawn("serve", "--host", "127.0.0.1", "--port", "0", "--admin-port", "0", *more)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.stderr.read() if process.stderr else ""
        yield process, json.loads(line)
    finally:
        process.kill()
        process.communicate()


def https(desk: Desk, port: int) -> http.client.HTTPSConnection:
    context = ssl.create_default_context(cafile=str(desk.root / "ca.pem"))
    return http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=10)


def test_the_site_over_https_and_a_laptop_that_believes_it(living: Desk, tmp_path: Path) -> None:
    with serving(living) as (_, told):
        assert told["url"] == f"https://127.0.0.1:{told['port']}/"
        connection = https(living, told["port"])
        mirror = tmp_path / "mirror"
        for path in sorted((living.root / "published").rglob("*")):
            if path.is_file():
                name = path.relative_to(living.root / "published")
                connection.request("GET", f"/{name}")
                data = connection.getresponse().read()
                (mirror / name).parent.mkdir(parents=True, exist_ok=True)
                (mirror / name).write_bytes(data)
        laptop = Laptop(tmp_path / "laptop", root=(mirror / "metadata/1.root.json").read_bytes())
        assert laptop.verify(mirror, int(time.time())).site == "north"
        for hidden in (
            "site.yaml",
            "keys/online/timestamp.pem",
            "published/metadata/timestamp.json",
            ".gitignore",
        ):
            connection.request("GET", f"/{hidden}")
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 404
        connection.close()


def test_enrolment_over_the_wire_is_once(living: Desk, tmp_path: Path) -> None:
    file = Path(living.run("device", "lap-1").value["file"])
    first, second = Laptop(tmp_path / "one"), Laptop(tmp_path / "two")
    name, data = first.enrol(living, file)
    _, other = second.enrol(living, file)
    with serving(living) as (_, told):
        connection = https(living, told["port"])

        def put(where: str, body: bytes) -> int:
            connection.request("PUT", f"/returns/{where}", body=body)
            answer = connection.getresponse()
            answer.read()
            return answer.status

        assert put(name, data) == 201
        assert put(name, data) == 200
        assert put(name, other) == 409
        living.run("assign", "lap-1", "year=9", "--as", "ict-1")
        assert put(name, other) == 409  # after the desk took it away, too
        unknown = "enrol-" + "0" * 32
        connection.close()
        connection = https(living, told["port"])
        assert put(unknown, data) == 403
        connection.close()
        living.publish("ict-1")
    assert first.verify(living.root / "published", int(time.time())).assignment is not None


def test_the_fleet_page_shows_laptops_on_this_machine_only(living: Desk, tmp_path: Path) -> None:
    living.run("device", "lap-7")
    with serving(living) as (_, told):
        connection = http.client.HTTPConnection("127.0.0.1", told["admin-port"], timeout=10)
        connection.request("GET", "/")
        body = connection.getresponse().read().decode()
        connection.close()
        assert "lap-7" in body and "invited" in body and "ict-1" in body
        public = https(living, told["port"])
        public.request("GET", "/")
        answer = public.getresponse()
        assert b"lap-7" not in answer.read() and answer.status == 404
        public.close()


def test_it_keeps_the_timestamp_fresh_by_itself(living: Desk) -> None:
    living.now = int(time.time()) - 2 * DAY
    living.run("refresh")
    stamp = living.root / "published/metadata/timestamp.json"
    before = json.loads(stamp.read_text())["signed"]
    with serving(living) as (process, told):
        assert process.stdout is not None
        event = json.loads(process.stdout.readline())
        assert event["event"] == "refreshed"
        after = json.loads(stamp.read_text())["signed"]
        assert after["version"] == before["version"] + 1 and after["expires"] > before["expires"]
        connection = https(living, told["port"])
        connection.request("GET", "/metadata/timestamp.json")
        assert json.loads(connection.getresponse().read())["signed"]["version"] == after["version"]
        connection.close()


def test_a_damaged_repository_is_told_and_the_rest_still_served(living: Desk) -> None:
    living.now = int(time.time()) - 2 * DAY
    living.run("refresh")
    newest = max((living.root / "published/metadata").glob("*.snapshot.json"))
    newest.write_bytes(b"{")
    with serving(living) as (process, told):
        assert process.stdout is not None
        event = json.loads(process.stdout.readline())
        assert event["event"] == "refresh-failed" and event["level"] == "error"
        connection = https(living, told["port"])
        connection.request("GET", "/metadata/1.root.json")
        assert connection.getresponse().status == 200
        connection.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_it_stops_cleanly_with_clients_connected(living: Desk, number: signal.Signals, code: int) -> None:
    with serving(living) as (process, told):
        idle = socket.create_connection(("127.0.0.1", told["port"]))
        began = time.monotonic()
        process.send_signal(number)
        assert process.wait(10) == code
        assert time.monotonic() - began < 5
        idle.close()
        assert process.stdout is not None
        assert json.loads(process.stdout.read().splitlines()[-1])["event"] == "stopped"


def test_http_is_for_loopback_only_and_ports_in_use_are_named(living: Desk) -> None:
    refused = living.run("serve", "--http", "--host", "192.0.2.1", "--port", "0", expect=64)
    assert "without TLS" in refused.err
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ran = living.run("serve", "--host", "127.0.0.1", "--port", port, expect=1)
        assert f"127.0.0.1:{port}" in ran.err and ran.value["error"]["code"] == "network"
    with serving(living, "--http") as (_, told):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", told["url"])
        connection = http.client.HTTPConnection("127.0.0.1", told["port"], timeout=10)
        connection.request("HEAD", "/metadata/timestamp.json")
        answer = connection.getresponse()
        assert answer.status == 200 and answer.getheader("ETag")
        connection.close()


def test_no_certificate_is_said_with_what_to_do(living: Desk) -> None:
    (living.root / "keys/online/server.pem").unlink()
    ran = living.run("serve", "--host", "127.0.0.1", "--port", "0", expect=1)
    assert ran.value["error"]["code"] == "bad-key" and "rotate server" in ran.value["error"]["remedy"]


# -- a stick


def test_a_stick_carries_the_site_out_and_returns_home(living: Desk, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    (stick / "holiday").mkdir(parents=True)
    (stick / "holiday/photo.jpg").write_bytes(b"mine")
    now = int(time.time())
    first = living.run("stick", str(stick)).value
    assert first["written"] > 30 and first["kept"] == 0
    laptop = Laptop(tmp_path / "lap-1")
    file = Path(living.run("device", "lap-1").value["file"])
    name, data = laptop.enrol(living, file)
    (stick / "returns").mkdir()
    (stick / "returns" / name).write_bytes(data)
    second = living.run("stick", str(stick)).value
    assert second["collected"] == [name] and second["written"] == 0
    assert not (stick / "returns" / name).exists()
    living.run("assign", "lap-1", "year=9", "--as", "ict-1")
    living.publish("ict-1")
    third = living.run("stick", str(stick)).value
    assert 0 < third["written"] < first["written"]
    view = laptop.verify(stick, now + 60)
    assert view.assignment is not None and view.assignment.year == "9"
    assert (stick / "holiday/photo.jpg").read_bytes() == b"mine"


def test_what_is_no_longer_published_leaves_the_stick(living: Desk, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    living.run("stick", str(stick))
    (stick / "metadata/99.evil.json").write_bytes(b"{}")
    assert living.run("stick", str(stick)).value["removed"] == 1
    (stick / "metadata/timestamp.json").write_bytes(b"cut")
    assert living.run("stick", str(stick)).value["written"] == 1


def test_a_hostile_stick_gives_nothing_and_takes_nothing(living: Desk, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    (stick / "returns").mkdir(parents=True)
    for number in range(5):
        living.run("device", f"lap-{number}")
    ids = [f"enrol-{one.token}" for one in Folder(living.root).devices()]  # all of them expected
    (stick / "returns" / ids[0]).symlink_to(living.root / "keys/ict-1.json")
    os.mkfifo(stick / "returns" / ids[1])
    (stick / "returns" / ids[2]).write_bytes(bytes(600 << 10))
    (stick / "returns" / ids[3]).mkdir()
    (stick / "returns" / "..evil").write_bytes(b"x")
    (stick / "returns" / ids[4]).write_bytes(b"plain")
    ran = living.run("stick", str(stick), expect=4).value
    assert ran["collected"] == [ids[4]]
    assert {one["name"] for one in ran["refused"]} == set(ids[:4])
    assert sorted(os.listdir(living.root / "returns")) == sorted(["done", ids[4]])
    # A metadata folder that leads elsewhere is not written through.
    other = tmp_path / "other"
    shutil.rmtree(stick)
    stick.mkdir()
    other.mkdir()
    (stick / "metadata").symlink_to(other)
    living.run("stick", str(stick), expect=1)
    assert list(other.iterdir()) == []
    assert living.run("stick", str(tmp_path / "absent"), expect=1).value["error"]["code"] == "not-found"
