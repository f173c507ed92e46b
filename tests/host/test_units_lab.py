"""The units on a real laptop: who the workers are, what one may do and another may not, and how they end."""

from __future__ import annotations

import json

import pytest

from tests.lab.laptop import Laptop

WORKERS = ("ask", "configure", "sync", "enforce", "explain", "enrol", "telemetry")
PYTHON = "/opt/bookbag/bin/python"

#: Stands in for a worker's program, inside its unit's walls: tries things, says which went well.
PROBE = r"""
import ctypes, json, os, socket, sys

def went(what):
    try:
        what()
    except (OSError, PermissionError) as error:
        return error.strerror
    return True

def write(path):
    with open(path, "w") as file:
        file.write("x")
    os.unlink(path)

def mount():
    if ctypes.CDLL(None, use_errno=True).mount(b"x", b"/mnt", b"tmpfs", 0, None) != 0:
        raise OSError(ctypes.get_errno(), "no mount")

def execute():
    import mmap
    mmap.mmap(-1, 4096, prot=7)

def namespace():
    if ctypes.CDLL(None, use_errno=True).unshare(0x10000000) != 0:
        raise OSError(ctypes.get_errno(), "no namespace")

def become_student():
    pid = os.fork()
    if pid == 0:
        try:
            os.setresgid(1000, 1000, 1000)
            os.setresuid(1000, 1000, 1000)
        except OSError:
            os._exit(1)
        os._exit(0)
    if os.waitpid(pid, 0)[1] != 0:
        raise OSError(1, "cannot become")

request = sys.stdin.readline()
print(json.dumps({
    "request": request, "uid": os.getuid(), "cgroup": open("/proc/self/cgroup").read().strip(),
    "can": {name: went(what) for name, what in {
        "read keys": lambda: open("/var/lib/bookbag/keys/device.key").read(),
        "list state": lambda: os.listdir("/var/lib/bookbag/state"),
        "write state": lambda: write("/var/lib/bookbag/state/probe"),
        "write spool": lambda: write("/var/lib/bookbag/spool/probe"),
        "read spool": lambda: open("/var/lib/bookbag/spool/one").read(),
        "read outbox": lambda: open("/var/lib/bookbag/outbox/one").read(),
        "write outbox": lambda: write("/var/lib/bookbag/outbox/probe"),
        "write telemetry": lambda: write("/var/lib/bookbag/telemetry/probe"),
        "write /etc": lambda: write("/etc/probe"),
        "write /etc/bookbag": lambda: write("/etc/bookbag/probe"),
        "write /usr": lambda: write("/usr/probe"),
        "write a home": lambda: write("/home/student/probe"),
        "read a home": lambda: open("/home/student/diary").read(),
        "read /etc/shadow": lambda: open("/etc/shadow").read(),
        "internet": lambda: socket.socket(socket.AF_INET).close(),
        "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close(),
        "packets": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
        "become student": become_student,
        "own a file": lambda: (open("/tmp/own", "w").close(), os.chown("/tmp/own", 1000, 1000)),
        "mount": mount,
        "writable code": execute,
        "namespace": namespace,
        "set the clock": lambda: __import__("time").clock_settime(0, 2e9),
        "kernel tunable": lambda: open("/proc/sys/kernel/hostname", "w").close(),
    }.items()},
}), flush=True)
"""

ASK = """
import select, sys
from agent.core.layout import Layout
from agent.host.workers import SystemdWorkers
worker = SystemdWorkers(Layout()).start(sys.argv[1], sys.argv[2].encode())
heard = b""
while select.select([worker], [], [], 20)[0]:
    try:
        piece = worker.read()
    except BlockingIOError:
        continue
    if not piece:
        break
    heard += piece
    if sys.argv[3:] == ["stop"]:
        worker.stop()
        break
print(heard.decode(), end="")
"""


@pytest.fixture
def laptop(school_laptop: Laptop) -> Laptop:
    """A laptop whose sockets listen."""
    school_laptop.write("/usr/lib/lab/probe.py", PROBE)
    school_laptop.write("/usr/lib/lab/ask.py", ASK)
    school_laptop.run(["systemd-tmpfiles", "--create", "bookbag.conf"])
    for path in ("/var/lib/bookbag/keys/device.key", "/home/student/diary"):
        school_laptop.write(path, "secret", mode=0o600)
    school_laptop.write("/var/lib/bookbag/outbox/one", "sealed", mode=0o644)
    uid, gid, _ = school_laptop.account("bookbag-sync")
    school_laptop.write("/var/lib/bookbag/spool/one", "untrusted", mode=0o600, owner=(uid, gid))
    school_laptop.run(["systemctl", "start", *(f"bookbag-worker-{name}.socket" for name in WORKERS)])
    return school_laptop


def replace(laptop: Laptop, worker: str, command: str) -> None:
    """Let the worker's unit start something else, everything else as it is."""
    drop_in = f"[Service]\nExecStart=\nExecStart={command}\n"
    laptop.write(f"/etc/systemd/system/bookbag-worker-{worker}@.service.d/90-probe.conf", drop_in)
    laptop.run(["systemctl", "daemon-reload"])


def ask(laptop: Laptop, worker: str, request: str = "{}", *more: str) -> str:
    return laptop.run([PYTHON, "/usr/lib/lab/ask.py", worker, request, *more]).stdout


