"""Locked, a real laptop lets no person in by any way; opened, it is what it was before, to the byte."""

from __future__ import annotations

import re

import pytest

from agent.host.locking.login_gate import CLOSED, OPEN, PATH, lets_in
from tests.lab import cache, sessions
from tests.lab.laptop import Laptop
from tests.lab.routes import OF_ROOT, PYTHON, hold, prepare, talk_to_the_locker, tried
from tests.lab.test_install import enrol_file

LAYERS = ("login-gate", "boot-target", "sessions", "consoles")
ALL_TRUE = dict.fromkeys(LAYERS, True)
LOCKER = "bookbag-locker@console.service"
#: Come and go by themselves.
VOLATILE = re.compile(
    r"^(run-|session-|user-|user@|bookbag|system-.*\.slice|dev-|sys-|systemd-tmpfiles-clean)"
)


@pytest.fixture
def laptop(school_laptop: Laptop) -> Laptop:
    """A laptop with a student who has every way in."""
    prepare(school_laptop)
    return school_laptop


def ways(found: dict[str, bool], *, people: bool, root: bool = True) -> None:
    """Check who got in."""
    expected = {name: root if name in OF_ROOT else people for name in found}
    assert found == expected


def etc(laptop: Laptop) -> dict[str, str]:
    """Everything below /etc, and who lingers: kind, mode, owner, target and content."""
    listed = ["find", "/etc", "/var/lib/systemd/linger", "-printf", "%p\t%y %m %U %G %l\n"]
    found = dict(line.split("\t") for line in laptop.run(listed).stdout.splitlines())
    sums = ["find", "/etc", "-type", "f", "-exec", "sha256sum", "{}", "+"]
    for line in laptop.run(sums).stdout.splitlines():
        digest, _, path = line.partition("  ")
        found[path] += f" {digest}"
    return found


def units(laptop: Laptop) -> set[str]:
    """What runs."""
    listed = ["systemctl", "list-units", "--state=active", "--plain", "--no-legend"]
    names = {line.split()[0] for line in laptop.run(listed).stdout.splitlines()}
    return {name for name in names if not VOLATILE.search(name)}


def default_target(laptop: Laptop) -> str:
    return laptop.run(["systemctl", "get-default"]).stdout.strip()


@pytest.mark.slow
def test_each_way_in_is_open_then_denied_by_the_gate_alone_then_open_again(laptop: Laptop) -> None:
    before = etc(laptop)
    ways(tried(laptop), people=True)
    assert hold(laptop, "close-gate") == {"login-gate": True}
    ways(tried(laptop), people=False)
    laptop.run(["chage", "-d", "0", "student"])
    ways(tried(laptop), people=False)
    laptop.run(["chage", "-d", "19000", "student"])
    laptop.reboot()
    ways(tried(laptop), people=False)
    assert hold(laptop, "open-gate") == {"login-gate": True}
    ways(tried(laptop), people=True)
    after = etc(laptop)
    assert {path for path in before if before[path] != after.get(path)} <= {
        "/etc/shadow",
        "/etc/shadow-",
    }, "chage wrote that"


@pytest.mark.parametrize("people", [True, False])
def test_what_the_gate_is_taken_to_decide_is_what_pam_decides(laptop: Laptop, people: bool) -> None:
    """Whatever the file holds, or where it should be: the simulated login and PAM agree; system users pass
    always.
    """
    contents = (
        OPEN,
        CLOSED,
        None,
        b"",
        b"\0" * 5000,
        b"# - : ALL : ALL\n",
        b"-:ALL:ALL\n+:ALL:ALL\n",
        b"nonsense\n",
    )
    for content in contents:
        if content is None:
            laptop.run(["rm", PATH])
        else:
            laptop.write(PATH, content)
        user = "student" if people else "daemon"
        got_in = laptop.run(["su", "-s", "/bin/sh", user, "-c", "true"], check=False).returncode == 0
        assert got_in == (lets_in(content) or not people), content


@pytest.mark.slow
def test_jobs_that_people_have_cron_do_are_denied_and_roots_are_done(laptop: Laptop) -> None:
    for user in ("root", "student"):
        home = laptop.account(user)[2]
        laptop.write(
            f"/var/spool/cron/crontabs/{user}",
            f"@reboot /usr/bin/touch {home}/done\n",
            mode=0o600,
            owner=(laptop.account(user)[0], laptop.path("/var/spool/cron/crontabs").stat().st_gid),
        )

    def refusals() -> int:
        return laptop.journal(lines=2000).count("access denied for user `student' from `cron'")

    def jobs() -> dict[str, bool]:
        """Who had their job done when cron begins anew."""
        for path in ("/root/done", "/home/student/done", "/run/crond.reboot"):
            laptop.run(["rm", "-f", path])
        told = refusals()
        laptop.run(["systemctl", "restart", "cron"])
        laptop.wait_until(lambda: laptop.exists("/root/done"), 20, "root's job")
        laptop.wait_until(
            lambda: laptop.exists("/home/student/done") or refusals() > told,
            20,
            "the student's, or its refusal",
        )
        return {"root": laptop.exists("/root/done"), "student": laptop.exists("/home/student/done")}

    assert jobs() == {"root": True, "student": True}
    hold(laptop, "close-gate")
    assert jobs() == {"root": True, "student": False}
    hold(laptop, "open-gate")
    assert jobs() == {"root": True, "student": True}


