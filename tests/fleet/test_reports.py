"""Reports at the school: the store, the intake over HTTP, what IT sees of it, and every way to abuse it."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import io
import json
import random
import shutil
import socket
import sqlite3
import subprocess
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.core.clock import DAY
from agent.core.errors import BookbagError
from agent.fleet.installations import Installations
from agent.fleet.reports import AHEAD, MOST_EACH, ReportStore
from agent.fleet.returnbox import ReturnBox
from agent.fleet.service import intake as intake_module
from agent.fleet.service.returns import Returns
from agent.sync.connection import Deadline
from agent.sync.https import HttpsSource
from agent.sync.reports import Deliverer
from agent.telemetry.declaration import Signal, Value
from agent.telemetry.memory import MemoryFile
from agent.telemetry.otlp import answer, encode
from agent.telemetry.outbox import Outbox
from agent.telemetry.report import Report
from agent.telemetry.sent import Sent
from agent.trust.identity import DeviceIdentity, installation_id
from agent.web.answers import Sink
from agent.web.bodies import AGAIN, Room
from agent.web.http import Ends, HttpError, Request
from agent.web.rates import MOST
from tests.fleet.desk import Desk, enrolled
from tests.fleet.test_serve import living, living_site, serving  # noqa: F401  # fixtures
from tests.fleet.test_service import ByName
from tests.telemetry.samples import COMPLIANCE, HEALTH, LAPTOP

NOW = 1_795_305_600


def of(
    installation: str,
    record: str = "health",
    number: int = 1,
    at: int = NOW,
    values: dict[str, Value] | None = None,
) -> Report:
    whole = HEALTH if record == "health" else COMPLIANCE
    laptop = {**LAPTOP, "installation": installation}
    return Report(record, f"{number:032x}", at, "schedule", laptop, {**whole, **(values or {})})


ONE, TWO = "1" * 32, "2" * 32


# -- the store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ReportStore]:
    made = ReportStore(tmp_path / "telemetry" / "reports.db")
    yield made
    made.close()


def test_what_arrives_twice_is_kept_once(store: ReportStore) -> None:
    store.add([of(ONE), of(ONE, "compliance")], NOW)
    store.add([of(ONE), of(ONE, "compliance", 2, NOW + 60)], NOW + 90)
    assert len(store.of(ONE)) == 3
    newest = store.newest()[ONE]
    assert (newest["compliance"].at, newest["compliance"].received) == (NOW + 60, NOW + 90)
    assert [one.received for one in store.of(ONE)] == [NOW + 90, NOW, NOW]
    assert newest["health"].values == HEALTH
    assert (store.path.parent / ".gitignore").read_text() == "*\n"


def test_the_newest_of_each_is_what_comparing_all_says(store: ReportStore) -> None:
    chance = random.Random(3)
    given = [
        of(f"{chance.randrange(12):032x}", chance.choice(("health", "compliance")), number, NOW - number)
        for number in chance.sample(range(10_000), 400)
    ]
    assert store.newest() == {}
    for start in (0, 200):  # and again, when some of it is remembered
        store.add(given[start : start + 200], NOW + start)
        expected: dict[tuple[Value, str], tuple[int, int]] = {}
        for number, one in enumerate(given[: start + 200]):
            which = one.laptop["installation"], one.record
            expected[which] = max(expected.get(which, (0, 0)), (NOW + number // 200 * 200, one.at))
        found = {
            (laptop, record): (one.received, one.at)
            for laptop, records in store.newest().items()
            for record, one in records.items()
        }
        assert found == expected


def test_a_report_that_claims_a_later_day_is_replaced_by_the_next_true_one(store: ReportStore) -> None:
    store.add([of(ONE, number=1, at=NOW + 2 * DAY, values={"disk-free": 0})], NOW)
    forged = store.newest()[ONE]["health"]
    assert (forged.at, forged.values["disk-free"]) == (NOW + AHEAD, 0)
    store.add([of(ONE, number=2, at=NOW + 60)], NOW + 60)
    assert store.newest()[ONE]["health"].values == HEALTH
    assert [one.received for one in store.of(ONE)] == [NOW + 60, NOW]


def test_a_flood_of_forged_reports_does_not_outlive_what_comes_after_it(store: ReportStore) -> None:
    for start in range(0, MOST_EACH + 500, 500):  # all of one moment, two days ahead
        forged = [of(ONE, number=n, at=NOW + 2 * DAY) for n in range(start, start + 500)]
        store.add(forged, NOW)
    assert len(store.of(ONE, most=10_000)) == MOST_EACH
    for number in range(10):
        store.add([of(ONE, number=10_000 + number, at=NOW + number)], NOW + 1 + number)
    kept = store.of(ONE, most=10_000)
    assert len(kept) == MOST_EACH
    assert [one.at for one in kept[:10]] == [NOW + number for number in reversed(range(10))]


def test_what_was_kept_before_is_kept_in_the_new_order(tmp_path: Path) -> None:
    path = tmp_path / "telemetry" / "reports.db"
    path.parent.mkdir()
    before = sqlite3.connect(path)
    before.executescript(
        "CREATE TABLE reports (installation TEXT NOT NULL, record TEXT NOT NULL, id TEXT NOT NULL,"
        " at INTEGER NOT NULL, received INTEGER NOT NULL, body TEXT NOT NULL,"
        " PRIMARY KEY (installation, record, id)) STRICT, WITHOUT ROWID;"
        "CREATE INDEX newest ON reports (installation, record, at);"
        "CREATE INDEX ages ON reports (record, received); PRAGMA user_version=1;"
    )
    rows = [(ONE, "health", "1" * 32, NOW + 2 * DAY, NOW), (ONE, "health", "2" * 32, NOW + 60, NOW + 60)]
    before.executemany(
        """INSERT INTO reports VALUES (?, ?, ?, ?, ?, '{"cause":"asked","laptop":{},"values":{}}')""", rows
    )
    before.commit()
    before.close()
    for _ in range(2):  # and it is done once
        store = ReportStore(path)
        assert [(one.at, one.received) for one in store.of(ONE)] == [
            (NOW + 60, NOW + 60),
            (NOW + AHEAD, NOW),
        ]
        assert store.newest()[ONE]["health"].received == NOW + 60
        store.add([of(TWO)], NOW)
        store.close()


def test_reports_go_when_their_days_are_over_and_with_their_laptop(store: ReportStore) -> None:
    store.add([of(ONE), of(ONE, "compliance")], NOW)
    store.add([of(TWO)], NOW)
    assert store.purge(NOW + 29 * DAY, {ONE}) == 0
    assert store.purge(NOW + 31 * DAY, {ONE}) == 1
    assert store.purge(NOW + 91 * DAY, {ONE}) == 1
    assert set(store.newest()[ONE]) == {"compliance"}
    assert store.purge(NOW + 181 * DAY, {ONE}) == 1
    assert store.newest() == {}


def test_what_was_purged_is_not_in_the_file_any_more(store: ReportStore) -> None:
    store.add([of(ONE, "compliance", values={"fingerprint": "feedfacefeedface"})], NOW)
    store.purge(NOW + 400 * DAY, {ONE})
    store.close()
    assert b"feedfacefeedface" not in store.path.read_bytes()


def test_one_laptop_cannot_fill_it(store: ReportStore) -> None:
    for start in range(0, MOST_EACH + 300, 100):
        store.add([of(ONE, number=n, at=NOW + n) for n in range(start, start + 100)], NOW)
    kept = store.of(ONE, most=10_000)
    assert len(kept) == MOST_EACH
    assert kept[0].at == NOW + MOST_EACH + 299, "the newest stay"


def test_a_full_store_says_so_and_stores_nothing_in_part(tmp_path: Path) -> None:
    small = ReportStore(tmp_path / "t" / "reports.db", most_bytes=128 << 10)
    number = 0
    with pytest.raises(BookbagError) as full:
        for number in range(0, 10_000, 50):
            small.add([of(f"{number:032x}", number=n) for n in range(number, number + 50)], NOW)
    assert full.value.code == "disk-full"
    assert number > 0
    assert not small.of(f"{number:032x}")
    small.purge(NOW + 400 * DAY, {ONE})
    small.add([of(ONE)], NOW)  # and it can go on
    small.close()


def test_a_damaged_or_foreign_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t" / "reports.db"
    path.parent.mkdir()
    path.write_bytes(b"this is no database, and never was one" * 100)
    with pytest.raises(BookbagError) as damaged:
        ReportStore(path)
    assert damaged.value.code == "state-corrupt"
    path.unlink()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version=99")
    database.close()
    with pytest.raises(BookbagError) as newer:
        ReportStore(path)
    assert newer.value.code == "format-too-new"


# -- who is known


def test_only_assigned_laptops_are_known_and_changes_are_seen(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agent.fleet import installations
    from agent.fleet.folder import Folder

    monkeypatch.setattr(installations, "LOOK_EVERY", 0.0)
    desk.run("device", "invited")
    laptop = enrolled(desk, tmp_path, "lap-1", "year=9")
    who = Installations(Folder(desk.root))
    mine = installation_id("north", laptop.identity.id)
    assert who.known() == {mine: "lap-1"}
    (desk.root / "devices" / "broken.yaml").write_text("v: [")
    (desk.root / "devices" / "link.yaml").symlink_to(desk.root / "devices" / "lap-1.yaml")
    assert who.known() == {mine: "lap-1"}
    desk.run("device", "lap-1", "--remove")
    assert who.known() == {}


def test_where_laptops_report_to_is_in_their_enrol_file_and_checked(desk: Desk) -> None:
    site = desk.root / "site.yaml"
    site.write_text(site.read_text() + 'telemetry-url: "https://otlp.example/north"\n')
    file = json.loads(Path(desk.run("device", "lap-9").value["file"]).read_text())
    assert file["telemetry_url"] == "https://otlp.example/north"
    assert desk.run("check", expect=None).code == 0
    site.write_text(site.read_text().replace("https://otlp", "ftp://otlp"))
    ran = desk.run("check", expect=4)
    assert "telemetry-url" in str(ran.value)


# -- over HTTP


class Service:
    """A running service with one laptop that it knows."""

    def __init__(
        self, desk: Desk, process: subprocess.Popen[str], told: dict[str, Any], identity: DeviceIdentity
    ) -> None:
        self.identity = identity
        self.desk = desk
        self.process = process
        self.port: int = told["port"]
        self.admin: int = told["admin-port"]
        self.installation = installation_id("north", identity.id)
        self.url = f"http://127.0.0.1:{self.port}"

    def post(
        self, data: bytes, path: str = "/v1/metrics", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            whose = {answer.INSTALLATION: self.installation}
            all_headers = {"Content-Type": "application/x-protobuf", **whose, **(headers or {})}
            connection.request("POST", path, body=data, headers=all_headers)
            got = connection.getresponse()
            return got.status, got.read(), {name.lower(): value for name, value in got.getheaders()}
        finally:
            connection.close()

    def send(
        self, *reports: Report, signal: Signal = "metrics", **headers: str
    ) -> tuple[int, tuple[int, str]]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        status, body, _ = self.post(encode.request(signal, reports), f"/v1/{signal}", named)
        return status, answer.read(body) if status == 200 else (0, body.decode())

    def kept(self) -> dict[str, Any]:
        """What `bookbag-fleet telemetry` says of the laptop."""
        found = self.desk.run("telemetry", expect=None).value["laptops"]
        return next(one for one in found if one["name"] == "lap-1")


@pytest.fixture
def service(living: Desk, tmp_path: Path) -> Iterator[Service]:  # noqa: F811
    laptop = enrolled(living, tmp_path, "lap-1", "year=9")
    with serving(living, "--http") as (process, told):
        yield Service(living, process, told, laptop.identity)


def now() -> int:
    return int(time.time())


def test_a_report_over_the_wire_is_seen_by_it_beside_the_name(service: Service) -> None:
    mine = service.installation
    health = of(mine, at=now(), values={"battery-health": 40, "disk-free": 1 << 30})
    assert service.send(health) == (200, (0, ""))
    assert service.send(of(mine, "compliance", at=now()), signal="logs") == (200, (0, ""))
    found = service.kept()
    assert found["settings"] == "42 in force, 1 failed (screen-lock.after not-effective)"
    assert found["lock"] == "locked, grade 3"
    assert "battery holds 40 %" in found["looks"] and "disk nearly full (1 GiB free)" in found["looks"]
    assert found["reports"]["health"]["values"]["battery-health"] == 40
    one = service.desk.run("telemetry", "lap-1").value
    assert [row["record"] for row in one["reports"]] == ["compliance", "health"]
    tell(service, "lock", "done")
    connection = http.client.HTTPConnection("127.0.0.1", service.admin, timeout=10)
    connection.request("GET", "/")
    page = connection.getresponse().read().decode()
    connection.close()
    for words in ("lap-1", "battery holds 40 %", "locked, grade 3", "moments ago", "1, last lock done"):
        assert words in page
    assert service.installation not in page
    kept = next((service.desk.root / "receipts" / "lap-1").iterdir())
    kept.write_text(kept.read_text().replace('"envelope": "', '"envelope": "AAAA'))
    assert service.kept()["receipts"] == {"count": 0, "last": "not to be believed"}


def tell(service: Service, kind: str, state: str) -> None:
    """A receipt of the laptop's, as the desk keeps it."""
    from agent.fleet import receipts as kept
    from agent.fleet.folder import Folder
    from agent.trust import receipts

    one = receipts.Receipt(
        "north",
        service.identity.id,
        1,
        receipts.GENESIS,
        "0" * 32,
        "0" * 64,
        kind,
        state,
        True,
        now(),
        "good",
        "b",
    )
    kept.keep(Folder(service.desk.root), "lap-1", one, receipts.sign(one, service.identity), "0" * 64)


