"""One thread, one selector, timers that count suspended time: the resident process waits here for everything
it does.
"""

from __future__ import annotations

import heapq
import os
import selectors
import signal
import socket
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

#: The kernel's wait does not count suspended time, so a timer that fell due during a sleep is seen this late
#: at most, in seconds.
LONGEST_WAIT = 30.0


def boottime() -> float:
    """Seconds since boot, suspend included: the only time that intervals are measured in."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def chance() -> float:
    """Uniform in [0, 1): spreads load, guards nothing. (The random module would stay in memory for this.)"""
    return int.from_bytes(os.urandom(4), "big") / 2**32


class Timer:
    """One thing to be done later; `cancel` it if it is no longer wanted."""

    __slots__ = ("callback", "due", "order")

    def __init__(self, due: float, order: int, callback: Callable[[], None]) -> None:
        self.due = due
        self.order = order
        self.callback: Callable[[], None] | None = callback

    def __lt__(self, other: Timer) -> bool:
        return (self.due, self.order) < (other.due, other.order)

    def cancel(self) -> None:
        """Forget it (idempotent, also after it happened)."""
        self.callback = None


class Loop:
    """Calls back when descriptors are ready, timers are due or signals arrive, one callback at a time.

    A callback that raises is a defect: it is handed to ``on_defect`` and the loop goes on (I-3).
    """

    def __init__(self, on_defect: Callable[[BaseException], None]) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[Timer] = []
        self._order = 0
        self._running = False
        self._on_defect = on_defect
        self._signals: dict[int, Callable[[], None]] = {}
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        self.watch(self._wake_read.fileno(), self._read_signals)

    def watch(self, fd: int, callback: Callable[[], None], *, writable: bool = False) -> None:
        """Call back whenever ``fd`` is readable (or writable); replaces what was asked before for that
        descriptor.
        """
        events = selectors.EVENT_WRITE if writable else selectors.EVENT_READ
        if fd in self._selector.get_map():
            self._selector.modify(fd, events, callback)
        else:
            self._selector.register(fd, events, callback)

    def unwatch(self, fd: int) -> None:
        """Stop watching ``fd`` (idempotent); call before closing it."""
        if fd in self._selector.get_map():
            self._selector.unregister(fd)

    def after(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call back once, ``seconds`` from now."""
        self._order += 1
        timer = Timer(boottime() + max(0.0, seconds), self._order, callback)
        heapq.heappush(self._timers, timer)
        return timer

    def on_signal(self, number: int, callback: Callable[[], None]) -> None:
        """Call back in the loop, not in the handler, when signal ``number`` arrives."""
        self._signals[number] = callback
        signal.set_wakeup_fd(self._wake_write.fileno(), warn_on_full_buffer=False)
        signal.signal(number, _nothing)

    def run(self) -> None:
        """Until `stop`."""
        self._running = True
        while self._running:
            for key, _ in self._selector.select(self._wait()):
                if key.fd in self._selector.get_map():  # an earlier callback of this round may have closed it
                    self._call(key.data)
            self._run_due()

    def stop(self) -> None:
        """Make `run` return after the callback that is running now."""
        self._running = False

    def close(self) -> None:
        """Give the descriptors and signals back."""
        if self._signals:
            signal.set_wakeup_fd(-1)
            for number in self._signals:
                signal.signal(number, signal.SIG_DFL)
        self._selector.close()
        self._wake_read.close()
        self._wake_write.close()

    def _wait(self) -> float:
        while self._timers and self._timers[0].callback is None:
            heapq.heappop(self._timers)
        if not self._timers:
            return LONGEST_WAIT
        return min(LONGEST_WAIT, max(0.0, self._timers[0].due - boottime()))

    def _run_due(self) -> None:
        now = boottime()
        while self._running and self._timers and self._timers[0].due <= now:
            callback = heapq.heappop(self._timers).callback
            if callback is not None:
                self._call(callback)

    def _call(self, callback: Callable[[], None]) -> None:
        try:
            callback()
        except Exception as defect:
            self._on_defect(defect)

    def _read_signals(self) -> None:
        try:
            numbers = self._wake_read.recv(64)
        except BlockingIOError:
            return
        for number in sorted(set(numbers)):
            if number in self._signals:
                self._signals[number]()


def _nothing(number: int, frame: object) -> None:
    """Only the wake-up descriptor matters."""
