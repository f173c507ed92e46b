"""A desk and laptops for tests: the real command line in a temporary folder, the real verification of a
laptop."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.core.clock import Now
from agent.fleet.cli.main import main
from agent.store.highwater import HighWaterFile
from agent.trust.device import Wanted, verify_site
from agent.trust.enrolment import EnrolFile, make_request, return_name
from agent.trust.identity import DeviceIdentity, serial_hash
from agent.trust.view import SiteView

NOW = 1_800_000_000
DAY = 86400
PASSPHRASE = "four random little words"
SECRET = {"BOOKBAG_PASSPHRASE": PASSPHRASE}
PERSONS = ("ict-1", "head-1", "ict-2")

POLICY = """\
policy: {name}
rank: school
owner: ict@north.example
review-by: "2027-08-01"
settings:
  screen-lock.after: {after}
  browser.homepage: https://north.example/
"""


@dataclass
class Ran:
    """How one run ended."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> dict[str, Any]:
        """The --json output."""
        return dict(json.loads(self.out.strip().splitlines()[-1]))


@dataclass
class Desk:
    """IT's folder and a clock that only moves by hand."""

    root: Path
    now: int = NOW
    environ: dict[str, str] = field(default_factory=lambda: dict(SECRET))

    def run(self, *argv: str, expect: int | None = 0, as_json: bool = True) -> Ran:
        """Run one verb in this process."""
        words = [*argv, *(["--json"] if as_json else [])]
        if argv[0] not in ("init", "completion"):
            words += ["--folder", str(self.root)]
        out, err = io.StringIO(), io.StringIO()
        before = dict(os.environ)
        os.environ.update(self.environ)
        try:
            with redirect_stdout(out), redirect_stderr(err):
                code = main(words, now=lambda: self.now)
        finally:
            os.environ.clear()
            os.environ.update(before)
        ran = Ran(code, out.getvalue(), err.getvalue())
        assert expect is None or code == expect, f"{argv}: {code}\n{ran.out}\n{ran.err}"
        return ran

    def spawn(self, *argv: str) -> subprocess.Popen[str]:
        """Run one verb as a process of its own, with the machine's clock."""
        return subprocess.Popen(
            [sys.executable, "-m", "agent.fleet.cli.main", *argv, "--folder", str(self.root)],
            env={**os.environ, **self.environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def policy(
        self, name: str, *, after: str = "10m", role: str = "ict", extra: str = "", power: bool = False
    ) -> Path:
        """Write a policy document."""
        path = self.root / ("power" if power else "policies") / role / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(POLICY.format(name=name, after=after) + extra)
        return path

    def publish(self, *persons: str, expect: int = 0) -> dict[str, Any]:
        """Publish as these persons."""
        return self.run("publish", *_as(persons or PERSONS[:2]), expect=expect).value

    def copy(self, root: Path) -> Desk:
        """The same desk in another folder."""
        shutil.copytree(self.root, root, symlinks=True)
        return Desk(root, self.now, dict(self.environ))


def _as(persons: tuple[str, ...]) -> list[str]:
    return [word for person in persons for word in ("--as", person)]


def make_desk(root: Path, *more: str, persons: tuple[str, ...] = PERSONS, now: int = NOW) -> Desk:
    """A new site."""
    desk = Desk(root, now)
    people = [word for person in persons for word in ("--person", person)]
    desk.run("init", str(root), "--site", "north", "--url", "https://127.0.0.1:8443/", *people, *more)
    return desk


@dataclass
class Laptop:
    """What a laptop is, as far as the desk ever meets it."""

    folder: Path
    serial: str = "PF-1234"
    identity: DeviceIdentity = field(default_factory=DeviceIdentity.generate)
    root: bytes = b""
    generations: int = 0

    def verify(self, mirror: Path, now: int) -> SiteView:
        """Verify a mirror as root on the laptop would. Raises BookbagError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        previous = str(self.folder / f"gen-{self.generations}") if self.generations else None
        wanted = Wanted(
            site="north",
            bootstrap_root=self.root,
            now=Now(now, "good", 0),
            generation=str(self.folder / f"gen-{self.generations + 1}"),
            previous=previous,
            enrolled=bool(self.generations),
            identity=self.identity,
            serial_sha256=serial_hash("north", self.serial),
        )
        view = verify_site(
            str(mirror), wanted, HighWaterFile(str(self.folder / "marks")), mirror_owner=None
        ).value
        self.generations += 1
        return view

    def lose_memory(self) -> None:
        """Its trust ledger is gone, both copies."""
        for name in ("marks", "marks.2"):
            (self.folder / name).unlink()

    def enrol(self, desk: Desk, enrol_file: Path) -> tuple[str, bytes]:
        """(name, bytes) of the return that this laptop sends for an enrol file."""
        told = EnrolFile.from_bytes(enrol_file.read_bytes())
        self.root = told.root
        view = self.verify(desk.root / "published", desk.now)
        data = make_request(self.identity, told.token, view.trust, serial_hash("north", self.serial))
        return return_name(told.token.id), data


def deliver(desk: Desk, name: str, data: bytes) -> None:
    """As if it had been uploaded."""
    (desk.root / "returns").mkdir(exist_ok=True)
    (desk.root / "returns" / name).write_bytes(data)


def enrolled(desk: Desk, folder: Path, name: str, *groups: str) -> Laptop:
    """A laptop that was invited, enrolled and assigned; publish afterwards."""
    file = Path(desk.run("device", name).value["file"])
    laptop = Laptop(folder / name, serial=f"S-{name}")
    deliver(desk, *laptop.enrol(desk, file))
    desk.run("assign", name, *groups, "--as", "ict-1")
    return laptop