def test_what_a_laptop_delivers_is_taken(service: Service, tmp_path: Path) -> None:
    outbox = Outbox(str(tmp_path / "laptop" / "out"))
    outbox.put(of(service.installation, at=now()))
    outbox.put(of(service.installation, "compliance", 2, at=now()))
    source = HttpsSource(service.url, "", Deadline(20))
    folder = str(tmp_path / "laptop")
    this = Deliverer(source, outbox, Sent(f"{folder}/sent"), MemoryFile(folder), now()).run()
    source.close()
    assert (this.taken, this.error, dict(this.gone)) == (2, None, {})
    assert set(service.kept()["reports"]) == {"health", "compliance"}


def test_the_page_can_be_asked_as_this_machine_alone_and_only_read(service: Service) -> None:
    for method, headers, status in (
        ("POST", {}, 405),
        ("GET", {"Host": "evil.example"}, 421),
        ("GET", {}, 200),
    ):
        connection = http.client.HTTPConnection("127.0.0.1", service.admin, timeout=10)
        connection.request(method, "/", headers=headers)
        answered = connection.getresponse()
        assert answered.status == status
        if status == 200:
            assert "default-src 'none'" in (answered.getheader("Content-Security-Policy") or "")
        connection.close()


def test_strangers_are_refused_within_the_answer_and_stored_nowhere(service: Service) -> None:
    status, (_, why) = service.send(of(TWO, at=now()), Bookbag_Installation=TWO)
    assert status == 403 and "no such installation" in why
    status, (_, why) = service.send(of(TWO, at=now()), Bookbag_Installation="")
    assert status == 400 and "whose reports" in why
    status, (rejected, why) = service.send(of(TWO, at=now()))
    assert (status, rejected) == (200, len(HEALTH)) and "another installation" in why
    mixed = service.send(of(TWO, at=now()), of(service.installation, at=now(), number=2))
    assert mixed[1][0] == len(HEALTH)
    assert service.kept()["reports"]["health"]["at"]
    status, (rejected, why) = service.send(of(service.installation, at=now() + 9 * DAY, number=3))
    assert rejected and "ahead" in why


