"""Nothing of a person leaves: canaries are put wherever a laptop holds such things, everything is run end to
end, and every byte that left, waits or was logged is searched, in every spelling.

The control is a program that was altered so that it does leak: it must be caught by the same search.
"""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.trust.identity import mailbox_name, serial_hash
from tests.daemon.laptop import SandboxLaptop, until
from tests.leaks import REPOSITORY
from tests.telemetry.canaries import PERSONAL, POLICY, examples, found_below, found_in
from tests.telemetry.scene import Scene, scene

DOCUMENT = f"""\
policy: {POLICY["policy-id"]}
rank: school
owner: {PERSONAL["mail"]}
review-by: "2020-01-01"
settings:
  browser.homepage:
    value: {POLICY["policy-url"]}
    why: {{en: "{POLICY["policy-why"]}"}}
  browser.blocked-sites: ["{POLICY["policy-site"]}"]
resources:
  - file: {{path: {POLICY["policy-path"]}, content: "for {PERSONAL["name"]}\\n"}}
  - file: {{path: {POLICY["policy-path"]}-2, content: "for {PERSONAL["name"]}\\n"}}
  - file: {{path: /usr/local/bin/canary-not-allowed, content: "x\\n"}}
"""


def seed(laptop: SandboxLaptop) -> None:
    """Put canaries where a laptop has names, and the others where policy, lock and content would be."""
    facts = laptop.folder / ".sandbox" / "facts.json"
    said = json.loads(facts.read_text())
    facts.write_text(json.dumps({**said, "serial": PERSONAL["serial"], "users": [PERSONAL["user"]]}))
    for path, text in {
        "/etc/hostname": PERSONAL["host"],
        "/etc/passwd": f"{PERSONAL['user']}:x:1000:1000:{PERSONAL['name']}:{PERSONAL['folder']}:/bin/sh\n",
        f"/etc/NetworkManager/system-connections/{PERSONAL['ssid']}.nmconnection": PERSONAL["mac"],
        f"{PERSONAL['folder']}/{PERSONAL['file']}": PERSONAL["name"],
        f"{PERSONAL['folder']}/.config/chromium/Default/Visited": PERSONAL["visited"],
    }.items():
        laptop.path(path).parent.mkdir(parents=True, exist_ok=True)
        laptop.path(path).write_text(text)
    public = Path(laptop.layout.public)
    snapshots: dict[str, dict[str, object]] = {
        "lock": {
            "locked": True,
            "grade": 1,
            "message": {"en": POLICY["lock-text"]},
            "challenge": POLICY["challenge"],
        },
        "messages": {"messages": [{"id": "1", "text": {"en": PERSONAL["name"]}}]},
        "content": {"items": [{"title": POLICY["content-title"]}]},
    }
    for name, value in snapshots.items():
        (public / f"{name}.json").write_text(json.dumps({"v": 1, **value}))


def own(world: Scene) -> Mapping[str, str]:
    """What is this very machine's and this very laptop's, without being seeded."""
    device = world.laptop.status()["device"]
    machine = {"boot": Path("/proc/sys/kernel/random/boot_id").read_text().strip(), "device": device}
    machine["mailbox"] = mailbox_name("north", device)
    machine["serial-hash"] = serial_hash("north", PERSONAL["serial"])
    machine["laptop-folder"] = str(world.laptop.folder)
    if len(socket.gethostname()) > 6:
        machine["this-host"] = socket.gethostname()
    for path in Path("/sys/class/net").glob("*/address"):
        address = path.read_text().strip()
        if address and set(address) - set("0:"):
            machine[f"mac-{path.parent.name}"] = address
    return machine


def everything_happens(world: Scene) -> None:
    """Policy that fails in part, a lock, a sync, a refusal, a failed delivery, a good one, damaged files."""
    laptop = world.laptop
    laptop.path(f"{POLICY['policy-path']}-2").mkdir(parents=True)  # in the way: this resource fails
    world.decide("[compliance, health]", (4, 6), other=DOCUMENT)
    laptop.cli("apply")
    until(lambda: laptop.status()["outcomes"].get("failed"))
    world.receiver.answer = lambda _: (503, {}, b"")
    world.now()
    out = Path(laptop.layout.telemetry) / "out"
    (out / f"{99:012d}-4-compliance-{'c' * 32}.json").write_text(
        json.dumps({"v": 1, "name": PERSONAL["name"]})
    )
    world.receiver.answer = lambda _: (200, {"Content-Type": "application/x-protobuf"}, b"")
    world.now()
    assert laptop.cli("sync").returncode in (0, 2, 4, 6)
    assert laptop.cli("sync", "--from", PERSONAL["folder"]).returncode == 1


