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


def pam(laptop: Laptop) -> str:
    """What PAM asks, and what pam-auth-update knows."""
    return laptop.run(
        ["sh", "-c", "cat /etc/pam.d/common-* /var/lib/pam/*; ls /usr/share/pam-configs"]
    ).stdout


def by_hand(common: str) -> str:
    """The shared stage with a rule of somebody's own among Debian's: pam-auth-update leaves such a file
    alone.
    """
    primary = '(the "Primary" block)\n'
    assert primary in common
    return common.replace(primary, f"{primary}account\trequired\tpam_time.so\n")


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
    before, asked = traces(laptop), pam(laptop)

    said = laptop.run([f"{folder}/install"], timeout=120).stdout
    assert "bookbag enrol FILE" in said
    assert laptop.run(["bookbag", "--version"]).stdout.startswith("bookbag ")
    assert laptop.run(["systemctl", "is-enabled", "bookbag.service"]).stdout.strip() == "enabled"
    listening = laptop.run(["systemctl", "is-active", "bookbag-worker-sync.socket"], check=False).stdout
    assert listening.strip() == "active"
    assert laptop.run(["stat", "-c", "%a %U", "/var/lib/bookbag/spool"]).stdout.split() == [
        "711",
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
    assert pam(laptop) == asked


@pytest.mark.soak
def test_a_locked_laptop_keeps_bookbag_and_an_update_keeps_the_lock(laptop: Laptop, bundle: Path) -> None:
    folder = unpack(laptop, bundle)
    before = traces(laptop)
    laptop.run([f"{folder}/install"], timeout=120)
    gate = "/etc/security/bookbag-login.conf"
    closed = laptop.read(gate).replace("+ : ALL", "- : ALL")
    target = "/etc/systemd/system/default.target"
    locks = (
        lambda: laptop.write(gate, closed),
        lambda: laptop.run(["ln", "-s", "/usr/lib/systemd/system/bookbag-lock.target", target]),
        lambda: laptop.run(["systemctl", "isolate", "bookbag-lock.target"]),
    )
    for lock in locks:
        lock()
        refused = laptop.run([f"{folder}/uninstall", "--purge"], check=False)
        assert refused.returncode == 1
        assert "this laptop is locked; have it unlocked first" in refused.stderr
        laptop.run([f"{folder}/install"], timeout=120)
        assert laptop.run(["su", "student", "-c", "true"], check=False).returncode == int(lock is locks[0])
        laptop.run(["systemctl", "isolate", "graphical.target"])
        laptop.run(["rm", "-f", target])
        laptop.write(gate, closed.replace("- : ALL", "+ : ALL"))
    laptop.run([f"{folder}/uninstall", "--purge"], timeout=60)
    assert traces(laptop) == before


@pytest.mark.soak
def test_pam_that_was_changed_by_hand_is_neither_overwritten_nor_left_to_lock_everybody_out(
    laptop: Laptop, bundle: Path
) -> None:
    folder = unpack(laptop, bundle)
    common = "/etc/pam.d/common-account"
    plain = laptop.read(common)
    laptop.write(common, by_hand(plain))
    said = laptop.run([f"{folder}/install"], timeout=120)
    assert "cannot be locked" in said.stderr, "told at once"
    assert "✗ lock" in laptop.run(["bookbag", "doctor"], check=False).stdout
    laptop.write(common, plain)
    laptop.run([f"{folder}/install"], timeout=120)
    assert "✓ lock" in laptop.run(["bookbag", "doctor"], check=False).stdout
    mended = laptop.read(common)
    laptop.write(common, by_hand(mended))
    refused = laptop.run([f"{folder}/uninstall"], check=False)
    assert refused.returncode == 1 and "take out the lines that name files called bookbag" in refused.stderr
    laptop.run(["su", "student", "-c", "true"])
    laptop.write(common, mended)
    laptop.run([f"{folder}/uninstall"], timeout=60)
    laptop.run(["su", "student", "-c", "true"])
    assert laptop.read(common) == plain


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
