"""What telemetry costs a laptop: one collection of both records, and a day of them on the line, TLS
included.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from agent.core.clock import BUILD_TIME
from agent.core.layout import Layout
from agent.daemon.schedule import REPORT
from agent.policy.resources.telemetry import Telemetry
from tests.bench.processes import FLOORS, Cost, in_turns, run
from tests.bench.rows import Bench, Budget, Measured, Promise, Results, Samples
from tests.bench.site import SandboxLaptop, result
from tests.bench.world import World
from tests.leaks import REPOSITORY
from tests.sync.server import Tls, make_tls
from tests.telemetry.receiver import PROTOBUF, receiving
from tests.telemetry.test_collect import STATUS

READ = """
import sys
sys.path.insert(0, sys.argv[1])
from agent.host.linux.sensors import LinuxSensors
here = LinuxSensors()
if not (here.disk() and here.memory() and here.cpu()):
    sys.exit("this machine says nothing of itself")
here.battery(), here.temperature(), here.chassis()
"""
A_DAY = 86_400 // REPORT
COLLECT = Promise("telemetry", "one collection of both reports, CPU", "ms", Budget(250))
SENSORS = Promise("telemetry-sensors", "this machine read, with psutil loaded, CPU", "ms", Budget(150))
BYTES = Promise("telemetry-bytes", "reports of a day on the line, TLS included", "KiB", Budget(32))


def measure(world: World) -> Results:
    laptop = _laptop(world.folder / "telemetry" / "root")
    return {**_collection(world, laptop), **_sensors(world), **_line(world, laptop)}


def _laptop(folder: Path) -> SandboxLaptop:
    """A laptop whose policy names both records."""
    layout = Layout(str(folder))
    for path in (layout.public, layout.telemetry, layout.spool, layout.etc, layout.outbox):
        os.makedirs(path)
    state = Telemetry(records=["compliance", "health"]).desired()
    content = state["content"] if state else b""
    assert isinstance(content, bytes)
    Path(f"{layout.public}/telemetry.json").write_bytes(content)
    return SandboxLaptop(folder, "north", "0" * 32)


def _collect(laptop: SandboxLaptop) -> Cost:
    """As the resident asks for it, on a laptop that has reported before."""
    request = {"op": "collect", "at": BUILD_TIME + 5, "cause": "change", "every": 60, "on": True}
    return laptop.worker("telemetry", {**request, "installation": "0" * 32, "status": STATUS})


def _collection(world: World, laptop: SandboxLaptop) -> Results:
    def ours() -> Cost:
        shutil.rmtree(f"{laptop.layout.telemetry}/out", ignore_errors=True)
        cost = _collect(laptop)
        if result(cost)["waiting"] != 2:
            raise RuntimeError(f"there are not two reports: {result(cost)}")
        return cost

    def peer() -> Cost:
        return run([sys.executable, str(FLOORS / "otlp_libraries.py")])

    mine, theirs = (
        Samples.of([cost.cpu for cost in costs], 1e3) for costs in in_turns(world.rounds(15), ours, peer)
    )
    note = f"`bookbag worker telemetry`, {A_DAY} times a day: interpreter, collectors, gate, durable spool;"
    note += " of a laptop in a folder, so without psutil"
    return {COLLECT.name: Measured(mine, {"psutil and OpenTelemetry's messages": theirs}, note)}


def _sensors(world: World) -> Results:
    """What a real laptop's collection costs on top of one in a folder."""
    mine, bare = (
        Samples.of([cost.cpu for cost in costs], 1e3)
        for costs in in_turns(
            world.rounds(15),
            lambda: run([sys.executable, "-I", "-c", READ, str(REPOSITORY)]),
            lambda: run([sys.executable, "-I", "-c", "pass"]),
        )
    )
    note = "interpreter, psutil, every sensor once"
    return {SENSORS.name: Measured(mine, {"the interpreter alone": bare}, note)}


def _line(world: World, laptop: SandboxLaptop) -> Results:
    tls = make_tls(world.folder / "telemetry" / "tls")
    shutil.copy(tls.ca, laptop.layout.ca)
    Path(laptop.layout.bootstrap_root).write_text(
        "{}"
    )  # the round itself has no source; reports go all the same
    ours, floor = [], []
    with receiving(tls) as receiver:
        for _ in range(world.rounds(5)):
            shutil.rmtree(f"{laptop.layout.telemetry}/out", ignore_errors=True)
            _collect(laptop)
            with counting(receiver.url) as (url, count):
                cost = laptop.worker("sync", laptop.round(urls=[], at=BUILD_TIME, reports=url), (1,))
                said = result(cost)["reports"]
                if not isinstance(said, dict) or said.get("taken") != 2:
                    raise RuntimeError(f"the reports were not taken: {said}")
            ours.append(count() * A_DAY / 1024)
            with counting(receiver.url) as (url, count):
                _nothing(url, tls)
            floor.append(count() * A_DAY / 1024)
    note = f"both records, {A_DAY} times a day, each time a new connection; both directions"
    peers = {"the same requests with nothing in them": Samples(tuple(floor))}
    return {BYTES.name: Measured(Samples(tuple(ours)), peers, note)}


def _nothing(url: str, tls: Tls) -> None:
    """The floor: a connection, two empty requests."""
    parts = urlsplit(url)
    context = ssl.create_default_context(cafile=str(tls.ca))
    connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, context=context, timeout=10)
    for signal in ("logs", "metrics"):
        connection.request("POST", f"/v1/{signal}", body=b"", headers=PROTOBUF)
        connection.getresponse().read()
    connection.close()


@contextlib.contextmanager
def counting(url: str) -> Iterator[tuple[str, Callable[[], int]]]:
    """A relay to ``url``; yields its own address, and what counts the bytes that went through."""
    parts = urlsplit(url)
    listening = socket.create_server(("127.0.0.1", 0))
    through = [0]

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                through[0] += len(data)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listening.accept()
                with client, socket.create_connection((parts.hostname, parts.port)) as server:
                    back = threading.Thread(target=pump, args=(server, client))
                    back.start()
                    pump(client, server)
                    back.join()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"{parts.scheme}://127.0.0.1:{listening.getsockname()[1]}", lambda: through[0]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


BENCH = Bench("telemetry", (COLLECT, SENSORS, BYTES), measure)
