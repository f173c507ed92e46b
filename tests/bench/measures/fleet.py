"""What IT waits for at the desk of a large school: the fleet page of two thousand laptops, as the running
service gives it.
"""

from __future__ import annotations

import http.client
import json
import sqlite3
import time
from pathlib import Path

from tests.bench.rows import Bench, Budget, Measured, Promise, Results, Samples
from tests.bench.world import World
from tests.fleet.desk import Desk
from tests.fleet.large import make_school

LAPTOPS, DAYS = 2000, 7
PAGE = Promise("fleet-page", "fleet page of 2,000 laptops, click → last byte", "s", Budget(2))


def measure(world: World) -> Results:
    desk = make_school(Path(world.folder) / "fleet" / "it", LAPTOPS, now=int(time.time()), days=DAYS)
    process = desk.spawn("serve", "--http", "--host", "127.0.0.1", "--port", "0", "--admin-port", "0")
    try:
        told = json.loads(process.stdout.readline()) if process.stdout else {}
        views = ("/", "/?show=look", "/?find=9a&page=2")
        took = [_get(told["admin-port"], views[turn % 3]) for turn in range(world.rounds(9))]
        other = [_get(told["port"], "/metadata/timestamp.json") for _ in took]
    finally:
        process.kill()
        process.communicate()
    rows = _rows(desk)
    note = f"every figure read anew; {rows:,} reports in the store, an order waits at every fourth laptop"
    peers = {"a file of the site from the same service": Samples(tuple(other))}
    return {PAGE.name: Measured(Samples(tuple(took)), peers, note)}


def _get(port: int, path: str) -> float:
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    if not (answer.read() and answer.status == 200):
        raise RuntimeError(f"{path}: {answer.status}")
    connection.close()
    return time.perf_counter() - began


def _rows(desk: Desk) -> int:

    database = sqlite3.connect(desk.root / "telemetry" / "reports.db")
    (rows,) = database.execute("SELECT count(*) FROM reports").fetchone()
    database.close()
    return int(rows)


BENCH = Bench("fleet", (PAGE,), measure)
