"""What a student waits for: the portal's first byte, when it runs and when not; its memory in a crowd."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from tests.bench.processes import FLOORS
from tests.bench.rows import Bench, Budget, Measured, Promise, Results, Samples
from tests.bench.world import World
from tests.lab import measure as lab_measure
from tests.lab.laptop import Laptop
from tests.portal.library import furnish

COLD = Promise("portal-cold", "portal, click → first byte, not running, wall", "ms", Budget(500))
WARM = Promise("portal-warm", "the same, running", "ms", Budget(20))
CROWD = Promise("portal-crowd", "portal's memory with 30 stalled clients, RSS", "MiB", Budget(40))

SERVICE = "bookbag-portal.service"
PORT, FLOOR_PORT, PEER_PORT = 8642, 8700, 8701
STALLED = 30
#: Run in the laptop as the student: milliseconds from the first SYN to the first byte, and the answer's size.
_CLICK = """
import socket, sys, time
port, path = int(sys.argv[1]), sys.argv[2]
for _ in range(int(sys.argv[3])):
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
        lines = f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close", "", ""
        sock.sendall("\\r\\n".join(lines).encode())
        data = sock.recv(65536)
        took, size = time.monotonic() - began, 0
        while data:
            size += len(data)
            data = sock.recv(65536)
    print(took * 1e3, size)
"""
_CROWD = """
import socket, sys
held = []
for number in range(int(sys.argv[2])):
    sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=30)
    sock.sendall(b"GET / HTTP/1.1\\r\\nHost: 127.0.0.1" if number % 2 else b"")
    held.append(sock)
print("held", flush=True)
sys.stdin.read()
"""


def measure(world: World) -> Results:
    laptop = world.lab.laptop
    _fill(laptop, world.folder / "portal-store")
    for name in ("answer.py", "page_server.py"):
        laptop.write(f"/usr/local/lib/bench/{name}", (FLOORS / name).read_bytes())
    laptop.run(["systemctl", "start", "bookbag-portal.socket", "bookbag-portal-content.socket"])
    cold = _cold(world, laptop)
    size = _click(laptop, PORT, "/", 1)[1]
    python = ["/opt/bookbag/bin/python", "/usr/local/lib/bench/page_server.py", str(PEER_PORT), str(size)]
    laptop.run(["systemd-run", "--quiet", "--unit=bench-page", *python])
    try:
        laptop.wait_until(lambda: _click(laptop, PEER_PORT, "/", 1), 20, "the peer")
        with laptop.group.undisturbed():
            return {COLD.name: cold, WARM.name: _warm(world, laptop, size), CROWD.name: _crowd(laptop)}
    finally:
        laptop.run(["systemctl", "stop", "bench-page.service"], check=False)


def _fill(laptop: Laptop, folder: Path) -> None:
    furnish(folder)
    store = laptop.path("/var/lib/bookbag/content")
    store.mkdir(exist_ok=True)
    shutil.copytree(folder, store, dirs_exist_ok=True)
    laptop.run(["chmod", "-R", "a+rX", "/var/lib/bookbag/content"])


def _click(laptop: Laptop, port: int, path: str, rounds: int) -> tuple[list[float], int]:
    said = laptop.run(["python3", "-c", _CLICK, str(port), path, str(rounds)], user="student").stdout
    rows = [line.split() for line in said.splitlines()]
    return [float(row[0]) for row in rows], int(rows[-1][1])


def _cold(world: World, laptop: Laptop) -> Measured:
    units = "/run/systemd/system/bench-answer"
    laptop.write(
        f"{units}.socket", f"[Socket]\nListenStream=127.0.0.1:{FLOOR_PORT}\nTriggerLimitIntervalSec=0\n"
    )
    bare = "/opt/bookbag/bin/python -I -S /usr/local/lib/bench/answer.py"
    laptop.write(f"{units}.service", f"[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart={bare}\n")
    laptop.run(["systemctl", "daemon-reload"])
    laptop.run(["systemctl", "start", "bench-answer.socket"])
    ours, floor = [], []
    try:
        with laptop.group.undisturbed():
            for _ in range(world.rounds(15) + 1):
                laptop.run(["systemctl", "stop", SERVICE])
                ours += _click(laptop, PORT, "/", 1)[0]
                floor += _click(laptop, FLOOR_PORT, "/", 1)[0]
    finally:
        laptop.run(["systemctl", "stop", "bench-answer.socket"], check=False)
    note = (
        "the library's first page, systemd's start of the unit and its walls included; the laptop goes first"
    )
    return Measured(
        Samples.of(ours[1:]), {"bare Python -I -S started the same way": Samples.of(floor[1:])}, note
    )


def _warm(world: World, laptop: Laptop, size: int) -> Measured:
    rounds = world.rounds(60)
    ours = _click(laptop, PORT, "/", rounds)[0]
    peer = _click(laptop, PEER_PORT, "/", rounds)[0]
    note = f"a connection for each; the library's first page, {size:,} bytes, made anew each time"
    return Measured(Samples.of(ours), {"http.server, as many bytes from memory": Samples.of(peer)}, note)


def _crowd(laptop: Laptop) -> Measured:
    found = {}
    for port, unit in ((PORT, SERVICE), (PEER_PORT, "bench-page.service")):
        argv = ["python3", "-c", _CROWD, str(port), str(STALLED)]
        crowd = laptop.start(argv, user="student", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert crowd.stdout is not None and crowd.stdin is not None
        crowd.stdout.readline()
        _click(laptop, port, "/", 5)  # and somebody is served meanwhile
        found[port] = sum(_rss(pid) for pid in lab_measure.unit_pids(laptop, unit)) / 2**20
        crowd.stdin.close()
        crowd.wait(20)
        crowd.stdout.close()
    note = f"{STALLED} connections, half of them in the middle of a request; a page is answered beside them"
    return Measured(Samples.of([found[PORT]]), {"http.server": Samples.of([found[PEER_PORT]])}, note)


def _rss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(json.dumps({"no memory of": pid}))


BENCH = Bench("portal", (COLD, WARM, CROWD), measure)