def main_pid(laptop: Laptop) -> str:
    """The locker's process."""
    return laptop.run(["systemctl", "show", "-P", "MainPID", LOCKER]).stdout


def check_locked(laptop: Laptop) -> None:
    """Nobody is in, and nobody gets in."""
    found = tried(laptop)
    ways({name: found[name] for name in found if name != "root's ssh"}, people=False)
    assert not found["root's ssh"], "not even root comes by network"
    assert default_target(laptop) == "bookbag-lock.target"
    running = units(laptop)
    assert laptop.run(["systemctl", "is-active", "bookbag-lock.target"]).stdout == "active\n"
    assert "systemd-networkd.service" in running
    assert (
        not {"console-getty.service", "getty.target", "ssh.service", "cron.service", "graphical.target"}
        & running
    )
    assert sessions.sessions(laptop, "student") == []
    assert laptop.run(["pgrep", "-u", "student"], check=False).stdout == ""
    laptop.wait_until(lambda: main_pid(laptop) != "0\n", 20, "the locker", unit=LOCKER)


@pytest.mark.slow
def test_a_locked_laptop_stays_locked_and_an_opened_one_is_as_before(laptop: Laptop) -> None:
    laptop.run(["loginctl", "enable-linger", "student"])
    laptop.write("/etc/systemd/system/by-hand.service", "[Service]\nExecStart=/usr/bin/sleep infinity\n")
    laptop.run(["systemctl", "daemon-reload"])
    laptop.run(["systemctl", "start", "by-hand"])
    before, running, target = etc(laptop), units(laptop), default_target(laptop)
    ways(tried(laptop), people=True)
    sessions.log_in(laptop, "student")
    laptop.run(["systemd-run", "--quiet", "--uid=student", "sh", "-c", "while :; do sleep 0.01 & done"])

    assert hold(laptop, "close") == ALL_TRUE
    check_locked(laptop)
    talk_to_the_locker(laptop, ("Please bring this laptop", "0"), ("0____ _____", ""))

    for how in ("restart", "crash"):
        if how == "restart":
            laptop.reboot()
        else:
            laptop.crash()
            laptop.boot()
        assert hold(laptop, "keep") == ALL_TRUE
        check_locked(laptop)

    (deb,) = (cache.folder() / "debs").glob("libpam-runtime_*.deb")
    laptop.write("/root/libpam-runtime.deb", deb.read_bytes())
    laptop.run(["apt-get", "-qq", "--reinstall", "install", "/root/libpam-runtime.deb"])
    assert hold(laptop, "keep") == ALL_TRUE
    check_locked(laptop)

    pid = main_pid(laptop)
    laptop.run(["systemctl", "kill", "--signal=KILL", LOCKER])
    laptop.wait_until(
        lambda: main_pid(laptop) not in (pid, "0\n"),
        20,
        "the next locker",
    )

    assert hold(laptop, "open") == ALL_TRUE
    ways(tried(laptop), people=True)
    assert default_target(laptop) == target
    after = etc(laptop)
    assert {path for path in {*before, *after} if before.get(path) != after.get(path)} == set()
    assert units(laptop) == running
    assert laptop.exists("/run/user/1000/bus"), "who lingered lingers again"
    laptop.reboot()
    ways(tried(laptop), people=True)
    assert default_target(laptop) == target


@pytest.mark.soak
@pytest.mark.slow
def test_a_lock_that_dies_half_way_is_finished_and_opens_to_what_was(laptop: Laptop) -> None:
    before, target = etc(laptop), default_target(laptop)
    for layers in range(1, len(LAYERS)):
        laptop.write("/run/die-after", str(layers))
        laptop.write("/usr/lib/lab/die.py", DIE)
        laptop.run([PYTHON, "-c", "import runpy; runpy.run_path('/usr/lib/lab/die.py')"], check=False)
        laptop.crash()
        laptop.boot()
        assert hold(laptop, "keep") == ALL_TRUE
        opened = hold(laptop, "open")  # nobody was there to be logged out
        assert all(opened.values()) and {"login-gate", "boot-target", "consoles"} <= opened.keys()
        assert default_target(laptop) == target
    after = etc(laptop)
    assert {path for path in {*before, *after} if before.get(path) != after.get(path)} == set()
    ways(tried(laptop), people=True)


