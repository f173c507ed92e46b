"""SIGTERM and SIGINT end a loop, in the way it ends by itself."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

from agent.web.loop import Loop


@contextlib.contextmanager
def stopping(loop: Loop) -> Iterator[list[int]]:
    """Within it SIGTERM and SIGINT stop ``loop``; what they did before is put back. Yields the numbers of
    those that came."""
    received: list[int] = []

    def stop(number: int, frame: object) -> None:
        received.append(number)
        loop.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
