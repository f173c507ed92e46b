"""An erasure of real LUKS volumes on a laptop: decided by two, after its grace, to the last key slot, proven.

What is refused: test_orders_refused.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from agent.trust import floors
from tests.lab.acceptance import volumes
from tests.lab.acceptance.ordering import DAY, HOUR, MINUTE, Site, commands, notice
from tests.lab.acceptance.school import AGENT, bookbag, status
from tests.lab.acceptance.volumes import Volume
from tests.lab.fixtures import LAPTOPS
from tests.lab.laptop import Laptop

BOTH = ("ict-1", "head-1")
GONE = ("--reason", "not returned", "--yes")
STAGED = "/boot/bookbag/wipe.json"
DROP_IN = "/etc/systemd/system/bookbag-worker-erase@.service.d/90-lab-dying.conf"
DYING = "/usr/lib/lab/dying.py"
DEATHS = "/var/lib/lab-deaths"


@pytest.fixture
def juma(site: Site, request: pytest.FixtureRequest) -> Iterator[Laptop]:
    """The laptop that is erased, on a day without other orders; its volumes go when the test ends."""
    laptop = site.laptops[1]
    request.node.stash[LAPTOPS] = [laptop]
    site.another_day()
    made: list[Volume] = []
    request.node.stash[VOLUMES] = made
    yield laptop
    if laptop.init_pid is None:
        laptop.boot()
    laptop.set_cable(True)
    laptop.run(["rm", "-f", DROP_IN])
    for volume in made:
        volumes.discard(volume)
    laptop.wait_until(lambda: status(laptop)["device"], 30, "the agent", unit=AGENT)


VOLUMES = pytest.StashKey[list[Volume]]()


@pytest.fixture
def home(juma: Laptop, request: pytest.FixtureRequest) -> Volume:
    """A LUKS2 container of the laptop's."""
    volume = volumes.make(juma, "home")
    request.node.stash[VOLUMES].append(volume)
    volumes.record(volume)
    return volume


def armed(site: Site, laptop: Laptop) -> str:
    """Two persons order it, and it waits for its grace; the order's id."""
    order = site.order("wipe", laptop.name, *GONE, by=BOTH)
    site.send(laptop)
    site.until_told(laptop, order, "armed")
    return order


def freshly(site: Site, laptop: Laptop) -> None:
    """The desk signs that nothing else was decided, and the laptop hears of it."""
    site.desk.fleet("refresh")
    site.sync(laptop)


def test_two_persons_at_different_times_erase_every_volume_after_the_grace(
    site: Site, juma: Laptop, request: pytest.FixtureRequest
) -> None:
    made = [
        volumes.make(juma, "old-home", kind="luks1"),
        volumes.make(juma, "home"),
        volumes.make(juma, "disk", device=True),
    ]
    request.node.stash[VOLUMES].extend(made)
    volumes.record(*made)
    assert [one.opened_by() for one in made] == [Volume.KEYS] * 3, "positive control"
    whole = [one.digest() for one in made]
    blocks = [one.blocks() for one in made]
    assert all(len(one) > 100 for one in blocks)

    order = site.order("wipe", juma.name, *GONE)
    site.send(juma, waiting=True)
    assert site.told(juma, order) == [], "the desk files nothing that one person alone decided"
    site.desk.fleet("approve", juma.name, "--as", "head-1")
    site.send(juma)
    site.until_told(juma, order, "armed")
    due = commands(juma)["erase_at"]
    assert abs(due - (site.now + floors.GRACE)) < 5 * MINUTE and notice(juma)["erase_at"] == due
    assert "erasing    in 3 hours" in bookbag(juma, "status", codes=(0,)).stdout
    (row,) = [one for one in site.desk.fleet_json("status")["orders"] if one["id"] == order]
    assert row["persons"] == ["head-1", "ict-1"] and row["outcome"].startswith("armed on ")

    site.pass_time(floors.GRACE - 10 * MINUTE)
    freshly(site, juma)
    assert commands(juma)["erase_at"] == due
    site.pass_time(20 * MINUTE, desk=False)
    juma.run(["systemctl", "restart", AGENT])  # so that it looks
    juma.wait_until(lambda: commands(juma).get("erase_at") == due, 30, "the orders", unit=AGENT)
    assert [one.digest() for one in made] == whole, (
        "it is past the grace, and may not have heard the last word"
    )
    assert "as soon as newer word comes" in bookbag(juma, "status", codes=(0,)).stdout

    site.desk.ahead = site.ahead
    freshly(site, juma)
    assert site.until_told(juma, order, "armed", "started", "done")[-1] == ("done", "")
    assert [one.opened_by() for one in made] == [()] * 3
    assert [one.blocks() & before for one, before in zip(made, blocks, strict=True)] == [frozenset()] * 3
    check_certificate(site, juma, order, made)
    assert not juma.exists(STAGED)
    assert commands(juma)["erase_at"] == 0
    assert "erasing" not in bookbag(juma, "status", codes=(0,)).stdout
    calling_off = site.order("cancel", order, by=("deputy-1",))
    site.send(juma)
    assert site.until_told(juma, calling_off, "too-late") == [("too-late", "too-late")]


