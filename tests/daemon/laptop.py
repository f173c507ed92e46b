"""A laptop in a folder with its supervisor running as a process of its own, as on a real one."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from agent.client import Client
from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.daemon import wiring
from agent.trust.identity import mailbox_name
from tests.leaks import REPOSITORY

PATIENCE = 30.0  #: seconds; machines of two busy cores run the tests


class SandboxLaptop:
    """``bookbag run --root`` in ``folder``, started and stopped at will."""

    def __init__(self, folder: Path, tree: Path = REPOSITORY) -> None:
        """``tree``: where the `agent` package to be run lies."""
        self.folder = folder
        self.tree = tree
        self.layout = Layout(str(folder))
        self.client = Client(self.layout, seconds=60)
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder.parent / f"{folder.name}.log"

    def start(self, *, ready: bool = True, **environment: str) -> None:
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "agent", "run", "--root", str(self.folder)],
                cwd=self.tree,
                stderr=log,
                env={**os.environ, **environment},
            )
        if ready:
            until(self.answers)

    def answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"the supervisor ended: {self.log.read_text()}")
        try:
            return self.client.status().code >= 0
        except BookbagError:
            return False

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self.process = None
        return code

    def status(self) -> dict[str, Any]:
        return self.client.status().result

    def cli(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "agent", *words, "--root", str(self.folder)],
            cwd=self.tree,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def fetch(self, mirror: Path) -> None:
        """The newest word of ``mirror`` into the spool, as the sync worker brings it, and no further."""
        device = wiring.identity_of(self.layout)
        assert device is not None
        request = {
            "op": "round",
            "site": "north",
            "urls": [],
            "from": str(mirror),
            "mailbox": mailbox_name("north", device.id),
            "at": int(time.time()),
        }
        subprocess.run(
            [sys.executable, "-m", "agent", "worker", "sync", "--root", str(self.folder)],
            cwd=REPOSITORY,
            input=json.dumps(request).encode() + b"\n",
            capture_output=True,
            check=True,
            timeout=120,
        )

    def path(self, laptop_path: str) -> Path:
        return self.folder / laptop_path.lstrip("/")

    def set_clock(self, offset: int, *, synchronised: bool = False) -> None:
        """Move the laptop's wall clock by ``offset`` seconds."""
        own = self.folder / ".sandbox"
        own.mkdir(exist_ok=True)
        (own / "clock.json").write_text(json.dumps({"offset": offset, "synchronised": synchronised}))


@contextlib.contextmanager
def sandbox(tree: Path = REPOSITORY) -> Iterator[SandboxLaptop]:
    """A laptop whose folder others may enter, so that tests can come to its socket as other users."""
    top = Path(tempfile.mkdtemp(prefix="bookbag-laptop-"))
    top.chmod(0o755)
    (top / "root").mkdir()
    laptop = SandboxLaptop(top / "root", tree)
    try:
        yield laptop
    finally:
        if laptop.process is not None:
            laptop.stop(signal.SIGKILL)
        shutil.rmtree(top, ignore_errors=True)


def until(true: Callable[[], object], seconds: float = PATIENCE) -> float:
    """Wait until ``true()`` holds; returns the seconds it took, fails if it never does."""
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"not within {seconds:g} s")
        time.sleep(0.01)
    return time.monotonic() - began
