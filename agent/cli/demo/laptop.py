"""One of the demonstration's laptops: a folder, the agent that runs on it, and what people do to it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress

from agent.client import Client
from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.host.background import Background
from agent.host.processes import Ended, run
from agent.host.sandbox import trying

COMMAND_SECONDS = 60.0
SYNCS = 5  #: how often it is tried
#: What a sync says that came too late on a busy machine, or not at all.
LATE = frozenset({"network", "worker-died", "worker-timeout"})
PROGRAM = "import sys; from agent.cli.main import main; sys.exit(main())"


class Laptop:
    """``name``'s laptop in ``folder``, of a pupil in ``year`` and ``class_``."""

    def __init__(
        self, name: str, folder: str, year: str, class_: str, environment: Mapping[str, str]
    ) -> None:
        self.name = name
        self.folder = folder
        self.year = year
        self.class_ = class_
        self._environment = environment
        self._agent: Background | None = None

    # -- the agent

    def start(self) -> None:
        """Start the agent; it is there when its socket is."""
        os.makedirs(self.folder, exist_ok=True)
        argv = [sys.executable, "-c", PROGRAM, "run", "--root", self.folder]
        self._agent = Background(argv, f"{self.folder}.log", self._environment)
        self._agent.start()

    @property
    def listens(self) -> bool:
        """Whether the agent's socket is there."""
        return os.path.exists(self.path("/run/bookbag/control.sock"))

    def stop(self) -> None:
        """End the agent (idempotent)."""
        if self._agent is not None:
            self._agent.stop()

    def crash(self) -> None:
        """End it without warning, as when the battery is taken out."""
        if self._agent is not None:
            self._agent.crash()
        with suppress(FileNotFoundError):
            os.unlink(self.path("/run/bookbag/control.sock"))

    def restart(self) -> None:
        """Switch the machine off and on again: the agent dies, and what its start target names begins."""
        self.crash()
        trying.restart(self.folder)
        self.start()

    # -- commands

    def bookbag(self, *words: str) -> Ended:
        """`bookbag … --root LAPTOP`. Raises ``internal`` if it could not run (exit codes 1 and 64)."""
        argv = [sys.executable, "-c", PROGRAM, words[0], "--root", self.folder, *words[1:]]
        ended = run(argv, timeout=COMMAND_SECONDS, environment=self._environment)
        if ended.status not in (0, 2, 4, 6):
            raise BookbagError(
                "internal", f"cannot go on: bookbag {words[0]} on {self.name}'s laptop: {ended.complaint}"
            )
        return ended

    def sync(self) -> None:
        """Ask for news, again if that fails: on a busy machine it may come too late. What came of it is
        judged by what is on the disk."""
        for _ in range(SYNCS):
            with suppress(BookbagError):
                answer = Client(Layout(self.folder)).sync()
                if not any(error.code in LATE for error in answer.errors):
                    return
            time.sleep(0.2)

    def log_in(self) -> str:
        """Somebody with the right password tries; "" if they are in, else why not."""
        return trying.log_in(self.folder)

    # -- its disk

    def path(self, path: str) -> str:
        """Where the laptop's absolute ``path`` lies."""
        return f"{self.folder}{path}"

    def public(self, name: str) -> dict[str, object]:
        """One of the files in which the laptop says what it does; {} before there is one."""
        try:
            with open(self.path(f"/var/lib/bookbag/public/{name}.json"), encoding="utf-8") as file:
                found: dict[str, object] = json.load(file)
        except (OSError, ValueError):
            return {}
        return found

    def outbox(self) -> list[str]:
        """What waits to be delivered."""
        return os.listdir(self.path("/var/lib/bookbag/outbox"))

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file as a person with an editor would."""
        real = self.path(path)
        os.makedirs(os.path.dirname(real), exist_ok=True)
        with open(real, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(real, mode)

    def set_clock(self, ahead: int) -> None:
        """Let its clock be ``ahead`` seconds ahead of this machine's."""
        self.write("/.sandbox/clock.json", f'{{"offset": {ahead}}}\n')
