"""A laptop as its daemon would run it: a folder that survives, a trusted clock, and a process that may die at
any write.

``current`` names the generation in force. It is written after verification returned, so whoever dies before
that has accepted nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agent.core import durable
from agent.core.clock import Now, Reading, TrustedClock
from agent.core.errors import BookbagError
from agent.store.highwater import HighWaterFile
from agent.trust.device import Wanted, verify_site
from agent.trust.generation import load_generation
from agent.trust.identity import DeviceIdentity, mailbox_name, serial_hash
from agent.trust.view import SiteView
from tests.trust.evil.desk import Files

#: Calls that change what a later process finds.
EFFECTS = ("rename", "fsync", "mkdir", "unlink", "write")
LEDGER = ("high-water.json", "high-water.json.2")


class Died(BaseException):
    """The process ends here. No Exception, so that nothing in between tidies up after it."""


@dataclass(frozen=True)
class Outcome:
    """How one refresh ended: a view, a refusal, or neither because the process died. ``at``: trusted time
    then.
    """

    view: SiteView | None
    error: BookbagError | None
    now: Now

    @property
    def code(self) -> str:
        return self.error.code if self.error else ""


class Laptop:
    """Everything that it knows lies in ``folder``."""

    def __init__(self, folder: Path, identity: DeviceIdentity, root: bytes, *, site: str = "north") -> None:
        self.folder = folder
        self.identity = identity
        self.site = site
        self.root = root
        self.serial = serial_hash(site, identity.id)
        self.mailbox = mailbox_name(site, identity.id)
        self.mirror = str(folder / "mirror")
        self.clock = TrustedClock()
        self.enrolled = False
        self.lost_since = 0
        (folder / "generations").mkdir(parents=True)
        os.mkdir(self.mirror)

    @property
    def high_water(self) -> HighWaterFile:
        return HighWaterFile(str(self.folder / LEDGER[0]))

    @property
    def previous(self) -> str | None:
        """The generation in force."""
        try:
            name = (self.folder / "current").read_text()
        except FileNotFoundError:
            return None
        return str(self.folder / "generations" / name)

    def view(self) -> SiteView | None:
        """What is in force, from disk."""
        folder = self.previous
        if folder is None:
            return None
        try:
            return load_generation(folder).value
        except BookbagError:
            return None

    def marks(self) -> dict[str, int]:
        try:
            found = self.high_water.read()
        except BookbagError:
            return {}
        return dict(found[0]) if found else {}

    def has_ledger(self) -> bool:
        """Whether a copy of the ledger can be read."""
        try:
            return self.high_water.read() is not None
        except BookbagError:
            return False

    def serve(self, files: Files) -> None:
        """Let the mirror hold exactly these files."""
        shutil.rmtree(self.mirror)
        os.mkdir(self.mirror)
        for name, data in files.items():
            path = os.path.join(self.mirror, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(data)

    def wanted(self, now: Now) -> Wanted:
        old = [int(name) for name in os.listdir(self.folder / "generations")]
        return Wanted(
            site=self.site,
            bootstrap_root=self.root,
            now=now,
            generation=str(self.folder / "generations" / str(max(old, default=0) + 1)),
            previous=self.previous,
            enrolled=self.enrolled,
            identity=self.identity,
            serial_sha256=self.serial,
            lost_since=self.lost_since,
        )

    def refresh(
        self,
        reading: Reading,
        *,
        dies: int | None = None,
        owner: int | None = None,
        generation: str | None = None,
    ) -> Outcome:
        """Verify the mirror and make it what holds. ``dies``: at that change to the disk, counted from 0.
        ``generation``: a folder to write to that cannot be written; then what that raises is raised."""
        now = self.clock.read(reading)
        wanted = self.wanted(now)
        if generation is not None:
            verify_site(self.mirror, replace(wanted, generation=generation), self.high_water)
        try:
            with dying(dies):
                view = verify_site(self.mirror, wanted, self.high_water, mirror_owner=owner).value
                self._adopt(view)
        except BookbagError as error:
            return Outcome(None, error, now)
        except Died:  # perhaps just after the one rename that decides
            return Outcome(self.view() if self.previous != wanted.previous else None, None, now)
        self._prune()
        return Outcome(view, None, now)

    def _adopt(self, view: SiteView) -> None:
        self.enrolled = True
        durable.write(str(self.folder / "current"), os.path.basename(view.generation).encode())
        self.clock.believe_signed(
            view.signed_at,
            root_expires=view.root_expires,
            targets_expires=view.targets_expires,
            by=view.time_keys,
        )

    def _prune(self) -> None:
        here = self.previous
        for name in os.listdir(self.folder / "generations"):
            path = str(self.folder / "generations" / name)
            if path != here:
                shutil.rmtree(path)

    # -- what befalls it

    def lose_ledger(self, how: str, *, copies: int = 2) -> None:
        """Delete, zero, truncate or garble the high-water ledger's files."""
        for name in LEDGER[:copies]:
            path = self.folder / name
            if path.exists():
                damage(path, how)

    def lose_generations(self) -> None:
        """Everything verified is gone; who the laptop is, and that it is enrolled, is not."""
        shutil.rmtree(self.folder / "generations")
        (self.folder / "generations").mkdir()


def damage(path: Path, how: str) -> None:
    """Spoil a file."""
    if how == "delete":
        path.unlink()
        return
    data = path.read_bytes()
    spoiled = {"zero": b"", "truncate": data[: len(data) // 2], "nulls": bytes(len(data))}[how]
    path.write_bytes(spoiled)


@contextmanager
def dying(at: int | None, end: Callable[[], object] | None = None) -> Iterator[None]:
    """Let the process die just before its ``at``-th change to the disk (None: never), as `os` makes them.

    ``end`` does it (SIGKILL); by default `Died` is raised, from then on at every change.
    """
    if at is None:
        yield
        return
    left = at
    real = {name: getattr(os, name) for name in EFFECTS}

    def counted(name: str) -> Callable[..., object]:
        def call(*args: Any, **more: Any) -> object:
            nonlocal left
            if left <= 0 and not _passing(name, args):
                (end or _die)()
            left -= 1
            return real[name](*args, **more)

        return call

    try:
        for name in EFFECTS:
            setattr(os, name, counted(name))
        yield
    finally:
        for name, function in real.items():
            setattr(os, name, function)


def _die() -> None:
    raise Died


def _passing(name: str, args: tuple[Any, ...]) -> bool:
    """Clearing up the update client's throw-away cache changes nothing that is kept."""
    return name == "unlink" and bool(args) and not str(args[0]).startswith("/")