@pytest.mark.parametrize(
    ("headers", "data", "status"),
    [
        ({"Content-Type": "application/json"}, b"{}", 415),
        ({"Content-Type": "application/x-protobuf", "Content-Encoding": "br"}, b"", 415),
        ({"Content-Encoding": "gzip"}, b"no gzip", 400),
        ({"Content-Encoding": "gzip"}, gzip.compress(b"x", mtime=0)[:-4], 400),
        ({"Content-Encoding": "gzip"}, gzip.compress(b"", mtime=0) + gzip.compress(b"again", mtime=0), 400),
        ({}, b"\x0b\x0c", 400),
        ({}, b"<html>", 400),
        ({}, bytes(intake_module.MOST_BYTES + 1), 413),
        ({"Content-Encoding": "gzip"}, gzip.compress(bytes(200 << 20), mtime=0), 413),
        ({"Expect": "a miracle"}, b"", 417),
    ],
)
def test_what_is_no_request_of_ours(
    service: Service, headers: dict[str, str], data: bytes, status: int
) -> None:
    assert service.post(data, headers=headers)[0] == status
    assert service.send(of(service.installation, at=now()))[0] == 200, "and the next one is taken"


def test_paths_methods_and_lengths(service: Service) -> None:
    assert service.post(b"", "/v1/traces")[0] == 404
    assert service.post(b"", "/returns/x")[0] == 405
    assert service.post(b"")[0] == 200, "an empty request is one, in this protocol"
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as raw:
        raw.sendall(
            b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        )
        assert raw.recv(100).split()[1] == b"411"
    for method in ("GET", "PUT"):
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
        connection.request(method, "/v1/logs", body=b"" if method == "PUT" else None)
        answered = connection.getresponse()
        assert (answered.status, answered.getheader("Allow")) == (405, "POST")
        connection.close()


