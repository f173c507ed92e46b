"""The demonstration's stage: one folder with a desk, a service and twelve laptops, driven by their real
commands."""

from __future__ import annotations

import hashlib
import io
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from types import TracebackType

from agent.cli.demo.laptop import COMMAND_SECONDS, Laptop
from agent.core import exit_codes
from agent.core.errors import BookbagError
from agent.fleet.cli.main import main as fleet
from agent.host.background import Background
from agent.host.linux.clock import LinuxClock
from agent.host.processes import run

PEOPLE = ("ict-1", "head-1", "deputy-1")
WAIT_SECONDS = 30.0
AT_ONCE = 6  #: laptops that are asked to do something at the same time
#: Who has which laptop. `LINA`'s class has a book of its own.
CLASSES = {
    ("3", "3a"): ("amal", "bao", "chidi", "dana"),
    ("9", "9b"): ("lina", "omar"),
    ("9", "9c"): ("emre", "fatima"),
    ("11", "11a"): ("goran", "hana", "ines", "juan"),
}
LINA, OMAR = "lina", "omar"
SMALL = ("amal", LINA, OMAR)
_FLEET = (
    "import sys; from agent.fleet.cli.main import main; from agent.host.linux.clock import LinuxClock; "
    "ahead = int(sys.argv.pop(1)); sys.exit(main(now=lambda: LinuxClock().wall() + ahead))"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """What is said to have happened, and the judge's check of it with its arguments."""

    said: str
    check: str
    arguments: dict[str, object]
    shown: tuple[str, ...] = ()  #: printed below it


#: A step does things, and says after each what must now be so.
Step = Callable[["Stage", bool], Iterator[Claim]]


class Stage:
    """Paths and running parts of one demonstration below ``folder``."""

    def __init__(self, folder: str, *, small: bool = False, stays: bool = False) -> None:
        self.folder = folder
        self.stays = stays  #: whether people look around afterwards
        self.desk = f"{folder}/desk"
        self.docroot = f"{self.desk}/published"
        self.passphrase = os.urandom(16).hex()
        self.environment = {"BOOKBAG_PASSPHRASE": self.passphrase, "HOME": folder}
        os.environ.update(self.environment)
        self.laptops = {
            name: Laptop(name, f"{folder}/laptops/{name}", year, class_, self.environment)
            for (year, class_), names in CLASSES.items()
            for name in names
            if name in SMALL or not small
        }
        self.port = free_port()
        self.portal_port = free_port(2)
        self.ahead = 0  #: seconds that the desk's clock is ahead of this machine's
        self._service: Background | None = None
        self._portal: Background | None = None

    def __enter__(self) -> Stage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close_service()
        if self._portal is not None:
            self._portal.stop()
        self.everywhere(Laptop.stop)

    @property
    def lina(self) -> Laptop:
        """The laptop that most of it happens to."""
        return self.laptops[LINA]

    # -- commands, as people type them

    def fleet(self, *words: str) -> str:
        """`bookbag-fleet …` at the desk. Raises ``internal`` when it could not run (exit codes 1 and 64)."""
        return self._fleet(words[0], "--folder", self.desk, *words[1:])

    def begin(self, *words: str) -> str:
        """`bookbag-fleet init DESK …`."""
        return self._fleet("init", self.desk, *words)

    def _fleet(self, *words: str) -> str:
        """In this process, where nothing has to be loaded again; what it said. The laptops' agents and the
        service are processes of their own."""
        out, complaints = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(complaints):
            status = fleet(words, now=self.now)
        if status == exit_codes.INTERRUPTED:
            raise KeyboardInterrupt
        if status not in (0, 2, 4):
            raise BookbagError(
                "internal", f"cannot go on: bookbag-fleet {words[0]}: {complaints.getvalue().strip()}"
            )
        return out.getvalue()

    def judge(self, claim: Claim) -> tuple[bool, str]:
        """Ask the judge, a process of its own that reads the disk; (✓?, evidence)."""
        script = os.path.join(os.path.dirname(__file__), "judge.py")
        argv = [sys.executable, "-I", script, claim.check, json.dumps(claim.arguments)]
        ended = run(argv, timeout=COMMAND_SECONDS)
        return ended.status == 0, ended.text.strip() or ended.complaint

    def command(self, text: str) -> str:
        """A command line of `bookbag-fleet` for this desk, as a person can type it."""
        program, _, words = text.partition(" ")
        folder = os.path.dirname(sys.executable)
        return f"BOOKBAG_PASSPHRASE={self.passphrase} {folder}/{program} {words} -C {self.desk}"

    # -- running parts

    def everywhere(self, do: Callable[[Laptop], object], laptops: Iterable[Laptop] | None = None) -> None:
        """Do the same on all laptops, several at a time. Raises what the first that failed raised."""
        chosen = list(self.laptops.values() if laptops is None else laptops)
        with ThreadPoolExecutor(AT_ONCE) as threads:
            list(threads.map(do, chosen))

    def open_service(self) -> None:
        """Start the school's central service and wait until it listens."""
        words = ["serve", "--folder", self.desk, "--host", "127.0.0.1", "--port", str(self.port), "--quiet"]
        argv = [sys.executable, "-c", _FLEET, str(self.ahead), *words]
        self._service = Background(argv, f"{self.folder}/service.log", self.environment)
        self._service.start()
        self.wait_for(lambda: _listens(self.port), "the service does not listen")

    def close_service(self) -> None:
        """End it, as when its cable is cut (idempotent)."""
        if self._service is not None:
            self._service.stop()

    def open_portal(self) -> str:
        """Serve the pages of Lina's laptop, as systemd does on a real one; returns their address."""
        words = ["portal", "--root", self.lina.folder, "--port", str(self.portal_port), "--idle", "1h"]
        argv = [sys.executable, "-c", "import sys; from agent.cli.main import main; sys.exit(main())", *words]
        self._portal = Background(argv, f"{self.folder}/portal.log", self.environment)
        self._portal.start()
        self.wait_for(lambda: _listens(self.portal_port), "the portal does not listen")
        return f"http://127.0.0.1:{self.portal_port}"

    # -- the world around

    def now(self) -> int:
        """The time as the desk has it, unix seconds."""
        return LinuxClock().wall() + self.ahead

    def pass_time(self, seconds: int, laptop: Laptop) -> None:
        """Let the clocks of the desk and of one laptop go on by ``seconds``."""
        self.ahead += seconds
        laptop.set_clock(self.ahead)
        self.close_service()
        self.open_service()

    def watch(self, condition: Callable[[], bool], seconds: float) -> float | None:
        """How long it took until ``condition()`` held; None if it did not within ``seconds``."""
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > seconds:
                return None
            time.sleep(0.005)
        return time.monotonic() - began

    def wait_for(self, condition: Callable[[], bool], otherwise: str) -> None:
        """Until ``condition()`` holds. Raises ``internal`` with ``otherwise`` after WAIT_SECONDS."""
        if self.watch(condition, WAIT_SECONDS) is None:
            raise BookbagError("internal", f"cannot go on: {otherwise}", place=self.folder)

    def write(self, path: str, text: str) -> None:
        """Write a file of IT's folder as a person with an editor would."""
        real = f"{self.desk}/{path}"
        os.makedirs(os.path.dirname(real), exist_ok=True)
        with open(real, "w", encoding="utf-8") as file:
            file.write(text)

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace ``old`` by ``new`` in a file of IT's folder. Raises ``internal`` if it is not there."""
        with open(f"{self.desk}/{path}", encoding="utf-8") as file:
            text = file.read()
        if old not in text:
            raise BookbagError("internal", f"cannot edit: {old!r} is not in it", place=path)
        self.write(path, text.replace(old, new))


def sha256(path: str) -> str:
    """Of the file's bytes; ``""`` if it is not there."""
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return ""


def free_port(many: int = 1) -> int:
    """A port of this machine that nobody listens on; nor on the ``many`` - 1 after it."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if not any(_listens(port + more) for more in range(1, many)):
            return port


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
