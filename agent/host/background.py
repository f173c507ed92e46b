"""A program that runs beside us until it is told to stop: the demonstration's service and laptop."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType

from agent.core.errors import BookbagError

STOP_SECONDS = 10.0
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Background:
    """One program in a session of its own; what it prints goes to a file."""

    def __init__(self, argv: Sequence[str], log: str, environment: Mapping[str, str] | None = None) -> None:
        """``argv``, with output appended to ``log``, not started yet."""
        self._argv = list(argv)
        self._log = log
        self._surroundings = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it. Raises ``not-found``. Whoever interrupts us meanwhile finds it started, not lost."""
        with open(self._log, "ab") as output, _uninterrupted():
            try:
                self._process = subprocess.Popen(
                    self._argv,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=self._surroundings,
                    start_new_session=True,
                )
            except OSError as error:
                raise BookbagError("not-found", f"cannot run {self._argv[0]}: {error.strerror}") from error

    def __enter__(self) -> Background:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Its process id; 0 if it was never started."""
        return self._process.pid if self._process is not None else 0

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Ask it to end, insist after STOP_SECONDS (idempotent). What it began and did not wait for ends with
        it."""
        if self._process is None or not self.running:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        self.crash()

    def crash(self) -> None:
        """End it and everything in its session without warning, as a crash would."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):  # nothing of it is left
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Signals that would raise here wait until the end: between a process's birth and the moment that we know
    its id nobody could end it."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python handles signals in the main thread alone
        return
    came: list[int] = []
    before = {one: signal.signal(one, lambda number, _: came.append(number)) for one in _ENDING}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        for number in came:
            signal.raise_signal(number)
