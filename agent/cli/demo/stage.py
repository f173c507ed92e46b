"""The demonstration's stage: a folder with a desk, a service and a laptop, driven by their real commands."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

from agent.core.errors import BookbagError
from agent.host.background import Background
from agent.host.linux.clock import LinuxClock
from agent.host.processes import Ended, run

PEOPLE = ("ict-1", "head-1", "deputy-1")
COMMAND_SECONDS = 60.0
WAIT_SECONDS = 15.0


class Stage:
    """Paths and running parts of one demonstration below ``folder``."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.desk = f"{folder}/desk"
        self.laptop = f"{folder}/laptop"
        self.docroot = f"{self.desk}/published"
        self.port = _free_port()
        self.passphrase = os.urandom(16).hex()
        self._environment = {"BOOKBAG_PASSPHRASE": self.passphrase, "HOME": folder}
        self.service: Background | None = None
        self.agent: Background | None = None

    def __enter__(self) -> Stage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for part in (self.agent, self.service):
            if part is not None:
                part.stop()

    # -- commands, as people type them

    def fleet(self, *words: str) -> Ended:
        """`bookbag-fleet …` at the desk. Raises ``internal`` when it could not run (exit codes 1 and 64)."""
        return self._run("agent.fleet.cli.main", [words[0], "--folder", self.desk, *words[1:]])

    def begin(self, *words: str) -> Ended:
        """`bookbag-fleet init DESK …`."""
        return self._run("agent.fleet.cli.main", ["init", self.desk, *words])

    def bookbag(self, *words: str) -> Ended:
        """`bookbag … --root LAPTOP`."""
        return self._run("agent.cli.main", [words[0], "--root", self.laptop, *words[1:]])

    def try_bookbag(self, *words: str) -> None:
        """The same where it may fail: what came of it is for the judge to say."""
        with suppress(BookbagError):
            self.bookbag(*words)

    def _run(self, module: str, words: list[str]) -> Ended:
        ended = run(
            [sys.executable, "-c", f"import sys; from {module} import main; sys.exit(main())", *words],
            timeout=COMMAND_SECONDS,
            environment=self._environment,
        )
        if ended.status not in (0, 2, 4):
            raise BookbagError(
                "internal", f"cannot go on: {words[0]} said: {ended.errors.decode(errors='replace').strip()}"
            )
        return ended

    def judge(self, check: str, **arguments: object) -> tuple[bool, str]:
        """Ask the judge, a process of its own that reads the disk; (✓?, evidence)."""
        script = os.path.join(os.path.dirname(__file__), "judge.py")
        ended = run([sys.executable, "-I", script, check, json.dumps(arguments)], timeout=COMMAND_SECONDS)
        return ended.status == 0, ended.text.strip() or ended.complaint

    # -- running parts

    def open_service(self) -> None:
        """Start the school's central service and wait until it listens."""
        words = ["serve", "--folder", self.desk, "--host", "127.0.0.1", "--port", str(self.port), "--quiet"]
        self.service = self._start("agent.fleet.cli.main", words, "service.log")
        self.wait_for(self._listening, "the service does not listen")

    def start_laptop(self) -> None:
        """Start the agent on the laptop in the folder and wait for its socket."""
        self.agent = self._start("agent.cli.main", ["run", "--root", self.laptop], "laptop.log")
        self.wait_for(
            lambda: os.path.exists(f"{self.laptop}/run/bookbag/control.sock"), "the agent does not start"
        )

    def _start(self, module: str, words: list[str], log: str) -> Background:
        argv = [sys.executable, "-c", f"import sys; from {module} import main; sys.exit(main())", *words]
        return Background(argv, f"{self.folder}/{log}", self._environment)

    def _listening(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    # -- the world around

    def now(self) -> int:
        """The time as the desk has it, unix seconds."""
        return LinuxClock().wall()

    def watch(self, condition: Callable[[], bool], seconds: float) -> float | None:
        """How long it took until ``condition()`` held; None if it did not within ``seconds``."""
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > seconds:
                return None
            time.sleep(0.005)
        return time.monotonic() - began

    def on_laptop(self, path: str) -> str:
        """Where the laptop's absolute ``path`` lies."""
        return f"{self.laptop}{path}"

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file as a person with an editor would."""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)

    def wait_for(self, condition: Callable[[], bool], otherwise: str) -> None:
        """Until ``condition()`` holds. Raises ``internal`` with ``otherwise`` after WAIT_SECONDS."""
        if self.watch(condition, WAIT_SECONDS) is None:
            raise BookbagError("internal", f"cannot go on: {otherwise}", place=self.folder)


def sha256(path: str) -> str:
    """Of the file's bytes; ``""`` if it is not there."""
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
