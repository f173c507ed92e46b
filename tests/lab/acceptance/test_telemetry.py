"""What real laptops report: policy decides it, the worker has no rights, the desk sees it by name, the
student sees all of it, and no canary leaves.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.acceptance import tree
from tests.lab.acceptance.conftest import LEFT_OUT, School
from tests.lab.acceptance.school import bookbag, settled, status
from tests.lab.laptop import Laptop
from tests.lab.network import SERVER
from tests.telemetry.canaries import PERSONAL, found_below, found_in

FOLDER = "/var/lib/bookbag/telemetry"
PORT = 4318


@pytest.fixture
def reporting(school: School) -> School:
    """Policy asks both laptops for both records."""
    school.desk.policy("reports", {"telemetry.records": ["compliance", "health"]})
    school.desk.publish()
    for laptop in school.laptops:
        settled(laptop, lambda laptop: laptop.exists("/var/lib/bookbag/public/telemetry.json"))
    return school


def seen(school: School, laptop: Laptop) -> dict[str, Any]:
    """What the desk knows of a laptop."""
    found = school.desk.fleet_json("telemetry", codes=(0, 4))["laptops"]
    return next(one for one in found if one["name"] == laptop.name)


def test_it_decides_the_desk_sees_and_the_student_sees_more(reporting: School) -> None:
    laptop = reporting.lina
    bookbag(laptop, "telemetry", "--now")
    settled(laptop, lambda laptop: seen(reporting, laptop)["heard"])
    found = seen(reporting, laptop)
    assert found["settings"].endswith("in force")
    health = found["reports"]["health"]["values"]
    memory = int(laptop.read("/proc/meminfo").split()[1]) << 10 if laptop.exists("/proc/meminfo") else 0
    assert not memory or abs(health["memory-total"] - memory) < 512 << 20
    assert health["disk-total"] > health["disk-free"] > 0
    assert found["reports"]["health"]["laptop"]["os"] == "debian"
    assert "cpu-day" not in health, "the day is not over"

    # a student, without any right, reads every value and every byte
    shown = laptop.run(["bookbag", "telemetry", "--last", "--json"], user="student").stdout
    sent = {one["signal"]: one for one in json.loads(shown)["sent"]}
    assert sent["metrics"]["reports"][0]["values"] == health
    raw = laptop.run(["bookbag", "telemetry", "--raw", "--json"], user="student").stdout
    assert len(json.loads(raw)["hex"]) > 500
    denied = laptop.run(["bookbag", "telemetry", "--now"], user="student", check=False)
    assert denied.returncode == 1

    # who did it: the user without rights, in a unit without network
    owner = laptop.path(f"{FOLDER}/sent").stat().st_uid
    assert owner == laptop.account("bookbag-sync")[0]
    assert status(laptop)["telemetry"]["taken_ago_s"] is not None
    assert "telemetry" in status(laptop)["workers"]


def test_off_is_off(reporting: School) -> None:
    laptop = reporting.omar
    bookbag(laptop, "telemetry", "--now")
    settled(laptop, lambda laptop: seen(reporting, laptop)["heard"])
    heard = seen(reporting, laptop)["heard"]
    reporting.desk.policy("reports", {"telemetry.records": "off"})
    reporting.desk.publish()
    settled(laptop, lambda laptop: '"records":[]' in laptop.read("/var/lib/bookbag/public/telemetry.json"))
    bookbag(laptop, "telemetry", "--now")
    bookbag(laptop, "sync")
    assert seen(reporting, laptop)["heard"] == heard


@pytest.fixture
def recorder(reporting: School, tmp_path: Path) -> Iterator[Path]:
    """A receiver that writes down every byte; both laptops report to it, in clear, so that it can."""
    kept = tmp_path / "kept"
    script = Path(__file__).with_name("recorder.py")
    network = reporting.desk._network
    argv = [sys.executable, str(script), SERVER, str(PORT), str(kept)]
    process = network.in_lab_ns(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    path = "/etc/bookbag/agent.yaml"
    for laptop in reporting.laptops:
        laptop.write(path, laptop.read(path) + f'telemetry-url: "http://{SERVER}:{PORT}"\n')
        settled(laptop, lambda laptop: str(PORT) in str(status(laptop)["telemetry"]["url"]))
    yield kept
    network.stop(process)
    for laptop in reporting.laptops:
        lines = [line for line in laptop.read(path).splitlines() if not line.startswith("telemetry-url")]
        laptop.write(path, "\n".join([*lines, ""]))


def seed(laptop: Laptop) -> None:
    """Canaries where a real laptop has names of people, networks, machines and files."""
    laptop.run(["useradd", "--create-home", "--comment", PERSONAL["name"], PERSONAL["user"]])
    uid, gid, home = laptop.account(PERSONAL["user"])
    laptop.write(f"{home}/{PERSONAL['file']}", PERSONAL["name"], owner=(uid, gid))
    laptop.write("/etc/hostname", f"{PERSONAL['host']}\n")
    laptop.run(["hostname", PERSONAL["host"]])
    connection = f"/etc/NetworkManager/system-connections/{PERSONAL['ssid']}.nmconnection"
    laptop.write(connection, f"[wifi]\nssid={PERSONAL['ssid']}\nmac-address={PERSONAL['mac']}\n", mode=0o600)
    laptop.write(f"{home}/.config/chromium/Default/Visited", PERSONAL["visited"], owner=(uid, gid))


def own(laptop: Laptop) -> dict[str, str]:
    """What is this very machine's: the addresses of its network, its ids."""
    found = {"machine-id": laptop.read("/etc/machine-id").strip(), "device": status(laptop)["device"]}
    found["boot-id"] = laptop.run(["cat", "/proc/sys/kernel/random/boot_id"]).stdout.strip()
    for line in laptop.run(["cat", "/sys/class/net/host0/address"]).stdout.split():
        found["mac"] = line
    return found


def test_no_canary_leaves_a_real_laptop(reporting: School, recorder: Path) -> None:
    laptop = reporting.lina
    etc = tree.snapshot(laptop, "/etc", LEFT_OUT)
    seed(laptop)
    seeded = tree.snapshot(laptop, "/etc", LEFT_OUT).items() - etc.items()
    reporting.before[laptop.name].update(
        seeded
    )  # whoever withdraws all policy finds this, for it is no policy's
    canaries = {**PERSONAL, **own(laptop)}
    laptop.write("/etc/motd", f"{PERSONAL['name']} was here\n")  # drift, healed and reported
    bookbag(laptop, "telemetry", "--now")
    settled(laptop, lambda _: recorder.exists() and recorder.stat().st_size > 500)
    assert b"/v1/logs" in recorder.read_bytes() and b"/v1/metrics" in recorder.read_bytes()
    assert found_in(recorder.read_bytes(), canaries) == set()
    stays = {**canaries, "boot-id": "-- it is in state.json, which does not leave --"}
    assert found_below(laptop.path(FOLDER), stays) == set()
    units = laptop.run(["journalctl", "--no-pager", "--output=cat", "_SYSTEMD_SLICE=bookbag.slice"]).stdout
    assert units and found_in(units.encode(), canaries) == set()
    folder = reporting.desk.folder / "telemetry"
    assert found_below(folder, canaries) == set()
    # the control: the same search does find what is there
    assert found_in(laptop.path("/etc/hostname").read_bytes(), canaries) == {"host"}
