"""The bundle installs on plain Debian without a network, updates in place, and leaves without a trace."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from agent.trust.enrolment import EnrolFile, make_token
from tests.lab.lab import PROJECT
from tests.lab.laptop import Laptop
from tests.trust.school import School

#: Where Bookbag puts things, and where a leftover would show.
TRACES = [
    "/opt",
    "/etc",
    "/usr/bin",
    "/usr/lib/systemd",
    "/usr/lib/sysusers.d",
    "/usr/lib/tmpfiles.d",
    "/var/lib",
]
#: Changed by the machine itself, or (user databases) by design kept in their own backup files.
OF_OTHERS = ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", "/etc/.pwd.lock", "/var/lib/systemd")


@pytest.fixture(scope="module")
def bundle() -> Path:
    """dist/bookbag-VERSION.tar.gz, made as `make bundle` makes it."""
    done = subprocess.run(
        [PROJECT / "installer/bundle"], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return PROJECT / done.stdout.splitlines()[-1].split(":")[0]


def traces(laptop: Laptop) -> set[str]:
    """Every path below TRACES that is not OF_OTHERS."""
    found = laptop.run(["find", *TRACES, "-xdev", "-not", "-name", "*.pyc"]).stdout.splitlines()
    return {path for path in found if not path.startswith(OF_OTHERS)}


def unpack(laptop: Laptop, bundle: Path) -> str:
    """Put the bundle on the laptop's disk; returns the folder with its scripts."""
    laptop.write("/root/bundle.tar.gz", bundle.read_bytes())
    laptop.run(["tar", "-C", "/root", "-xzf", "/root/bundle.tar.gz"])
    return f"/root/{bundle.name.removesuffix('.tar.gz')}"


def enrol_file() -> bytes:
    """One that a desk would make, for a site that the laptop cannot reach."""
    with tempfile.TemporaryDirectory() as folder:
        school = School(Path(folder, "desk"), at=int(time.time()))
        school.power("ada", "bo")
        school.publish()
        root = (school.mirror / "metadata" / "1.root.json").read_bytes()
    return EnrolFile("north", ("https://10.77.0.1:8443/",), "", root, make_token()).to_bytes()


def answers(laptop: Laptop) -> bool:
    """Whether the supervisor answers on its socket."""
    return "enrolling" in laptop.run(["bookbag", "status"], check=False).stdout


def test_install_update_uninstall(laptop: Laptop, bundle: Path) -> None:
    laptop.set_cable(False)  # no network is needed
    folder = unpack(laptop, bundle)
    before = traces(laptop)

    said = laptop.run([f"{folder}/install"], timeout=120).stdout
    assert "bookbag enrol FILE" in said
    assert laptop.run(["bookbag", "--version"]).stdout.startswith("bookbag ")
    assert laptop.run(["systemctl", "is-enabled", "bookbag.service"]).stdout.strip() == "enabled"
    listening = laptop.run(["systemctl", "is-active", "bookbag-worker-sync.socket"], check=False).stdout
    assert listening.strip() == "active"
    assert laptop.run(["stat", "-c", "%a %U", "/var/lib/bookbag/spool"]).stdout.split() == [
        "700",
        "bookbag-sync",
    ]

    fetch = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8642/laptop').read().decode())"
    assert "My laptop" in laptop.run(["python3", "-c", fetch], user="student").stdout

    laptop.write("/var/lib/bookbag/state/keepsake", "kept")
    laptop.run([f"{folder}/install"], timeout=120)  # again: an update
    assert laptop.read("/var/lib/bookbag/state/keepsake") == "kept"
    versions = laptop.run(
        ["find", "/opt", "-maxdepth", "1", "-name", "bookbag-*", "-type", "d"]
    ).stdout.split()
    assert len(versions) == 1

    laptop.write("/root/enrol.json", enrol_file(), mode=0o600)
    laptop.run(["bookbag", "enrol", "/root/enrol.json"])
    laptop.wait_until(lambda: answers(laptop), 30, "the agent to begin by itself after enrolment")

    laptop.run([f"{folder}/uninstall"], timeout=60)
    assert laptop.run(["systemctl", "is-active", "bookbag.service"], check=False).returncode != 0
    assert laptop.read("/var/lib/bookbag/state/keepsake") == "kept"
    assert not laptop.exists("/usr/bin/bookbag")
    laptop.run([f"{folder}/uninstall", "--purge"], timeout=60)
    assert traces(laptop) == before


def test_each_refusal_says_why_and_changes_nothing(laptop: Laptop, bundle: Path) -> None:
    folder = unpack(laptop, bundle)
    before = traces(laptop)
    as_student = laptop.run([f"{folder}/install"], user="student", check=False)
    assert as_student.returncode != 0  # /root is closed to the student
    laptop.run(["cp", "-r", folder, "/srv/bundle"])
    as_student = laptop.run(["/srv/bundle/install"], user="student", check=False)
    assert (as_student.returncode, as_student.stderr.strip()) == (
        1,
        "cannot install: this needs root; run it with sudo",
    )
    laptop.run(["rm", "-r", "/srv/bundle/wheels"])
    bare = laptop.run(["/srv/bundle/install"], check=False)
    assert bare.returncode == 1 and "there are no wheels" in bare.stderr
    wrong = laptop.run(["/srv/bundle/uninstall", "--everything"], check=False)
    assert wrong.returncode == 1 and "--everything is unknown" in wrong.stderr
    laptop.run(["sh", "-c", f"for one in {folder}/wheels/*; do echo >> $one; done"])  # altered on the way
    assert laptop.run([f"{folder}/install"], check=False).returncode != 0
    assert traces(laptop) == before
