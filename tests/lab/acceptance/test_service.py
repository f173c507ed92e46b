"""The agent as a service: says when it is ready, comes back from the dead, keeps its state and modes."""

from __future__ import annotations

import json
import os
import signal
import stat
import time
from pathlib import Path

from tests.lab import measure
from tests.lab.acceptance.conftest import HOME, School
from tests.lab.acceptance.school import AGENT, bookbag, homepage_of, outcomes, settled, status, up
from tests.lab.guest import end
from tests.lab.laptop import Laptop

MOTD = "/etc/motd"
PACKAGE = "/opt/bookbag/lib/python3.11/site-packages/agent"


def shown(laptop: Laptop, *names: str) -> dict[str, str]:
    """Properties of the agent's unit."""
    lines = laptop.run(["systemctl", "show", AGENT, *(f"--property={name}" for name in names)]).stdout
    return dict(line.split("=", 1) for line in lines.splitlines())


def heals(laptop: Laptop, seconds: float = 20) -> None:
    """What a student does to a managed file is undone."""
    path = laptop.path(MOTD)
    right = path.read_bytes()
    path.write_bytes(b"mine\n")
    settled(laptop, lambda _: path.read_bytes() == right, seconds)


def test_it_tells_systemd_that_it_is_ready_and_how_it_stands(school: School) -> None:
    found = shown(school.lina, "Type", "ActiveState", "SubState", "NRestarts", "WatchdogUSec")
    assert (found["Type"], found["ActiveState"], found["SubState"]) == ("notify", "active", "running")
    settled(school.lina, lambda one: "settings, 0 with trouble" in shown(one, "StatusText")["StatusText"])
    assert found["WatchdogUSec"] == "1min"


def test_the_watchdog_ends_a_hung_supervisor_and_it_comes_back_enforcing(school: School) -> None:
    laptop = school.lina
    laptop.write(
        "/run/systemd/system/bookbag.service.d/quick.conf", "[Service]\nWatchdogSec=3\nTimeoutAbortSec=1\n"
    )
    laptop.run(["systemctl", "daemon-reload"])
    laptop.run(["systemctl", "restart", AGENT])
    up(laptop)
    (pid,) = measure.unit_pids(laptop, AGENT)
    time.sleep(4)
    assert measure.unit_pids(laptop, AGENT) == [pid], "positive control: a healthy one is left alone"
    os.kill(pid, signal.SIGSTOP)
    settled(laptop, lambda laptop: pid not in measure.unit_pids(laptop, AGENT) and outcomes(laptop), 30)
    assert "Watchdog timeout" in laptop.journal(unit=AGENT)
    heals(laptop)
    laptop.path("/run/systemd/system/bookbag.service.d/quick.conf").unlink()
    laptop.run(["systemctl", "daemon-reload"])
    laptop.run(["systemctl", "restart", AGENT])
    up(laptop)


def test_a_crash_and_a_restart_keep_everything(school: School) -> None:
    laptop = school.lina
    device = status(laptop)["device"]
    draft = "/var/lib/bookbag/state/clock.json.0123456789ab.tmp"
    for switch_off in (laptop.crash, laptop.power_off):
        laptop.write(draft, "half a sta", mode=0o600)  # as a write that was killed leaves it
        switch_off()
        laptop.write(MOTD, "written by a rescue stick\n")
        laptop.set_cable(False)
        laptop.boot()
        settled(laptop, lambda laptop: laptop.read(MOTD) == "Be kind to this laptop.\n")
        up(laptop)
        assert not laptop.exists(draft)
        found = status(laptop)
        assert (found["device"], found["enrolment"], found["groups"]["year"]) == (device, "assigned", "9")
        assert homepage_of(laptop) == HOME
        assert set(found["outcomes"]) <= {"in-force", "healed"}
        assert "the chain holds" in laptop.run(["bookbag", "ledger"]).stdout
        laptop.set_cable(True)
        settled(laptop, lambda laptop: bookbag(laptop, "sync"))


def test_a_second_supervisor_is_refused(school: School) -> None:
    laptop = school.lina
    done = laptop.run(["bookbag", "run"], check=False, timeout=20)
    assert done.returncode == 1
    assert "looks after this laptop already" in done.stderr
    heals(laptop)
    laptop.run(["systemctl", "stop", AGENT])
    alone = laptop.start(["bookbag", "run"])  # positive control: by itself it runs
    try:
        up(laptop)
        heals(laptop)
    finally:
        end(alone)
    laptop.run(["systemctl", "start", AGENT])
    up(laptop)