#: What only these may do; what is not named here, nobody may.
MAY = {
    "list state": {"ask", "configure", "enforce", "enrol", "explain"},
    "write state": {"configure", "enforce", "enrol"},
    "write spool": {"sync", "enforce", "enrol"},
    "read spool": {"sync", "enforce", "enrol"},
    "read keys": {"ask", "enforce", "enrol"},
    "read outbox": {"ask", "sync", "enforce", "enrol", "explain", "configure", "telemetry"},
    "write telemetry": {"sync", "enforce", "enrol", "telemetry"},
    "write outbox": {"ask", "enforce", "enrol"},
    "write /etc": {"enforce"},
    "write /etc/bookbag": {"enforce", "enrol"},
    "write /usr": {"enforce"},
    "write a home": {"enforce"},
    "read a home": {"enforce", "explain", "enrol"},
    "read /etc/shadow": {"ask", "enforce", "explain", "enrol", "configure"},
    "internet": {"sync"},
    "netlink": {"enforce"},
    "become student": {"enforce", "explain"},
    "own a file": {"enforce", "enrol"},
}


@pytest.mark.lab
@pytest.mark.slow
def test_each_worker_may_do_its_own_work_and_no_other(laptop: Laptop) -> None:
    found: dict[str, set[str]] = {}
    for worker in WORKERS:
        replace(laptop, worker, f"{PYTHON} /usr/lib/lab/probe.py")
        said = json.loads(ask(laptop, worker, '{"op": "x"}'))
        assert said["request"] == '{"op": "x"}\n'
        assert said["cgroup"].split("/")[-2] == "bookbag.slice", "or it could not be stopped"
        uid = laptop.account("bookbag-sync")[0]
        assert said["uid"] == (uid if worker in ("sync", "telemetry") else 0)
        for name, outcome in said["can"].items():
            if outcome is True:
                found.setdefault(name, set()).add(worker)
    assert found == MAY


@pytest.mark.lab
def test_a_worker_that_hangs_is_ended_with_all_that_it_started(laptop: Laptop) -> None:
    replace(laptop, "sync", "/bin/sh -c 'read line; echo begun; trap \"\" TERM; sleep 1001 & sleep 1002'")
    assert ask(laptop, "sync", "{}", "stop") == "begun\n"
    laptop.wait_until(
        lambda: not laptop.run(["pgrep", "-f", "sleep 100[12]"], check=False).stdout, 5, "the worker's end"
    )
    listing = ["systemctl", "list-units", "--all", "--plain", "--no-legend", "bookbag-worker-sync@*"]
    laptop.wait_until(lambda: not laptop.run(listing).stdout, 10, "systemd to forget it")
    replace(laptop, "sync", "/bin/sh -c 'read line; echo again'")
    assert ask(laptop, "sync") == "again\n", "and the next one is started"


@pytest.mark.lab
def test_our_own_program_runs_behind_those_walls(laptop: Laptop) -> None:
    """No wall stops what each worker imports: each answers, if only that this laptop is not enrolled."""
    for worker in WORKERS:
        events = [json.loads(line) for line in ask(laptop, worker, '{"op": "audit"}').splitlines()]
        assert events, worker
        assert events[-1]["event"] == "exit", events
        errors = [event["error"] for event in events if event["event"] == "error"]
        assert not [error for error in errors if error["code"] == "internal"], (worker, errors)


@pytest.mark.lab
def test_only_root_may_start_a_worker(laptop: Laptop) -> None:
    done = laptop.run([PYTHON, "/usr/lib/lab/ask.py", "sync", "{}"], user="student", check=False)
    assert "not-running" in done.stderr or "Permission denied" in done.stderr, done.stderr
    assert ask(laptop, "sync"), "the control: root may"


WATCH = """
import os, select, sys
from agent.core.layout import Layout
from agent.host.watch import open_watch
watch = open_watch(Layout())
watch.set_paths(["/etc/motd", "/home/student/.config/managed"])
watch.read()
sys.stdout.write(f"watching {os.getuid()}\\n")
sys.stdout.flush()
found = set()
while len(found) < 2 and select.select([watch], [], [], 20)[0]:
    found |= watch.read()[0]
print(sorted(found), flush=True)
try:
    open("/etc/motd", "w")
except OSError as error:
    print(error.strerror, flush=True)
open("/var/lib/bookbag/public/status.json", "w").write("{}")
"""


@pytest.mark.lab
def test_the_residents_unit_sees_everything_and_changes_nothing(laptop: Laptop) -> None:
    laptop.write("/usr/lib/lab/watch.py", WATCH)
    laptop.write("/etc/bookbag/agent.yaml", "")
    laptop.run(["chmod", "0700", "/home/student"])
    laptop.run(["install", "-d", "-o", "student", "-g", "student", "-m", "0700", "/home/student/.config"])
    drop_in = f"[Service]\nType=exec\nRestart=no\nExecStart=\nExecStart={PYTHON} /usr/lib/lab/watch.py\n"
    laptop.write("/etc/systemd/system/bookbag.service.d/90-probe.conf", drop_in)
    laptop.run(["systemctl", "daemon-reload"])
    laptop.run(["systemctl", "start", "bookbag"])

    def said(words: str) -> bool:
        return words in laptop.journal(unit="bookbag.service")

    laptop.wait_until(lambda: said("watching 0"), 20)
    laptop.run(["sh", "-c", "echo tampered > /etc/motd"])
    laptop.run(["sh", "-c", "echo tampered > ~/.config/managed"], user="student")
    laptop.wait_until(lambda: said("['/etc/motd', '/home/student/.config/managed']"), 20)
    laptop.wait_until(lambda: said("Read-only file system"), 20)
    laptop.wait_until(lambda: laptop.read("/var/lib/bookbag/public/status.json") == "{}", 20)
