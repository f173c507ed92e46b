"""From IT's signature to a healed file: a published site, a host, a laptop in a folder, nothing in between
but what ships.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.cli.demo import laptop as demo
from agent.store.spool import Spool
from agent.trust.enrolment import EnrolFile, make_token, open_request
from agent.trust.identity import mailbox_name
from tests.daemon.laptop import SandboxLaptop, until
from tests.sync.server import Host, make_tls, static_host
from tests.trust.school import DAY, Laptop, School

MOTD = """\
policy: base
rank: school
owner: ict@north.example
review-by: "2027-08-01"
mode: enforce
resources:
  - file: {path: /etc/motd, content: "be kind\\n", mode: "0644"}
"""
NINTH = """\
policy: ninth
rank: year
owner: ict@north.example
review-by: "2027-08-01"
mode: enforce
applies-to: {year: ["9"]}
resources:
  - file: {path: /etc/ninth, content: "ninth\\n", mode: "0644"}
"""


@pytest.fixture
def school(tmp_path: Path) -> School:
    made = School(tmp_path / "desk", at=int(time.time()))
    made.power("ada", "bo", base=MOTD)
    made.publish()
    return made


@pytest.fixture
def host(tmp_path: Path, school: School) -> Iterator[Host]:
    with static_host(school.mirror, make_tls(tmp_path / "tls")) as made:
        yield made


@pytest.fixture
def enrol_file(tmp_path: Path, school: School, host: Host) -> Path:
    root = (school.mirror / "metadata" / "1.root.json").read_bytes()
    ca = (tmp_path / "tls" / "ca.pem").read_text()
    path = tmp_path / "enrol.json"
    path.write_bytes(EnrolFile("north", (host.url,), ca, root, make_token()).to_bytes())
    return path


def content(laptop: SandboxLaptop, path: str) -> str | None:
    try:
        return laptop.path(path).read_text()
    except FileNotFoundError:
        return None


def fast(laptop: SandboxLaptop, poll: str = "5s") -> None:
    """Poll often, as the lab does; the agent notices by itself."""
    path = Path(laptop.layout.agent_yaml)
    path.write_text(path.read_text().replace("poll: 15m", f"poll: {poll}"))
    until(lambda: laptop.status()["sync"]["poll_s"] == int(poll[:-1]))


def test_from_a_signature_to_a_healed_file(
    laptop: SandboxLaptop, school: School, host: Host, enrol_file: Path
) -> None:
    laptop.path("/etc").mkdir()
    laptop.path("/etc/motd").write_text("as it came\n")
    laptop.start()
    enrolled = laptop.cli("enrol", str(enrol_file))
    assert enrolled.returncode == 0, enrolled.stderr
    synced = laptop.cli("sync")
    assert synced.returncode == 2, synced.stderr
    assert content(laptop, "/etc/motd") == "be kind\n"

    # told to everyone on the laptop: what is decided, and what happened
    public = Path(laptop.layout.public)
    told = json.loads((public / "settings.json").read_text())
    assert [(row["key"], row["outcome"]) for row in told["resources"]] == [("file:/etc/motd", "in-force")]
    assert told["resources"][0]["before"][0]["state"].startswith("11 bytes")
    happened = json.loads((public / "ledger.json").read_text())["entries"]
    assert {"enrol", "word", "policy"} <= {row["kind"] for row in happened}, happened

    # drift: written, removed, renamed over
    until(lambda: laptop.status()["watch"]["paths"] == 1)
    laptop.path("/etc/motd").write_text("rude\n")
    until(lambda: content(laptop, "/etc/motd") == "be kind\n")
    laptop.path("/etc/motd").unlink()
    until(lambda: content(laptop, "/etc/motd") == "be kind\n")
    laptop.path("/etc/other").write_text("rude\n")
    laptop.path("/etc/other").rename(laptop.path("/etc/motd"))
    until(lambda: content(laptop, "/etc/motd") == "be kind\n")

    # the request for enrolment arrives at the desk by itself, sealed; a person assigns; groups count from
    # then on
    until(lambda: host.returns)
    (name,) = host.returns
    token = json.loads(enrol_file.read_text())["token"]
    request = open_request(
        host.returns[name],
        name,
        school.returns,
        lambda one: bytes.fromhex(token["secret"]) if one == token["id"] else None,
    )
    until(lambda: laptop.status()["enrolment"] == "delivered")
    assigned(school, laptop, request)
    school.power("ada", "bo", base=MOTD, ninth=NINTH)
    school.publish(school.at + 2)
    fast(laptop)
    until(lambda: content(laptop, "/etc/ninth") == "ninth\n")
    until(lambda: laptop.status()["enrolment"] == "assigned")
    status = laptop.status()
    assert status["groups"] == {"school": "north-high", "year": "9", "class": "9b"}
    assert status["errors"] == []

    # withdrawal restores what was there
    school.power("ada", "bo", ninth=NINTH)
    school.publish(school.at + 3)
    until(lambda: content(laptop, "/etc/motd") == "as it came\n")
    assert laptop.stop() == 0


def assigned(school: School, laptop: SandboxLaptop, request: object) -> None:
    """A person assigns the laptop that asked; the desk files it in its mailbox."""
    from agent.trust import mailbox
    from agent.trust.enrolment import EnrolRequest
    from agent.trust.sealing import seal

    assert isinstance(request, EnrolRequest)
    args = {"school": "north-high", "year": "9", "class": "9b"}
    keys = {"sign_key": request.sign_key.hex, "seal_key": request.seal_key.hex}
    stand_in = object.__new__(Laptop)
    stand_in.identity = type(
        "I", (), {"id": request.device, "public": (request.sign_key, request.seal_key)}
    )()
    stand_in.serial = request.serial_sha256
    envelope = school.order(stand_in, "assign", args={**args, **keys})
    sealed = seal(mailbox.make_mailbox((envelope,)), request.seal_key)
    school.repository.file_mail(mailbox_name("north", request.device), sealed)


def test_a_laptop_that_enrols_anew_asks_although_the_host_has_nothing_new(
    laptop: SandboxLaptop, host: Host, enrol_file: Path
) -> None:
    laptop.start()
    laptop.cli("enrol", str(enrol_file))
    laptop.cli("sync")
    until(lambda: laptop.status()["enrolment"] == "delivered")
    (first,) = host.returns
    outbox = Spool(laptop.layout.outbox)
    for n in range(1, 71):  # more than a round tries, and no desk will ever believe them
        outbox.put(f"receipt-{'ab' * 16}-{n}", b"of its former life")
    file = EnrolFile.from_bytes(enrol_file.read_bytes())
    enrol_file.write_bytes(replace(file, token=make_token()).to_bytes())
    enrolled = laptop.cli("enrol", "--again", str(enrol_file))
    assert enrolled.returncode == 0, enrolled.stderr
    until(lambda: len(host.returns) == 2, seconds=90)  # by itself, in its next round
    assert set(host.returns) > {first}
    assert not any(name.startswith("receipt-") for name in (*host.returns, *outbox.names()))
    assert "70 returns of its former life were dropped" in laptop.cli("ledger", "--json").stdout
    assert laptop.status()["errors"] == []
    assert laptop.stop() == 0


@pytest.mark.soak
def test_a_receipt_stays_until_the_host_has_it_whoever_has_its_name(
    laptop: SandboxLaptop, host: Host, enrol_file: Path
) -> None:
    """Root takes no receipt out of the outbox because something else bears its name at the host."""
    laptop.start()
    laptop.cli("enrol", str(enrol_file))
    laptop.cli("sync")
    until(lambda: laptop.status()["enrolment"] == "delivered")
    names = [f"receipt-{'ab' * 16}-{n}" for n in (1, 2)]
    outbox = Spool(laptop.layout.outbox)
    for name in names:
        outbox.put(name, b"ours")
    host.returns[names[0]] = b"a stranger's"
    laptop.cli("sync")
    assert host.returns[names[1]] == b"ours"
    until(lambda: outbox.names() == (names[0],))
    (error,) = laptop.status()["errors"]
    assert error["about"] == "returns" and "another return of this name is there" in error["message"]
    worker = [sys.executable, "-m", "agent", "worker", "enforce", "--root", str(laptop.folder)]
    request = {"op": "refresh", "already": [names[0]]}  # and not because the sync worker says so
    subprocess.run(worker, input=json.dumps(request).encode() + b"\n", check=True, capture_output=True)
    assert outbox.names() == (names[0],)
    del host.returns[names[0]]
    laptop.cli("sync")
    until(lambda: outbox.names() == ())
    assert laptop.status()["errors"] == []
    assert laptop.stop() == 0


def test_nothing_new_is_one_request(laptop: SandboxLaptop, host: Host, enrol_file: Path) -> None:
    laptop.start()
    laptop.cli("enrol", str(enrol_file))
    laptop.cli("sync")
    until(lambda: host.returns)
    until(lambda: laptop.status()["enrolment"] == "delivered")
    del host.seen[:]
    again = laptop.cli("sync", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["news"] is False
    assert host.seen == ["GET /metadata/timestamp.json 304"]
    assert laptop.stop() == 0


def test_the_demonstration_asks_again_where_a_busy_host_gave_nothing(
    laptop: SandboxLaptop, host: Host, enrol_file: Path
) -> None:
    laptop.start()
    laptop.cli("enrol", str(enrol_file))
    busy = iter([True] * 3)
    host.answer = lambda _: (503, {}, b"busy") if next(busy, False) else None
    demo.Laptop("lina", str(laptop.folder), "9", "9b", {}).sync()
    assert content(laptop, "/etc/motd") == "be kind\n"
    assert laptop.stop() == 0


def test_a_broken_sync_stops_nothing_i3(laptop: SandboxLaptop, host: Host, enrol_file: Path) -> None:
    """I-3: the host is gone, its answers are a portal's, the metadata expires, the clock is in 1970: what was
    decided holds.
    """
    laptop.start()
    laptop.cli("enrol", str(enrol_file))
    laptop.cli("sync")
    assert content(laptop, "/etc/motd") == "be kind\n"
    until(lambda: laptop.status()["watch"]["paths"] == 1)

    host.answer = lambda _: (200, {"Content-Type": "text/html"}, b"<html>sign in</html>")
    broken = laptop.cli("sync")
    assert broken.returncode == 1
    assert "sign in" in broken.stderr
    laptop.path("/etc/motd").write_text("rude\n")
    until(lambda: content(laptop, "/etc/motd") == "be kind\n")
    status = laptop.status()
    assert [error["about"] for error in status["errors"]] == ["sync"]

    # 1970 and before, expired by a good clock, 2099
    for offset in (-50 * 365 * DAY, 20 * DAY, 73 * 365 * DAY):
        laptop.set_clock(offset)
        laptop.path("/etc/motd").write_text(f"rude {offset}\n")
        until(lambda: content(laptop, "/etc/motd") == "be kind\n")
    until(lambda: laptop.status()["clock"]["quality"] == "suspect")
    assert laptop.stop() == 0


def test_expired_word_stays_in_force_and_its_age_is_said_i5(
    laptop: SandboxLaptop, school: School, host: Host, enrol_file: Path
) -> None:
    """I-5: expired metadata brings nothing new and reverts nothing."""
    laptop.start()
    laptop.cli("enrol", str(enrol_file))
    laptop.cli("sync")
    laptop.set_clock(5 * DAY)  # timestamp lives 3 days
    school.power("ada", "bo", base=MOTD.replace("be kind", "be bold"))
    school.publish(school.at + 60)
    tried = laptop.cli("sync")
    assert tried.returncode & 5
    assert "expired" in tried.stderr
    assert content(laptop, "/etc/motd") == "be kind\n"
    word = laptop.status()["word"]
    assert isinstance(word, dict)
    assert word["expired"] is True
    assert word["age_s"] >= 5 * DAY - 60
    said = laptop.cli("status")
    assert "expired" in said.stdout
    assert "5 days ago" in said.stdout

    school.publish(school.at + 5 * DAY)  # fresh word: taken at once
    assert laptop.cli("sync").returncode == 2
    assert content(laptop, "/etc/motd") == "be bold\n"
    assert laptop.stop() == 0


def test_a_stick_brings_the_same_word(tmp_path: Path, laptop: SandboxLaptop, school: School) -> None:
    root = (school.mirror / "metadata" / "1.root.json").read_bytes()
    enrol = tmp_path / "enrol.json"
    nowhere = "https://127.0.0.1:1/"
    enrol.write_bytes(EnrolFile("north", (nowhere,), "", root, make_token()).to_bytes())
    first = laptop.cli("enrol", str(enrol))  # before any supervisor runs
    assert first.returncode == 0, first.stderr
    laptop.start()
    brought = laptop.cli("sync", "--from", str(school.mirror))
    assert brought.returncode == 2, brought.stderr
    assert content(laptop, "/etc/motd") == "be kind\n"
    # What the first word made the laptop say goes back on the same visit.
    asked = [path.name for path in (school.mirror / "returns").iterdir()]
    assert [name[:6] for name in asked] == ["enrol-"]
    assert brought.stdout.splitlines()[:2] == [f"news from {school.mirror}", f"left on the stick: {asked[0]}"]
    assert laptop.stop() == 0


def test_pause_holds_and_ends(laptop: SandboxLaptop, school: School, host: Host, enrol_file: Path) -> None:
    laptop.start()
    laptop.cli("enrol", str(enrol_file))
    laptop.cli("sync")
    until(lambda: laptop.status()["watch"]["paths"] == 1)
    assert laptop.cli("pause", "--for", "3s", "--reason", "a test").returncode == 0
    laptop.path("/etc/motd").write_text("rude\n")
    until(lambda: laptop.status()["outcomes"] == {"pending": 1}, 2)
    status = laptop.status()
    assert status["pause"]["reason"] == "a test"
    assert laptop.cli("status").returncode == 2
    laptop.stop()
    laptop.start()  # a pause outlives the supervisor
    assert content(laptop, "/etc/motd") == "rude\n"
    until(lambda: content(laptop, "/etc/motd") == "be kind\n", 10)
    assert laptop.status()["pause"] is None
    assert '"kind": "pause"' in laptop.cli("ledger", "--json").stdout
    assert laptop.stop() == 0


def test_on_a_laptop_in_use_one_may_look_first(
    laptop: SandboxLaptop, school: School, host: Host, enrol_file: Path
) -> None:
    motd = laptop.path("/etc/motd")
    laptop.start()
    motd.parent.mkdir(exist_ok=True)
    motd.write_text("theirs\n")
    enrolled = laptop.cli("enrol", "--look", str(enrol_file))
    assert "bookbag pause --end" in enrolled.stdout
    laptop.cli("sync")
    until(lambda: laptop.status()["outcomes"] == {"pending": 1})
    assert laptop.stop() == 0
    laptop.start()  # no restart ends it
    assert laptop.cli("plan").returncode == 2
    assert motd.read_text() == "theirs\n" and laptop.status()["pause"]["left_s"] is None
    assert "until `bookbag pause --end`" in laptop.cli("status").stdout
    assert laptop.cli("pause", "--end").returncode == 2
    assert motd.read_text() == "be kind\n" and laptop.status()["pause"] is None
    assert laptop.stop() == 0


def test_withdraw_gives_back_what_was_there_as_uninstalling_needs(
    laptop: SandboxLaptop, enrol_file: Path
) -> None:
    laptop.path("/etc").mkdir()
    laptop.path("/etc/motd").write_text("as it came\n")
    laptop.start()
    laptop.cli("enrol", str(enrol_file))
    laptop.cli("sync")
    assert content(laptop, "/etc/motd") == "be kind\n"
    laptop.stop()
    ended = subprocess.run(
        [sys.executable, "-m", "agent", "worker", "enforce", "--root", str(laptop.folder)],
        input=b'{"v": 1, "op": "withdraw"}\n',
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode & 5 == 0, ended.stdout
    assert content(laptop, "/etc/motd") == "as it came\n"
    laptop.start()  # and the policy still stands: what was given back by mistake is in force again
    until(lambda: content(laptop, "/etc/motd") == "be kind\n")