@pytest.mark.slow
def test_what_runs_under_other_uids_of_peoples_is_ended_and_what_is_the_systems_is_not(
    laptop: Laptop,
) -> None:
    """As `unshare` and newuidmap leave them behind in a job of cron's, which no session holds together and
    systemd does not end with cron."""
    of = {"a person's": 100_001, "nobody's": 250_001, "a container's of root": 300_001}
    subuid = laptop.read("/etc/subuid")
    laptop.write("/etc/subuid", "student:100000:65536\nroot:300000:65536\n")
    jobs = "".join(
        f"@reboot setpriv --reuid={uid} --regid={uid} --clear-groups sleep 86400\n" for uid in of.values()
    )
    group = laptop.path("/var/spool/cron/crontabs").stat().st_gid
    laptop.write("/var/spool/cron/crontabs/root", jobs, mode=0o600, owner=(0, group))

    def running() -> set[str]:
        """Whose; each must be among what cron began."""
        found = set()
        for name, uid in of.items():
            for pid in laptop.run(["pgrep", "-u", str(uid)], check=False).stdout.split():
                assert "/system.slice/cron.service\n" in laptop.read(f"/proc/{pid}/cgroup")
                found.add(name)
        return found

    laptop.run(["rm", "-f", "/run/crond.reboot"])
    laptop.run(["systemctl", "restart", "cron"])
    laptop.wait_until(lambda: running() == set(of), 20, "the jobs")
    laptop.run(["systemctl", "stop", "cron"])
    assert running() == set(of), "the control: they outlive cron"
    laptop.run(["systemctl", "start", "cron"])
    assert hold(laptop, "close") == ALL_TRUE
    assert running() == {"a container's of root"}
    assert hold(laptop, "open") == ALL_TRUE
    laptop.run(["pkill", "-u", str(of["a container's of root"])])
    laptop.write("/etc/subuid", subuid)


#: Closes so many layers as a worker would, and is gone.
DIE = """
import os
from agent.core.layout import Layout
from agent.daemon import wiring
from agent.host import choose

layout = Layout()
host = choose.open_host(layout, enrolling=True)
left = [int(open("/run/die-after").read())]
for layer in host.lock_layers:
    close = layer.close
    def closing(close=close):
        if not left[0]:
            os._exit(9)
        left[0] -= 1
        close()
    layer.close = closing
holding = wiring.open_holding(layout, host)
holding.begin("b" * 32, 1, {"en": "x"}, "y", False)
holding.close()
"""


#: What the desk would answer: it has the same key.
ANSWER = """
from agent.core.layout import Layout
from agent.daemon import wiring
from agent.host import choose
from agent.trust import unlockcode

layout = Layout()
identity = wiring.identity_of(layout)
challenge = wiring.open_holding(layout, choose.open_host(layout)).read().challenge
print(unlockcode.answer(identity.unlock_key, identity.id, challenge))
"""


@pytest.mark.slow
def test_the_answer_typed_at_the_locker_opens_the_laptop(laptop: Laptop) -> None:
    """Nothing stands in for anything here: locker, supervisor, command worker, each in its unit, without a
    network.
    """
    laptop.set_cable(False)
    laptop.write("/root/enrol.json", enrol_file(), mode=0o600)
    laptop.run(["sh", "-c", "systemctl enable --quiet --now /usr/lib/systemd/system/bookbag-worker-*.socket"])
    laptop.run(["bookbag", "enrol", "/root/enrol.json"])
    laptop.run(["systemctl", "enable", "--quiet", "bookbag.service"])
    before, target = etc(laptop), default_target(laptop)
    assert hold(laptop, "close") == ALL_TRUE
    laptop.run(["rm", "-r", "/etc/systemd/system/bookbag-worker-command@.service.d"])
    laptop.reboot()
    laptop.wait_until(lambda: laptop.exists("/run/bookbag/control.sock"), 30, "the supervisor")
    check_locked(laptop)
    right = laptop.run([PYTHON, "-c", ANSWER]).stdout.strip().lower()
    talk_to_the_locker(
        laptop,
        ("Please bring this laptop", "0000000000\r"),
        ("That was not the answer", f"{right[:5]}-{right[5:]}\r"),
        ("One moment", ""),
    )
    gate = "/etc/security/bookbag-login.conf"
    laptop.wait_until(lambda: "\n+ : ALL" in laptop.read(gate), 60, "the last layer, which is the first")
    assert default_target(laptop) == target
    assert laptop.run(["systemctl", "is-active", "bookbag-lock.target"], check=False).stdout == "inactive\n"
    ways(tried(laptop), people=True)
    after = etc(laptop)
    changed = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    assert {path for path in changed if "bookbag-worker-command@.service.d" not in path} <= {
        "/etc/systemd/system"
    }