def check_certificate(site: Site, laptop: Laptop, order: str, made: list[Volume]) -> None:
    """The desk opens one, and it says what was done to these volumes."""
    told = site.desk.fleet_json("receipts", laptop.name, "--as", "deputy-1")["receipts"]
    (last,) = [one for one in told if one["order"] == order and one["final"]]
    certificate = last["evidence"]
    assert (certificate["grade"], certificate["sanitization"]) == ("crypto-erase", "purge")
    assert certificate["ordered-by"] == ["head-1", "ict-1"]
    found = {one["name"]: one for one in certificate["volumes"]}
    assert set(found) == {one.uuid if one.device else one.path.rpartition("/")[2] for one in made}
    assert {(one["slots-before"], one["slots-after"]) for one in found.values()} == {(2, 0)}
    said = site.desk.fleet("receipts", laptop.name, "--as", "ict-1")
    assert f"order {order}" in said and "NIST SP 800-88r2" in said


@pytest.mark.soak
def test_called_off_in_its_grace_it_erases_nothing(site: Site, juma: Laptop, home: Volume) -> None:
    """The same uncalled erases: the tests around this one."""
    whole = home.digest()
    order = armed(site, juma)
    calling_off = site.order("cancel", order, by=("deputy-1",))
    site.send(juma)
    site.until_told(juma, order, "armed", "cancelled")
    site.until_told(juma, calling_off, "done")
    site.pass_time(floors.GRACE + HOUR)
    freshly(site, juma)
    assert home.digest() == whole, "data intact"
    assert site.told(juma, order)[-1] == ("cancelled", "cancelled")


@pytest.mark.soak
def test_a_laptop_locked_as_lost_for_a_day_is_erased_without_grace(
    site: Site, juma: Laptop, home: Volume
) -> None:
    lock = site.order("lock", juma.name, "--lost")
    site.send(juma)
    site.until_told(juma, lock, "done")
    site.pass_time(DAY + HOUR)
    freshly(site, juma)
    assert home.opened_by() == Volume.KEYS
    order = site.order("wipe", juma.name, "--grace", "0m", *GONE, by=BOTH)
    site.send(juma)
    site.until_told(juma, order, "armed", "started", "done")
    assert home.opened_by() == ()
    assert commands(juma)["locked"], "still locked"
    unlock = site.order("unlock", juma.name)
    site.send(juma)
    site.until_told(juma, unlock, "done")


#: The erase worker, dying at the N-th of its changes to the disk and starts of programs. Each line of the
#: file is for one run; where ``wait`` stands with it, it does not die but stands still, so that the whole
#: laptop can.
_DYING = """
import os, signal, subprocess, sys, time
path = sys.argv[1]
lines = open(path).read().splitlines()
with open(path, "w") as file:
    file.write("\\n".join(lines[1:]))
    file.flush()
    os.fsync(file.fileno())
words = lines[0].split() if lines else ["-1"]
left = int(words[0])
def counted(real):
    def call(*args, **more):
        global left
        if left == 0:
            if words[1:]:
                open("/run/lab-stands-still", "w").close()
                time.sleep(600)
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return real(*args, **more)
    return call
for name in ("fsync", "pwrite", "rename", "unlink"):
    setattr(os, name, counted(getattr(os, name)))
subprocess.Popen = counted(subprocess.Popen)
sys.argv = ["bookbag", "worker", "erase"]
from agent.cli.main import main
sys.exit(main())
"""


@pytest.mark.soak
def test_killed_and_crashed_on_the_way_it_ends_erased_with_one_final_receipt(
    site: Site, juma: Laptop, home: Volume
) -> None:
    whole = home.digest()
    juma.write(DYING, _DYING)
    worker = f"/opt/bookbag/bin/python {DYING} {DEATHS}"
    writes = f"ReadWritePaths={DEATHS} /run"
    juma.write(DROP_IN, f"[Service]\nExecStart=\nExecStart={worker}\n{writes}\n")
    juma.run(["systemctl", "daemon-reload"])
    # Each run begins where the last one had come to, and comes a little further.
    juma.write(DEATHS, "\n".join(["0", "1 wait", "8", *(f"{number} wait" for number in (14, 11, 17))]))
    order = armed(site, juma)
    site.pass_time(floors.GRACE + MINUTE)
    freshly(site, juma)
    juma.set_cable(False)
    seen = []
    while True:
        juma.wait_until(lambda: stands(juma) or step_of(juma, order) == "done", 60, "it", unit=AGENT)
        if not stands(juma):
            break
        juma.crash()
        seen.append(step_of(juma, order))
        assert seen[-1] != "armed" or home.digest() == whole, "before it is decided, data are intact"
        juma.boot()
    print("crashed at", ", ".join(seen))
    assert seen[0] == "armed" and set(seen) - {"armed"}, "and after it was decided"
    assert home.opened_by() == ()
    juma.set_cable(True)
    site.until_told(juma, order, "armed", "started", "done")
    told = site.desk.fleet_json("receipts", juma.name, "--as", "ict-1")["receipts"]
    assert sum(one["final"] for one in told if one["order"] == order) == 1


def stands(laptop: Laptop) -> bool:
    """Whether the worker waits for the crash."""
    return laptop.exists("/run/lab-stands-still")


def step_of(laptop: Laptop, order: str) -> str:
    """How far it is, as the laptop wrote it down."""
    book = json.loads(laptop.read("/var/lib/bookbag/state/commands.json"))["data"]
    found = [one for one in (*book["cases"], *book["ended"]) if one["id"] == order]
    return str(found[0]["step"]) if found else ""