def test_a_laptop_that_reports_without_end_is_told_to_wait(service: Service) -> None:
    mine = service.installation
    for number in range(intake_module.BURST):
        assert service.send(of(mine, at=now(), number=number + 1))[0] == 200
    status, _, headers = service.post(encode.request("metrics", [of(mine, at=now(), number=99)]))
    assert status == 429
    assert 1 <= int(headers["retry-after"]) <= intake_module.REFILL + 1


def test_a_full_store_answers_so_that_laptops_come_back(tmp_path: Path) -> None:
    store = ReportStore(tmp_path / "t" / "reports.db", most_bytes=128 << 10)
    known = [f"{number:032x}" for number in range(5000)]
    intake = intake_module.Intake(store, lambda: known, lambda: NOW)
    with pytest.raises(HttpError) as full:
        for number, one in enumerate(known):
            intake.take("metrics", one, encode.request("metrics", [of(one, number=number)]))
    assert full.value.status == 503
    assert full.value.headers["Retry-After"] == "3600"
    store.close()


def test_random_bytes_never_end_the_service(service: Service) -> None:
    chance = random.Random(7)
    good = encode.request("metrics", [of(service.installation, at=now())])
    for _ in range(150):
        data = bytearray(good)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        status = service.post(bytes(data))[0]
        assert status in (200, 400, 429)
    assert service.process.poll() is None
    assert service.send(of(service.installation, "compliance", at=now()), signal="logs")[0] in (200, 429)


