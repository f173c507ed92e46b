"""IT's desk: its folder, its commands as people type them, and the service on the school's server."""

from __future__ import annotations

import json
import secrets
import signal
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.lab import programs
from tests.lab.errors import CommandFailed, LabError
from tests.lab.network import SERVER, Network

PEOPLE = ("ict-1", "head-1", "deputy-1")
PORT = 8443
REVIEW = '"2027-08-01"'


class Desk:
    """A site with three persons. ``fleet`` is `bookbag-fleet`; what is published lies in ``folder``.

    ``ahead``: seconds by which the desk's clock is ahead of this machine's.
    """

    def __init__(
        self, folder: Path, network: Network, *, site: str = "north", profile: str = "", port: int = PORT
    ) -> None:
        self.folder = folder
        self.site = site
        self.port = port
        self.ahead = 0
        self._network = network
        self._service: subprocess.Popen[bytes] | None = None
        self.passphrase = secrets.token_hex(12)
        self._environment = programs.environment(BOOKBAG_PASSPHRASE=self.passphrase, HOME=str(folder.parent))
        people = [word for person in PEOPLE for word in ("--person", person)]
        more = ["--connectivity", profile] if profile else []
        self._run("init", str(folder), "--site", site, "--url", f"https://{SERVER}:{port}/", *people, *more)

    # -- commands

    def fleet(self, verb: str, *words: str, codes: tuple[int, ...] = (0,)) -> str:
        """`bookbag-fleet VERB …`; what it printed. Raises `CommandFailed` for a code not in ``codes``."""
        return self._run(verb, "--folder", str(self.folder), *words, codes=codes)

    def fleet_json(self, verb: str, *words: str, codes: tuple[int, ...] = (0,)) -> dict[str, Any]:
        """The same with ``--json``."""
        found: dict[str, Any] = json.loads(self.fleet(verb, *words, "--json", codes=codes))
        return found

    def _run(self, *words: str, codes: tuple[int, ...] = (0,)) -> str:
        argv = [str(Path(sys.executable).with_name("bookbag-fleet")), *words]
        if self.ahead:
            argv = [sys.executable, "-c", _AHEAD, str(self.ahead), *words]
        ended = subprocess.run(
            argv, env=self._environment, capture_output=True, text=True, check=False, timeout=120
        )
        if ended.returncode not in codes:
            raise CommandFailed(argv, ended.returncode, ended.stdout, ended.stderr)
        return ended.stdout + ended.stderr if codes != (0,) else ended.stdout

    # -- what people write

    def write(self, path: str, text: str) -> None:
        """Write a file of the folder, as a person with an editor does."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def policy(
        self,
        name: str,
        settings: Mapping[str, object] | None = None,
        *,
        resources: tuple[Mapping[str, object], ...] = (),
        applies: Mapping[str, object] | None = None,
        rank: str = "school",
        power: bool = False,
    ) -> None:
        """Write ``policies/ict/NAME.yaml`` (``power``: in power/). JSON is YAML, so values are spelled so."""
        lines = [f"policy: {name}", f"rank: {rank}", "owner: ict@north.example", f"review-by: {REVIEW}"]
        for key, value in (("applies-to", applies), ("settings", settings), ("resources", list(resources))):
            if value:
                lines.append(f"{key}: {json.dumps(value)}")
        self.write(f"{'power' if power else 'policies'}/ict/{name}.yaml", "\n".join(lines) + "\n")

    def withdraw(self, *names: str) -> None:
        """Delete policies, of either folder."""
        for name in names:
            for top in ("policies", "power"):
                (self.folder / top / "ict" / f"{name}.yaml").unlink(missing_ok=True)

    def publish(self, *persons: str) -> str:
        """`bookbag-fleet publish`, signed by these persons (or by one)."""
        words = [word for person in persons or PEOPLE[:1] for word in ("--as", person)]
        return self.fleet("publish", *words)

    # -- the service

    def open_service(self) -> None:
        """Start `bookbag-fleet serve` on the school's server and wait until it listens."""
        argv = [str(Path(sys.executable).with_name("bookbag-fleet")), "serve", "--folder", str(self.folder)]
        log = (self.folder.parent / f"{self.folder.name}-service.log").open("ab")
        with log:
            self._service = self._network.in_lab_ns(
                [*argv, "--host", SERVER, "--port", str(self.port), "--admin-port", str(self.port + 1000)],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
            )
        self.wait_until_served()

    def wait_until_served(self) -> None:
        """Until somebody listens at the service's address."""
        self._network.run([sys.executable, "-c", _LISTENS, SERVER, str(self.port)])

    def fleet_page(self) -> str:
        """The page on which IT sees the fleet, as a browser on the school's server gets it."""
        return self._network.run([sys.executable, "-c", _PAGE, str(self.port + 1000)])

    def freeze_service(self) -> None:
        """Let it stop answering, as a machine does that hangs: connections are taken and stay silent."""
        self._signal(signal.SIGSTOP)

    def thaw_service(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        if self._service is None:
            raise LabError("cannot signal the service: it is not open")
        self._service.send_signal(number)

    def close_service(self) -> None:
        """End it (idempotent)."""
        if self._service is not None:
            self._network.stop(self._service)
            self._service = None

    @property
    def published(self) -> Path:
        """The static files."""
        return self.folder / "published"


_AHEAD = textwrap.dedent("""
    import sys, time
    from agent.fleet.cli.main import main
    ahead = int(sys.argv[1])
    sys.exit(main(sys.argv[2:], now=lambda: int(time.time()) + ahead))
""")
_PAGE = """
import sys, urllib.request
with urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/", timeout=20) as page:
    sys.stdout.write(page.read().decode())
"""
_LISTENS = textwrap.dedent("""
    import socket, sys, time
    until = time.monotonic() + 20
    while True:
        try:
            socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=1).close()
            break
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
""")
