"""Every way into a laptop that a person may try, tried for real; and a lock that a test closes and opens.

What runs inside the laptop lies in `PROGRAMS`. The lock is closed by the command worker's own unit, with a
program of ours in it, so that what its walls forbid is forbidden here too.
"""

from __future__ import annotations

import json

from tests.lab.laptop import Laptop

PYTHON = "/opt/bookbag/bin/python"
TRY = "/usr/lib/lab/try_routes.py"
HOLD = "/usr/lib/lab/hold.py"
ASK = "/usr/lib/lab/ask_worker.py"
LINE = "/usr/lib/lab/serial_line.py"

#: Tries each way as student, and as root those that root has; prints {way: is somebody in}.
_TRY = r"""
import json, os, pty, select, signal, subprocess, sys, time

STUDENT = ["setpriv", "--reuid=1000", "--regid=1000", "--init-groups"]
TEACHER = ["setpriv", "--reuid=1001", "--regid=1001", "--init-groups"]
SSH = ["ssh", "-i", "/root/key", "-oStrictHostKeyChecking=no", "-oBatchMode=yes", "-oConnectTimeout=5"]
IN, NOT_IN = b"SOMEBODY-IS-42-IN", (b"denied", b"incorrect", b"failure", b"abort", b"required to change")

def ends_well(*argv):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0

def talks(argv, *answers):
    "Start a program on a terminal of its own; answer each prompt; is there a shell that counts in the end?"
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp(argv[0], argv)
    heard, waiting = b"", [*answers, (b"", None)]
    until = time.monotonic() + 30
    try:
        while time.monotonic() < until:
            if waiting and waiting[0][0] in heard.lower():
                prompt, words = waiting.pop(0)
                if words is not None:
                    heard = b""
                    os.write(fd, words + b"\n")
                continue
            if not select.select([fd], [], [], 0.5)[0]:
                continue
            try:
                piece = os.read(fd, 4096)
            except OSError:
                return False
            heard += piece
            if IN in heard:
                return True
            if any(word in heard.lower() for word in NOT_IN):
                return False
        return False
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(fd)

count = b"echo SOMEBODY-IS-$((6*7))-IN"
ways = {
    "console": lambda: talks(["login"], (b"login:", b"student"), (b"password:", b"student"), (b"$", count)),
    "ssh": lambda: ends_well(*SSH, "student@127.0.0.1", "true"),
    "su": lambda: talks([*TEACHER, "su", "student", "-c", count.decode()], (b"password:", b"student")),
    "sudo": lambda: ends_well(*STUDENT, "sudo", "-n", "true"),
    "systemd": lambda: ends_well(*"systemd-run -q --wait -p User=student -p PAMName=login true".split()),
    "root's su": lambda: ends_well("su", "root", "-c", "true"),
    "root's sudo": lambda: ends_well("sudo", "-n", "true"),
    "root's ssh": lambda: ends_well(*SSH, "root@127.0.0.1", "true"),
    "a system user": lambda: ends_well("su", "-s", "/bin/sh", "daemon", "-c", "true"),
}
print(json.dumps({name: way() for name, way in ways.items()}))
"""

#: Stands in for the command worker: closes and opens the lock, or its first layer alone.
_HOLD = r"""
import json, os, sys
from agent.commands.holding import Holding
from agent.core.layout import Layout
from agent.daemon import wiring
from agent.host import choose
from agent.store.undo import UndoJournal

layout = Layout()
wiring.prepare(layout)
host = choose.open_host(layout, enrolling=True)
whole = wiring.open_holding(layout, host)
gate = Holding(layout.state_file("lab-gate"), UndoJournal(layout.state + "/lab-gate"), host.lock_layers[:1])
op = json.loads(sys.stdin.readline())["op"]
holding = gate if op.endswith("gate") else whole
words = {"en": "Please bring this laptop to the school office."}
if op.startswith("close"):
    holding.begin("a" * 32, 1, words, "ict@north.example", False)
    said = holding.close()
    with open(layout.public + "/lock.json", "w") as file:
        json.dump({"v": 1, "locked": True, "message": words, "challenge": "K7M2-QXD4"}, file)
    os.chmod(file.name, 0o644)
elif op.startswith("keep"):
    said = holding.go_on()
else:
    said = holding.open()
print(json.dumps({"layers": said, "grade": host.facts.lock_grade(), "uid": os.getuid()}), flush=True)
"""