def test_the_other_protocols_own_sdk_is_taken_too(service: Service) -> None:
    """An independent sender: OpenTelemetry's SDK for Python, with its own exporter and its own
    compression.
    """
    from opentelemetry._logs import LogRecord, SeverityNumber
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
    from opentelemetry.sdk.resources import Resource

    resource = Resource.create(
        {
            "app.installation.id": service.installation,
            "service.version": "0.1.0",
            "os.name": "debian",
            "host.arch": "x86_64",
            "something.else": "passed over",
        }
    )
    exporter = OTLPLogExporter(
        f"{service.url}/v1/logs",
        headers={answer.INSTALLATION: service.installation},
        compression=Compression.Gzip,
        timeout=10,
    )
    provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    logger = provider.get_logger(
        "bookbag.compliance",
        "1",
        attributes={"bookbag.report.id": "5" * 32, "bookbag.report.cause": "asked"},
    )
    logger.emit(
        LogRecord(
            timestamp=now() * 10**9,
            severity_number=SeverityNumber.INFO,
            event_name="bookbag.compliance",
            attributes={"bookbag.clock.quality": "suspect", "bookbag.policy.overdue": 2},
        )
    )
    provider.shutdown()
    found = service.kept()["reports"]["compliance"]
    assert found["values"] == {"clock": "suspect", "overdue": 2}
    assert found["laptop"]["os"] == "debian"


