"""A program that runs beside us until it is told to stop: the demonstration's service and laptop."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType

from agent.core.errors import BookbagError

STOP_SECONDS = 10.0


class Background:
    """One running program in a session of its own; what it prints goes to a file."""

    def __init__(self, argv: Sequence[str], log: str, environment: Mapping[str, str] | None = None) -> None:
        """Start ``argv`` with output appended to ``log``. Raises ``not-found``."""
        self._argv = list(argv)
        surroundings = {**os.environ, **(environment or {})}
        with open(log, "ab") as output:
            try:
                self._process = subprocess.Popen(
                    self._argv,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=surroundings,
                    start_new_session=True,
                )
            except OSError as error:
                raise BookbagError("not-found", f"cannot run {argv[0]}: {error.strerror}") from error

    def __enter__(self) -> Background:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Ask it to end, insist after STOP_SECONDS (idempotent). What it began and did not wait for ends with
        it."""
        if not self.running:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        self.crash()

    def crash(self) -> None:
        """End it and everything in its session without warning, as a crash would."""
        with suppress(ProcessLookupError):  # nothing of it is left
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
