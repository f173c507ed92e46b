"""Laptops on which the agent reads a wrong clock, and nothing of it remains."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from tests.lab import clock
from tests.lab.acceptance.school import AGENT, up
from tests.lab.laptop import Laptop

CLOCKED = (AGENT, "bookbag-worker-enforce@.service", "bookbag-worker-sync@.service")
CLOCK_STATE = "/var/lib/bookbag/state/clock.json"


@contextmanager
def wrong_clock(laptop: Laptop, at: float) -> Iterator[None]:
    """In the block the agent reads the wall clock ``at`` (unix seconds). Afterwards what it persisted of time
    is put back: true time would otherwise have to catch up with it.
    """
    kept = laptop.read_bytes(CLOCK_STATE)
    when = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    for unit in CLOCKED:
        clock.set_fake_time(laptop, unit, when)
    laptop.run(["systemctl", "restart", AGENT])
    up(laptop)
    try:
        yield
        assert "cannot be preloaded" not in laptop.journal(lines=2000), "the clock was not wrong at all"
    finally:
        for unit in CLOCKED:
            clock.set_fake_time(laptop, unit, None)
        laptop.run(["systemctl", "stop", AGENT])
        written = json.loads(laptop.read_bytes(CLOCK_STATE))
        assert written["data"]["floor"] > 0
        laptop.write(CLOCK_STATE, kept, mode=0o600)
        laptop.run(["systemctl", "start", AGENT])
        up(laptop)