_ASK = """
import select, sys
from agent.core.layout import Layout
from agent.host.workers import SystemdWorkers
worker = SystemdWorkers(Layout()).start("command", sys.argv[1].encode())
while select.select([worker], [], [], 120)[0]:
    try:
        piece = worker.read()
    except BlockingIOError:
        continue
    if not piece:
        break
    sys.stdout.write(piece.decode())
"""

#: A serial line with the locker on it, and somebody who reads and types: [[wait for this, then type that],
#: …].
_LINE = """
import json, os, pty, select, subprocess, sys, time
master, slave = pty.openpty()
unit = "bookbag-locker@pts-" + os.ttyname(slave).rpartition("/")[2] + ".service"
subprocess.run(["systemctl", "start", unit], check=True)
os.close(slave)
heard = b""
for text, keys in json.loads(sys.argv[1]):
    until = time.monotonic() + 60
    while text.encode() not in heard and time.monotonic() < until:
        if select.select([master], [], [], 0.5)[0]:
            try:
                heard += os.read(master, 4096)
            except OSError:
                time.sleep(0.1)  # it is hung up, and begun anew
    if text.encode() not in heard:
        sys.exit(f"waited in vain for {text!r}: {heard[-2000:]!r}")
    heard = b""
    os.write(master, keys.encode())
print("done")
"""

PROGRAMS = {TRY: _TRY, HOLD: _HOLD, ASK: _ASK, LINE: _LINE}
OF_ROOT = ("root's su", "root's sudo", "root's ssh", "a system user")


def prepare(laptop: Laptop) -> None:
    """Let the student in by every way there is, and have the command worker's unit run our program."""
    for path, text in PROGRAMS.items():
        laptop.write(path, text)
    laptop.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/key"])
    key = laptop.read("/root/key.pub")
    laptop.write("/root/.ssh/authorized_keys", key, mode=0o600)
    laptop.run(["install", "-d", "-m", "700", "-o", "student", "-g", "student", "/home/student/.ssh"])
    laptop.write("/home/student/.ssh/authorized_keys", key, mode=0o600, owner=laptop.account("student")[:2])
    laptop.write("/etc/sudoers.d/student", "student ALL=(ALL) NOPASSWD: ALL\n", mode=0o440)
    drop_in = f"[Service]\nExecStart=\nExecStart={PYTHON} {HOLD}\n"
    laptop.write("/etc/systemd/system/bookbag-worker-command@.service.d/90-lab.conf", drop_in)
    laptop.run(["systemd-tmpfiles", "--create", "bookbag.conf"])
    laptop.run(["systemctl", "daemon-reload"])
    laptop.run(["systemctl", "enable", "--quiet", "--now", "bookbag-worker-command.socket"])


def tried(laptop: Laptop) -> dict[str, bool]:
    """Way → whether somebody got in by it."""
    found: dict[str, bool] = json.loads(laptop.run([PYTHON, TRY], timeout=300).stdout)
    return found


def hold(laptop: Laptop, op: str) -> dict[str, bool]:
    """Have the worker do ``close``, ``open`` or ``keep`` (go on where it was), of all or, with ``-gate``
    behind it, of the login gate alone; layer → whether it is so now.
    """
    said = json.loads(laptop.run([PYTHON, ASK, json.dumps({"op": op})], timeout=180).stdout)
    assert said["uid"] == 0
    layers: dict[str, bool] = said["layers"]
    return layers


def talk_to_the_locker(laptop: Laptop, *turns: tuple[str, str]) -> None:
    """Put the locker on a serial line: wait for each text, then type what stands with it."""
    laptop.run([PYTHON, LINE, json.dumps(turns)], timeout=150)
