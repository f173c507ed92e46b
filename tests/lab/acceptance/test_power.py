"""What can run code as root needs two persons, on the laptop itself, whatever the desk let through (I-7)."""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Callable

import pytest

from agent.host.services import FOLDER as UNITS
from agent.policy import kinds
from agent.trust.keys import SigningKey
from tests.lab.acceptance import attacker
from tests.lab.acceptance.conftest import School
from tests.lab.acceptance.school import bookbag, laptop_reports, status
from tests.lab.laptop import Laptop

TOOL = "/usr/local/bin/welcome"
GROUP = "shell"
KEY = "/org/gnome/desktop/interface/cursor-blink-time"
KEY_FILE = f"/etc/dconf/db/bookbag.d/{GROUP}"
SWITCH = "net.ipv4.ip_default_ttl"
TOOLS = "/usr/local/lib/lab-tools"
TIMER = "lab-tick.timer"
#: As a package brings them; the timers of the lab's own packages are masked.
TICK = {
    f"/usr/lib/systemd/system/{TIMER}": "[Timer]\nOnCalendar=*-*-* 04:00:00\n",
    "/usr/lib/systemd/system/lab-tick.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
}
#: What is in a file beyond its lines' own beginnings: whom a group has, how an account is called.
MEMBERS, SHOWN = r"^audio:[^:]*:[^:]*:(.+)$", r"^lab-pupil:[^:]*:[^:]*:[^:]*:([^,:]+)"
#: A root-power resource of each kind that a document can name, saying ``word``; where it shows, and what of
#: that place ("": all of it).
ROOT_POWER: dict[str, tuple[Callable[[str], dict[str, object]], str, str]] = {
    "block": (lambda word: {"path": "/etc/lab-lines", "lines": [word]}, "/etc/lab-lines", ""),
    "group": (
        lambda word: {"group": "audio", "members": ["teacher" if word == "stolen" else "student"]},
        "/etc/group",
        MEMBERS,
    ),
    "user": (lambda word: {"login": "lab-pupil", "shown": word.title()}, "/etc/passwd", SHOWN),
    "file": (
        lambda word: {"path": TOOL, "content": f"#!/bin/sh\necho {word}\n", "mode": "0755"},
        TOOL,
        "",
    ),
    "dconf": (lambda word: {"group": GROUP, "values": {KEY: str(24 + len(word))}}, KEY_FILE, ""),
    "service": (
        lambda word: {"unit": "cron.service", "masked": word != "stolen"},
        f"{UNITS}/cron.service",
        "",
    ),
    "sysctl": (
        lambda word: {"switch": SWITCH, "value": str(60 + len(word))},
        f"/etc/sysctl.d/99-z-bookbag-{SWITCH}.conf",
        "",
    ),
    "directory": (
        lambda word: {"path": TOOLS, "mode": "0700", "owner": "student" if word == "stolen" else "root"},
        TOOLS,
        "",
    ),
    "timer": (
        lambda word: {"unit": TIMER, "calendar": [f"*-*-* 03:{len(word):02}:00"]},
        f"{UNITS}/{TIMER}.d/90-bookbag.conf",
        "",
    ),
}
HARMLESS = {"file": {"path": "/etc/issue", "content": "Rest of the document\n"}}


def test_every_kind_that_a_document_can_name_is_shown_here() -> None:
    direct = {kind for kind, resource in kinds.resources().items() if resource.direct}
    assert direct == set(ROOT_POWER)


def resources(word: str) -> tuple[dict[str, object], ...]:
    return tuple({kind: made(word)} for kind, (made, _, _) in ROOT_POWER.items())


def digests(laptop: Laptop) -> dict[str, str]:
    """What shows of each kind's resource: a hash, or "" if it is not there."""
    return {kind: digest(laptop, path, part) for kind, (_, path, part) in ROOT_POWER.items()}


def digest(laptop: Laptop, path: str, part: str) -> str:
    """A hash of what is at ``path``, or the ``part`` of it."""
    if not laptop.exists(path):
        return ""
    if part:
        return "".join(re.findall(part, laptop.read(path), re.MULTILINE))
    return hashlib.sha256(shown(laptop, path).encode()).hexdigest()


def shown(laptop: Laptop, path: str) -> str:
    """The text of a file; of a directory its mode and owner."""
    info = laptop.path(path).lstat()
    return f"{info.st_mode:o} {info.st_uid}" if stat.S_ISDIR(info.st_mode) else laptop.read(path)