def test_what_is_stored_is_not_in_the_folders_history(service: Service) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    service.send(of(service.installation, at=now()))
    root = service.desk.root
    subprocess.run(["git", "init", "--quiet", str(root)], check=True, capture_output=True)
    listed = subprocess.run(
        ["git", "-C", str(root), "status", "--porcelain", "--untracked-files=all"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "devices/lap-1.yaml" in listed
    assert "telemetry" not in listed


# -- what it costs


def head(packed: bool = True, whose: str = ONE, sender: str = "192.0.2.1", length: int = 4000) -> Request:
    headers = {
        "content-type": "application/x-protobuf",
        "content-length": str(length),
        answer.INSTALLATION.lower(): whose,
    }
    if packed:
        headers["content-encoding"] = "gzip"
    return Request("POST", "/v1/metrics", 1, headers, ends=Ends((sender, 1), ("192.0.2.9", 2)))


def test_a_bomb_costs_no_memory(store: ReportStore) -> None:
    """Unpacking stops at the bound, whatever the bytes promise; nothing is unpacked before all is there."""
    packed = io.BytesIO()
    squeeze = zlib.compressobj(9, wbits=31)
    for _ in range(256):
        packed.write(squeeze.compress(bytes(1 << 20)))
    packed.write(squeeze.flush())
    data = packed.getvalue()
    upload = intake_module.Intake(store, lambda: [ONE], lambda: NOW).post(head(length=len(data)))
    tracemalloc.start()
    upload.write(data)
    with pytest.raises(HttpError) as refused:
        upload.finish()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.value.status == 413
    assert peak < 4 * intake_module.MOST_UNPACKED + 3 * len(data)


def test_a_thousand_bodies_that_never_end_hold_no_more_than_came(store: ReportStore) -> None:
    known = [f"{number:032x}" for number in range(1000)]
    room = Room(1 << 20)
    intake = intake_module.Intake(store, lambda: known, lambda: NOW, room)
    bomb = gzip.compress(bytes(intake_module.MOST_UNPACKED), mtime=0)
    assert len(bomb) < 4000
    tracemalloc.start()
    uploads: list[Sink] = []
    with pytest.raises(HttpError) as refused:
        for one in known:
            uploads.append(intake.post(head(whose=one, length=len(bomb))))
            uploads[-1].write(bomb[:-1])
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": str(AGAIN)})
    assert 400 < len(uploads) < 600
    assert held < 4 << 20
    for upload in uploads:
        upload.abort()
        upload.abort()
    room.take(1 << 20)  # all of it is there again


def test_room_is_given_back_however_a_body_ends(store: ReportStore) -> None:
    room = Room(1000)
    intake = intake_module.Intake(store, lambda: [ONE], lambda: NOW, room)
    good = gzip.compress(encode.request("metrics", [of(ONE)]), mtime=0)
    for data in (good, good[:-5], b"nothing", b""):
        upload = intake.post(head(length=len(data)))
        upload.write(data)
        with contextlib.suppress(HttpError):
            upload.finish()
        upload.abort()
    room.take(1000)
    assert len(store.of(ONE)) == 1


def test_whoever_knows_no_laptop_of_ours_gets_nothing_read(store: ReportStore) -> None:
    intake = intake_module.Intake(store, lambda: [ONE], lambda: NOW)
    for whose, status in ((TWO, 403), ("", 400)):
        with pytest.raises(HttpError) as refused:
            intake.post(head(whose=whose))
        assert refused.value.status == status
    intake.post(head())  # the control


def test_who_claims_to_be_a_laptop_uses_up_no_rate_but_their_own(store: ReportStore) -> None:
    intake = intake_module.Intake(store, lambda: [ONE], lambda: NOW)
    with pytest.raises(HttpError) as refused:
        for _ in range(intake_module.BURST + 1):
            intake.post(head(sender="198.51.100.7"))
    assert refused.value.status == 429
    intake.post(head())
    for number in range(MOST + 10):
        intake.post(head(sender=f"host-{number}"))
    assert len(intake._rates) == MOST


def test_returns_have_part_in_the_same_room(tmp_path: Path) -> None:
    room = Room(1000)
    returns = Returns(ReturnBox(str(tmp_path / "returns")), ByName(), room)
    put = Request("PUT", "/returns/enrol-" + "a" * 32, 1, {"content-length": "2000"})
    upload = returns.put(put)
    upload.write(bytes(600))
    with pytest.raises(HttpError) as refused:
        upload.write(bytes(600))
    assert refused.value.status == 503
    upload.abort()
    upload = returns.put(put)
    upload.write(bytes(1000))
    assert upload.finish().status == 201
    room.take(1000)