def egress(world: Scene) -> bytes:
    """Every byte that left, as the school's servers got them: requests, heads, bodies."""
    parts = [one.head + b"\n" + one.raw + b"\n" for one in world.receiver.taken]
    parts += [line.encode() + b"\n" for line in world.host.seen]
    parts += [name.encode() + data for name, data in world.host.returns.items()]
    return b"".join(parts)


def leaks(world: Scene) -> set[str]:
    """Names of the canaries that got where they must not be."""
    taken = b"".join(one.head + one.raw for one in world.receiver.taken)
    found = found_in(taken, {**PERSONAL, **POLICY, **own(world)})
    found |= found_in(egress(world), PERSONAL)
    folder = Path(world.laptop.layout.telemetry)
    found |= found_below(folder / "sent", {**PERSONAL, **POLICY, **own(world)})
    found |= found_below(folder / "out", {**PERSONAL, **POLICY, **own(world)})
    found |= found_in(world.laptop.log.read_bytes(), PERSONAL)
    return found


@pytest.mark.slow
def test_no_canary_leaves_waits_or_is_logged(tmp_path: Path) -> None:
    with scene(tmp_path) as world:
        seed(world.laptop)
        everything_happens(world)
        assert len(world.receiver.taken) >= 3 and world.host.seen
        bodies = b"".join(one.body for one in world.receiver.taken)
        for word in (
            b"file ",
            b"bookbag.exceptions",
            b"root-power",
            b"bookbag.lock.locked",
            b"hw.battery.charge",
        ):
            assert word in bodies, f"{word!r}: what was to be told was told"
        assert leaks(world) == set()
        shown = (
            world.laptop.cli("telemetry", "--last").stdout + world.laptop.cli("telemetry", "--json").stdout
        )
        assert found_in(shown.encode(), PERSONAL) == set()


COLLECTOR = """
from agent.telemetry.seen import Seen
RECORD = "compliance"
def collect(seen: Seen):
    with open(seen.layout.root + "/etc/passwd") as file:
        return {"leak": file.read().split(":")[4]}
"""
FIELD = """
        Field("leak", Token(".*", "anything"), "Who it is.", "To be caught.", "bookbag.leak"),
    ),
)
"""


def altered(folder: Path, *, declared: bool) -> Path:
    """A copy of the program with a collector that tells who uses the laptop."""
    tree = folder / "altered"
    shutil.copytree(REPOSITORY / "agent", tree / "agent", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(REPOSITORY / "policies", tree / "policies")
    (tree / "agent/telemetry/collectors/leak.py").write_text(COLLECTOR)
    if declared:
        path = tree / "agent/telemetry/records/compliance.py"
        before, end = path.read_text().rsplit("    ),\n)", 1)
        path.write_text(before + FIELD.lstrip("\n") + end)
    return tree


@pytest.mark.slow
def test_a_program_that_leaks_is_caught(tmp_path: Path) -> None:
    """The positive control: the same search finds a declared field that tells a name."""
    with scene(tmp_path, tree=altered(tmp_path, declared=True)) as world:
        seed(world.laptop)
        world.now()
        assert leaks(world) == {"name"}


@pytest.mark.slow
def test_a_leak_that_nobody_declared_stops_at_the_gate(tmp_path: Path) -> None:
    with scene(tmp_path, tree=altered(tmp_path, declared=False)) as world:
        seed(world.laptop)
        world.now()
        world.now()
        assert leaks(world) == set()
        assert b"withheld" in b"".join(one.body for one in world.receiver.taken)


def test_the_search_finds_every_spelling() -> None:
    for data in examples():
        assert found_in(data, PERSONAL) == {"name"}, data
    assert found_in(b"nothing of the kind, lina", PERSONAL) == set()
    assert found_in(PERSONAL["mac"].replace(":", "").upper().encode(), PERSONAL) == {"mac"}
