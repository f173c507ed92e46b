"""The school's network: a bridge in a network namespace of the lab, and the programs that serve on it.

Nothing is routed: neither the laptops nor the servers reach the machine that runs the lab or anything beyond
it, and the machine's own network is not touched. Every run has its own namespace, so runs side by side may
use one address plan.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tests.lab import cgroups, programs
from tests.lab.errors import LabError

#: The plan: one /24. The server is .1, further servers .2 to .9, laptops .11 and up as they are made.
SERVER = "10.77.0.1"
PREFIX = 24
BRIDGE = "school"
#: Where a laptop hangs whose cable is out already when it boots; nobody else is there.
NOWHERE = "nowhere"
NAMES = Path("/run/netns")


def laptop_address(number: int) -> str:
    """The address of the n-th laptop, from 1. Raises `LabError` beyond 200."""
    if not 1 <= number <= 200:
        raise LabError(f"cannot place laptop {number}: the address plan has 200")
    return f"10.77.0.{10 + number}"


class Network:
    """One lab network. ``server`` is the address on which programs started by `in_lab_ns` may listen."""

    server = SERVER

    def __init__(self, identifier: str) -> None:
        self.name = namespace_name(identifier)
        self._group = cgroups.Group(f"{cgroups.of_lab(identifier).name}/servers")
        self._started: list[subprocess.Popen[bytes]] = []

    def build(self) -> None:
        """Make the namespace and its bridges. Raises `CommandFailed`."""
        self._group.make()
        programs.run(["ip", "netns", "add", self.name])
        self._ip("link", "set", "lo", "up")
        for number, bridge in enumerate((BRIDGE, NOWHERE), start=1):
            # An address of its own: else it has that of a laptop, and another one when that laptop goes.
            own = ("address", f"02:00:00:00:00:0{number}")
            self._ip("link", "add", bridge, *own, "type", "bridge", "forward_delay", "0")
            self._ip("link", "set", bridge, "up")
        self.add_server(SERVER)

    def add_server(self, address: str) -> None:
        """Give the server one more address, for a second host or a neighbour that is no laptop."""
        self._ip("addr", "add", f"{address}/{PREFIX}", "dev", BRIDGE)

    def connect(self, device: str, up: bool) -> None:
        """Put the cable behind ``device``, a laptop's end in this namespace, in or out."""
        if up:
            self._ip("link", "set", device, "master", BRIDGE)
        self._ip("link", "set", device, "up" if up else "down")

    def entered(self, argv: Sequence[str]) -> list[str]:
        """The command line that runs ``argv`` in this namespace (files and processes stay the machine's)."""
        return ["nsenter", f"--net={NAMES / self.name}", "--", *argv]

    def in_lab_ns(
        self,
        argv: Sequence[str],
        *,
        stdin: int | IO[Any] | None = subprocess.DEVNULL,
        stdout: int | IO[Any] | None = None,
        stderr: int | IO[Any] | None = None,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a program of this machine on the lab's network, as a server would run on the school's.

        The caller stops it (`stop`); what a test forgets dies with the lab.
        """
        process = subprocess.Popen(
            self._group.entered(self.entered(argv)),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=cwd,
            env=env,
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def run(self, argv: Sequence[str], *, timeout: float = 60) -> str:
        """Run a program of this machine on the lab's network to its end; returns what it printed."""
        return programs.run(self.entered(argv), timeout=timeout)

    def serve_folder(self, folder: Path, port: int = 80, address: str = SERVER) -> subprocess.Popen[bytes]:
        """Serve a folder by HTTP on the lab's network, until stopped."""
        command = [
            sys.executable,
            "-m",
            "http.server",
            "--bind",
            address,
            "--directory",
            str(folder),
            str(port),
        ]
        return self.in_lab_ns(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self, process: subprocess.Popen[bytes], timeout: float = 5) -> int:
        """End a program of `in_lab_ns`, politely first; its exit code. Its pipes are closed."""
        process.terminate()
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        if process in self._started:
            self._started.remove(process)
        return process.returncode

    @contextmanager
    def forgetful(self) -> Iterator[None]:
        """Whatever is started in the block and still runs at its end is stopped; what ran before goes on."""
        before = list(self._started)
        try:
            yield
        finally:
            for process in [one for one in self._started if one not in before]:
                self.stop(process)

    def stop_all(self) -> None:
        """Kill every program that was started here."""
        self._group.kill()
        for process in list(self._started):
            self.stop(process)

    def _ip(self, *words: str) -> str:
        return programs.run(["ip", "-netns", self.name, *words])


def namespace_name(identifier: str) -> str:
    """The name of a run's network namespace, as `ip netns` lists it."""
    return f"{cgroups.PREFIX}{identifier}"


def remove_namespace(identifier: str) -> None:
    """Remove a run's namespace with all devices in it. No process may be in it any more."""
    if (NAMES / namespace_name(identifier)).exists():
        programs.run(["ip", "netns", "delete", namespace_name(identifier)])