def test_one_person_cannot_hide_it_in_a_policy_and_the_rest_of_it_applies(school: School) -> None:
    laptop = school.lina
    school.desk.policy("tools", resources=(*resources("hidden"), HARMLESS))
    said = school.desk.fleet("publish", "--as", "ict-1", codes=(1, 4))
    assert "root-power" in said or "two persons" in said, "the desk itself warns"
    attacker.publish_unchecked(school.desk, "ict-1")
    bookbag(laptop, "sync", codes=(4, 6))
    assert digests(laptop) == dict.fromkeys(ROOT_POWER, "")
    assert laptop.read("/etc/issue") == "Rest of the document\n"
    rows = [row for row in laptop_reports(laptop) if row["outcome"] == "refused"]
    assert {row["code"] for row in rows} == {"root-power"}
    assert len(rows) == len(ROOT_POWER)
    for row in rows:
        assert row["message"], "with the reason"
    told = laptop.run(["bookbag", "status"], check=False)
    assert told.returncode == 4
    assert f"{len(ROOT_POWER)} refused" in told.stdout and "not known to be harmless" in told.stdout


def test_two_persons_can_and_one_person_with_two_keys_cannot(school: School) -> None:
    desk, laptop = school.desk, school.lina
    for unit, text in TICK.items():
        laptop.write(unit, text)
    laptop.run(["systemctl", "daemon-reload"])
    laptop.run(["systemctl", "start", TIMER])
    second = SigningKey.generate()
    path = desk.folder / "people/ict-1.yaml"
    record = path.read_text()
    first = attacker.key_of(desk, "ict-1")
    assert first.public.hex in record
    # It stays: taking a key away begins a new epoch, in which every assignment is signed anew.
    path.write_text(two_keys(record, first.public.hex, second.public.hex))
    desk.policy("tools", resources=resources("welcome"), power=True)
    desk.fleet("publish", "--as", "ict-1", codes=(4,))
    bookbag(laptop, "sync")
    assert digests(laptop) == dict.fromkeys(ROOT_POWER, ""), "it waits for the second person"
    desk.fleet("approve", "--as", "head-1")
    bookbag(laptop, "sync")
    honest = digests(laptop)
    assert all(honest.values()), "positive control: two persons"
    assert laptop.run([TOOL]).stdout == "welcome\n"

    desk.policy("tools", resources=resources("stolen"), power=True)
    forged = (desk.folder / "power/ict/tools.yaml").read_bytes()
    attacker.forge_power(desk, "tools.yaml", forged, [first, second])
    bookbag(laptop, "sync", codes=(0, 2, 4, 6))
    assert digests(laptop) == honest
    assert "under-signed" in {row["code"] for row in status(laptop)["refusals"]}, "it came, and was refused"
    attacker.forge_power(desk, "tools.yaml", forged, [first, attacker.key_of(desk, "head-1")])
    bookbag(laptop, "sync", codes=(0, 2))
    assert all(digests(laptop)[kind] != honest[kind] for kind in ROOT_POWER), (
        "positive control: it was well made"
    )
    desk.withdraw("tools")
    desk.publish("ict-1", "head-1")
    bookbag(laptop, "sync", codes=(0, 2))
    laptop.run(["systemctl", "stop", TIMER])
    for unit in TICK:
        laptop.path(unit).unlink()


def two_keys(record: str, first: str, second: str) -> str:
    """The person's record with one more key."""
    lines = record.splitlines()
    at = next(number for number, line in enumerate(lines) if first in line)
    return "\n".join([*lines[: at + 1], lines[at].replace(first, second), *lines[at + 1 :], ""])


ORDINARY: dict[str, tuple[dict[str, object], str, str]] = {
    "block": ({"path": "/etc/hosts", "lines": ["0.0.0.0 ordinary.example"]}, "/etc/hosts", "ordinary"),
    "file": ({"path": "/etc/issue.net", "content": "ordinary\n"}, "/etc/issue.net", "ordinary"),
    "dconf": (
        {"group": GROUP, "values": {"/org/gnome/desktop/screensaver/lock-delay": "uint32 5"}},
        KEY_FILE,
        "lock-delay",
    ),
    "directory": (
        {"path": "/usr/share/bookbag/notices", "mode": "0750"},
        "/usr/share/bookbag/notices",
        "40750 0",
    ),
}


def test_every_other_kind_always_needs_two() -> None:
    for kind in set(ROOT_POWER) - set(ORDINARY):
        assert kinds.resources()[kind].powers.startswith(("Always takes two persons.", "Never ordinary"))


@pytest.mark.soak
@pytest.mark.parametrize("kind", sorted(ORDINARY))
def test_an_ordinary_resource_of_each_kind_needs_one_person(school: School, kind: str) -> None:
    """So that what was refused above was refused for its power."""
    written, place, text = ORDINARY[kind]
    school.desk.withdraw("younger", "older")  # a desktop key has one holder
    school.desk.policy("plain", resources=({kind: written},))
    school.desk.publish("ict-1")
    bookbag(school.omar, "sync", codes=(0, 2))
    told = bookbag(school.omar, "status", "--all", codes=(0, 2, 4, 6)).stdout
    assert school.omar.exists(place) and text in shown(school.omar, place), told
