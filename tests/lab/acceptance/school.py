"""A school's laptops as IT sets them up: units enabled, enrolled by a token, assigned by a person."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from agent.daemon.jobs import WORKERS
from tests.lab.acceptance.desk import PEOPLE, Desk
from tests.lab.laptop import Laptop

POLL = 10  #: seconds between two syncs
AGENT = "bookbag.service"
FIREWALL = "bookbag-firewall.service"
CHROMIUM = "/etc/chromium/policies/managed"
MIRROR = "/var/lib/bookbag/spool/mirror"
REQUEST_WAITS = 60.0  #: seconds
IN_FORCE_WAITS = 60.0


def install(laptop: Laptop) -> None:
    """What the package does after unpacking: units enabled and started, nothing enrolled yet."""
    laptop.run(["systemd-tmpfiles", "--create", "bookbag.conf"])
    begins = ["bookbag.path", "bookbag-portal.socket", "bookbag-portal-content.socket"]
    begins += [f"bookbag-worker-{name}.socket" for name in WORKERS]
    laptop.run(["systemctl", "enable", "--quiet", AGENT, FIREWALL, *begins])
    laptop.run(["systemctl", "start", *begins])


def bookbag(
    laptop: Laptop, *words: str, codes: tuple[int, ...] = (0, 2), timeout: float = 120
) -> CompletedProcess[str]:
    """`bookbag …` on the laptop as root. Raises AssertionError for an exit code not in ``codes``."""
    done = laptop.run(["bookbag", *words], check=False, timeout=timeout)
    assert done.returncode in codes, (
        f"bookbag {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}"
    )
    return done


def status(laptop: Laptop) -> dict[str, Any]:
    """What `bookbag status` says."""
    found: dict[str, Any] = json.loads(bookbag(laptop, "status", "--json", codes=(0, 2, 4, 6)).stdout)
    return found


def enrol(desk: Desk, laptop: Laptop, *, file: Path | None = None) -> None:
    """Carry an enrol file to the laptop and use it there; the agent begins by itself."""
    if file is None:
        file = desk.folder.parent / f"enrol-{desk.site}-{laptop.name}.json"
        desk.fleet("device", laptop.name, "--out", str(file))
    laptop.write("/root/enrol.json", file.read_bytes(), mode=0o600)
    bookbag(laptop, "enrol", "/root/enrol.json")
    laptop.wait_until(lambda: status(laptop), 20, "the agent", unit=AGENT)
    set_poll(laptop, POLL)


def set_poll(laptop: Laptop, seconds: int) -> None:
    """As IT sets it, in agent.yaml."""
    path = "/etc/bookbag/agent.yaml"
    lines = [line for line in laptop.read(path).splitlines() if not line.startswith("poll:")]
    laptop.write(path, "\n".join([*lines, f"poll: {seconds}s", ""]))
    laptop.wait_until(lambda: status(laptop)["sync"]["poll_s"] == seconds, 20, f"a poll of {seconds} s")


def wait_for_request(desk: Desk, laptop: Laptop) -> None:
    """Until the laptop's enrolment has come back to the desk."""

    def came() -> bool:
        rows = desk.fleet_json("device", "--as", PEOPLE[0], codes=(0, 4))["devices"]
        return any(row["name"] == laptop.name and row["state"] in ("pending", "refused") for row in rows)

    laptop.wait_until(came, REQUEST_WAITS, "the request at the desk", unit=AGENT)


def assign(desk: Desk, laptop: Laptop, **groups: str) -> None:
    """A person says who the laptop is; it counts at the next publish."""
    pairs = [f"{'class' if key == 'class_' else key}={value}" for key, value in groups.items()]
    desk.fleet("assign", laptop.name, *pairs, "--as", PEOPLE[0])


def policy_of(laptop: Laptop, setting: str) -> dict[str, Any]:
    """One of our policy files of the browser; raises FileNotFoundError and ValueError."""
    found: dict[str, Any] = json.loads(laptop.read(f"{CHROMIUM}/bookbag-{setting}.json"))
    return found


def homepage_of(laptop: Laptop) -> str:
    """The homepage that the laptop's policy file forces; "" without one."""
    try:
        return str(policy_of(laptop, "homepage")["HomepageLocation"])
    except FileNotFoundError:
        return ""


def settled(laptop: Laptop, what: Callable[[Laptop], object], seconds: float = IN_FORCE_WAITS) -> float:
    """Wait until ``what(laptop)`` holds, looking from outside; the seconds it took."""
    began = time.monotonic()
    laptop.wait_until(lambda: what(laptop), seconds, unit=AGENT)
    return time.monotonic() - began


def outcomes(laptop: Laptop) -> Mapping[str, int]:
    """How many resources stand how."""
    found: dict[str, int] = status(laptop)["outcomes"]
    return found


def up(laptop: Laptop) -> None:
    """Wait until a (re)started agent has looked at the machine and at its configuration."""

    def knows(laptop: Laptop) -> bool:
        found = status(laptop)
        return bool(found["outcomes"] and found["device"])

    settled(laptop, knows)


def laptop_reports(laptop: Laptop) -> list[dict[str, str]]:
    """Every resource as it stands."""
    rows: list[dict[str, str]] = json.loads(laptop.read("/var/lib/bookbag/public/reports.json"))
    return rows
