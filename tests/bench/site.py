"""A site with a thousand files by policy, and a laptop in a folder that is enrolled with it."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.core.layout import Layout
from agent.trust.identity import mailbox_name
from tests.bench.processes import BOOKBAG, Cost, run
from tests.fleet.desk import Desk, make_desk

FILES = 1000
FOLDER = "/usr/share/bookbag/bench"
PER_DOCUMENT = 250
HEAD = 'policy: {name}\nrank: school\nowner: ict@north.example\nreview-by: "2027-08-01"\n'


def content(number: int) -> str:
    """Fifty bytes."""
    return f"file number {number:04} of the benchmark, fifty bytes long"


@dataclass
class SandboxLaptop:
    """A laptop in ``folder`` without a supervisor: workers are run one by one, as processes."""

    folder: Path
    site: str
    device: str = ""

    @property
    def layout(self) -> Layout:
        return Layout(str(self.folder))

    def worker(self, name: str, request: Mapping[str, object], codes: tuple[int, ...] = (0,)) -> Cost:
        """One run of a worker, as the supervisor asks for it."""
        argv = [BOOKBAG, "worker", name, "--root", str(self.folder)]
        return run(argv, stdin=json.dumps(request).encode() + b"\n", codes=codes)

    def round(self, **where: object) -> dict[str, object]:
        """The request of one sync."""
        mailbox = mailbox_name(self.site, self.device)
        return {"op": "round", "site": self.site, "mailbox": mailbox, "at": 0, "whole": False, **where}

    def copy(self, folder: Path) -> SandboxLaptop:
        """The same laptop in another folder, all of it on the disk."""
        shutil.copytree(self.folder, folder, symlinks=True)
        os.sync()
        return SandboxLaptop(folder, self.site, self.device)


@dataclass
class Site:
    """``fresh``: the word taken, nothing applied yet. ``converged``: everything in force."""

    desk: Desk
    fresh: SandboxLaptop
    converged: SandboxLaptop


def result(cost: Cost) -> dict[str, object]:
    """What a worker said came out."""
    for line in reversed(cost.out.splitlines()):
        event = json.loads(line)
        if event["event"] == "result":
            return dict(event["result"])
    raise RuntimeError(f"the worker had no result: {cost.out[-300:]!r}")


def write_policies(desk: Desk) -> None:
    """A thousand files, ordinary ones, in four documents."""
    for first in range(0, FILES, PER_DOCUMENT):
        lines = [HEAD.format(name=f"files-{first}") + "resources:"]
        for number in range(first, first + PER_DOCUMENT):
            lines.append(f'  - file: {{path: {FOLDER}/{number:04}, content: "{content(number)}"}}')
        path = desk.root / f"policies/ict/files-{first}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n")


def make_site(folder: Path) -> Site:
    """Everything through the real commands and workers. Raises RuntimeError and AssertionError."""
    folder.mkdir(parents=True)
    desk = make_desk(folder / "desk", now=int(time.time()))
    write_policies(desk)
    desk.publish()
    invitation = Path(desk.run("device", "lap-1").value["file"])
    fresh = SandboxLaptop(folder / "fresh", "north")
    fresh.folder.mkdir()
    enrolled = result(fresh.worker("enrol", {"file": invitation.read_text()}))
    fresh.device = str(enrolled["device"])
    fresh.worker("sync", fresh.round(**{"from": str(desk.root / "published")}))
    # Paused, a laptop takes the word and leaves everything else for later.
    fresh.worker("enforce", {"op": "pause", "seconds": 3600, "reason": "benchmark", "uid": 0}, (0, 2))
    fresh.worker("enforce", {"op": "refresh"}, (0, 2))
    converged = fresh.copy(folder / "converged")
    converged.worker("enforce", {"op": "resume", "uid": 0}, (2,))
    # A copied mirror is another one, so far as it can tell; having looked at it once, an audit may be lean.
    converged.worker("enforce", {"op": "refresh"})
    there = len(os.listdir(f"{converged.folder}{FOLDER}"))
    if there != FILES or os.path.exists(f"{fresh.folder}{FOLDER}"):
        raise RuntimeError(f"the laptops are not as they should be: {there} files")
    return Site(desk, fresh, converged)
