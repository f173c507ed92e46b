"""A sync with nothing new, and one with news, against `bookbag-fleet serve` over https; whole processes."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from ssl import create_default_context
from urllib.parse import urlsplit

from tests.bench.processes import FLOORS, Cost, in_turns, run, running
from tests.bench.rows import Bench, Budget, Measured, Promise, Results, Samples
from tests.bench.site import FILES, SandboxLaptop, result
from tests.bench.world import World
from tests.fleet.desk import Desk

QUIET = Promise("sync", "sync with nothing new, CPU", "ms", Budget(150))
NEWS = Promise("sync-news", "sync with news, CPU", "ms", Budget(600))
TAKE = Promise("take-news", "root's verification and apply of those news, CPU", "ms", None)


def measure(world: World) -> Results:
    desk = world.site.desk.copy(world.folder / "desk-with-news")
    with serving(desk) as url:
        before = _up_to_date(world, url)
        quiet = _quiet(world, desk, url, before)
        old = world.folder / "tuf-before"
        _tuf(desk, url, old)  # has what is there now
        desk.policy("news")
        desk.publish()
        return quiet | _news(world, desk, url, before, old)


def _up_to_date(world: World, url: str) -> SandboxLaptop:
    """A laptop that has what is there now, knows its tag, and has delivered its request."""
    laptop = world.site.converged.copy(world.folder / "up-to-date")
    said = result(laptop.worker("sync", laptop.round(urls=[url])))
    laptop.worker("enforce", {"op": "refresh", "delivered": said["delivered"]})
    if os.listdir(laptop.layout.outbox):
        raise RuntimeError(f"the request was not delivered: {said}")
    return laptop


def _quiet(world: World, desk: Desk, url: str, laptop: SandboxLaptop) -> dict[str, Measured]:
    request = laptop.round(urls=[url])
    ca = str(desk.root / "ca.pem")
    tag = _tag(url, ca)

    def ours() -> Cost:
        cost = laptop.worker("sync", request)
        said = result(cost)
        if said["news"] or said["received"] or said["delivered"]:
            raise RuntimeError(f"there was something new: {said}")
        return cost

    def peer() -> Cost:
        script = str(FLOORS / "requests_get.py")
        return run([sys.executable, script, f"{url}metadata/timestamp.json", ca, tag])

    mine, theirs = (
        Samples.of([cost.cpu for cost in costs], 1e3) for costs in in_turns(world.rounds(21), ours, peer)
    )
    note = "`bookbag worker sync`, TLS to its pinned CA, answer 304"
    return {QUIET.name: Measured(mine, {"import requests and GET": theirs}, note)}


def _tag(url: str, ca: str) -> str:
    """The ETag of what tells news."""
    parts = urlsplit(url)
    context = create_default_context(cafile=ca)
    connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, context=context, timeout=10)
    connection.request("HEAD", "/metadata/timestamp.json")
    tag = connection.getresponse().headers["ETag"]
    connection.close()
    return str(tag)


def _news(world: World, desk: Desk, url: str, before: SandboxLaptop, old: Path) -> dict[str, Measured]:
    taken: list[Cost] = []

    def ours() -> Cost:
        folder = world.folder / "news"
        shutil.rmtree(folder, ignore_errors=True)
        laptop = before.copy(folder)
        cost = laptop.worker("sync", laptop.round(urls=[url]))
        if result(cost)["news"] is not True:
            raise RuntimeError(f"there was nothing new: {result(cost)}")
        took = laptop.worker("enforce", {"op": "refresh"}, (2,))
        if result(took)["outcomes"] == {"in-force": FILES}:
            raise RuntimeError("the news were not taken")
        taken.append(took)
        return cost

    def peer() -> Cost:
        folder = world.folder / "tuf"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(old, folder)
        return _tuf(desk, url, folder)

    mine, theirs = (
        Samples.of([cost.cpu for cost in costs], 1e3) for costs in in_turns(world.rounds(9), ours, peer)
    )
    note = (
        "one policy more, signed anew; `bookbag worker sync` to a durable mirror; python-tuf fetches the"
        " same files, not durably"
    )
    root = Samples.of([cost.cpu for cost in taken[1:]], 1e3)
    peers = {"python-tuf's own client": theirs}
    return {NEWS.name: Measured(mine, peers, note), TAKE.name: Measured(root, peers)}


def _tuf(desk: Desk, url: str, folder: Path) -> Cost:
    for name in ("metadata", "targets"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    targets = ["trust.json"]
    newest = max(
        (desk.root / "published/metadata").glob("*.policy-ict.json"),
        key=lambda path: int(path.name.partition(".")[0]),
    )
    targets += json.loads(newest.read_bytes())["signed"]["targets"]
    argv = [sys.executable, str(FLOORS / "tuf_client.py"), url, str(folder)]
    argv += [str(desk.root / "published/metadata/1.root.json"), *targets]
    return run(argv, env={**os.environ, "SSL_CERT_FILE": str(desk.root / "ca.pem")})


@contextmanager
def serving(desk: Desk) -> Iterator[str]:
    """The site over https; yields its address."""
    argv = ("serve", "--host", "127.0.0.1", "--port", "0", "--admin-port", "0")
    with running(desk.spawn(*argv)) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(
                f"the service did not start: {process.stderr.read() if process.stderr else ''}"
            )
        yield str(json.loads(line)["url"])


BENCH = Bench("sync", (QUIET, NEWS, TAKE), measure)