def test_another_version_installed_over_it_keeps_the_state(school: School) -> None:
    laptop = school.omar
    before = status(laptop)
    entries = len(ledger(laptop))
    path = laptop.path(f"{PACKAGE}/__init__.py")
    text = path.read_text()
    laptop.set_cable(False)  # so that nothing can be fetched again
    try:
        for version in ("0.1.99", before["version"]):
            path.write_text(text.replace(before["version"], version))
            for command in (
                ["systemd-sysusers"],
                ["systemd-tmpfiles", "--create", "bookbag.conf"],
                ["systemctl", "daemon-reload"],
                ["systemctl", "restart", AGENT],
            ):
                laptop.run(command)
            up(laptop)
            after = status(laptop)
            assert after["version"] == version
            same = ("fingerprint",) if version == before["version"] else ()
            for key in ("device", "enrolment", "groups", "site", *same):
                assert after[key] == before[key], key
            assert after["word"]["versions"] == before["word"]["versions"]
            assert len(ledger(laptop)) >= entries
            heals(laptop)
    finally:
        laptop.set_cable(True)


def ledger(laptop: Laptop) -> list[object]:
    """Its entries."""
    found: list[object] = json.loads(
        laptop.run(["bookbag", "--json", "ledger"], check=False).stdout or "{}"
    ).get("entries", [])
    return found


#: ADR 5: folder → (mode, owner, mode of the files in it and below).
STATE = {
    "": (0o711, "root", None),
    "state": (0o700, "root", 0o600),
    "keys": (0o700, "root", 0o600),
    "ledger": (0o700, "root", 0o600),
    "undo": (0o700, "root", 0o600),
    "generations": (0o700, "root", 0o600),
    "spool": (0o711, "bookbag-sync", None),  # the content worker passes through, to what is meant for it
    "secrets": (0o700, "root", 0o600),
    "packages": (0o711, "root", None),  # `fetched` is the sync user's
    "flatpaks": (0o711, "root", None),
    "outbox": (0o750, "root", 0o640),
    "lock": (0o700, "root", 0o600),
    "portal": (0o700, "bookbag-portal", 0o600),
    "public": (0o755, "root", 0o644),
    "content": (0o750, "bookbag-content", None),
    "asks": (0o750, "root", None),  # `in` is the portal's way to root
    "telemetry": (0o755, "bookbag-sync", None),
}


def test_modes_and_owners_of_the_state(school: School) -> None:
    for laptop in school.laptops:
        laptop.run(["systemctl", "stop", AGENT])  # so that no draft is on its way
        top = laptop.path("/var/lib/bookbag")
        assert {path.name for path in top.iterdir()} == set(STATE) - {""}
        for name, (mode, owner, inside) in STATE.items():
            folder = top / name
            uid = laptop.account(owner)[0]
            assert describe(folder) == (mode, uid), name
            if name == "outbox":
                assert folder.stat().st_gid == laptop.account("bookbag-sync")[1]
            for path in folder.rglob("*") if inside is not None else ():
                expected = mode if path.is_dir() and not path.is_symlink() else inside
                assert describe(path) == (expected, uid), path
                assert path.is_dir() or path.is_file(), path
        uid = laptop.account("bookbag-sync")[0]
        assert {path.stat().st_uid for path in (top / "spool").rglob("*")} == {uid}
        laptop.run(["systemctl", "start", AGENT])


def describe(path: Path) -> tuple[int, int]:
    """Mode and owner."""
    info = path.lstat()
    return stat.S_IMODE(info.st_mode), info.st_uid


def test_the_sync_worker_at_work_is_nobody_and_sees_no_keys(school: School) -> None:
    """The very process, held while it waits for a host that does not answer."""
    laptop, keys = school.lina, "/var/lib/bookbag/keys/device.json"
    school.desk.freeze_service()
    asking = laptop.start(["bookbag", "sync"])
    try:
        uid, gid, _ = laptop.account("bookbag-sync")
        found: dict[str, list[str]] = {}

        def held() -> bool:
            """Whoever had begun before the host fell silent still ends: what counts stayed when looked at."""
            for pid in workers(laptop, "bookbag-worker-sync@"):
                found.update(process(pid), keys=[keys] * Path(f"/proc/{pid}/root{keys}").exists())
                if pid in workers(laptop, "bookbag-worker-sync@"):
                    return True
            return False

        laptop.wait_until(held, 20, "a sync worker")
        assert found["Uid"] == [str(uid)] * 4 and found["Gid"] == [str(gid)] * 4
        for kind in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"):
            assert int(found[kind][0], 16) == 0, kind
        assert (found["NoNewPrivs"], found["Seccomp"]) == (["1"], ["2"])
        assert found["keys"] == [], "not even for root, in that worker's view"
    finally:
        school.desk.thaw_service()
        end(asking)
    as_sync = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--", "cat", keys]
    assert laptop.run(as_sync, check=False).returncode != 0
    assert "sign_key" in laptop.run(["cat", keys]).stdout, "positive control: as root"


def process(pid: int) -> dict[str, list[str]]:
    """What the kernel tells of a process, in words by name. Raises `OSError` where it has ended."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return {name: value.split() for name, _, value in (line.partition(":") for line in lines)}


def workers(laptop: Laptop, unit: str) -> list[int]:
    """The processes of a worker's instances that have become the program, as this machine numbers them."""
    found = []
    for pid in laptop.group.pids():
        try:
            group = Path(f"/proc/{pid}/cgroup").read_text(encoding="ascii")
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if unit in group and b"worker" in words:
            found.append(pid)
    return found
