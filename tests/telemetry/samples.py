"""Reports as a laptop makes them, for tests."""

from __future__ import annotations

from agent.telemetry.declaration import Value
from agent.telemetry.report import Cause, Report

AT = 1_795_305_600
LAPTOP: dict[str, Value] = {
    "installation": "00112233445566778899aabbccddeeff",
    "agent": "0.1.0",
    "os": "debian",
    "os-version": "12",
    "arch": "x86_64",
    "class": "laptop",
}
HEALTH: dict[str, Value] = {
    "battery-level": 85,
    "battery-health": 70,
    "battery-cycles": 350,
    "disk-total": 128 << 30,
    "disk-free": 9 << 30,
    "memory-total": 8 << 30,
    "memory-available": 3 << 30,
    "cpu-day": 10,
    "boots-day": 2,
    "uptime": 3 * 86_400,
    "temperature": 55,
    "restart-needed": True,
    "sync-age": 3600,
    "outbox-size": 0,
    "reports-size": 4096,
}
COMPLIANCE: dict[str, Value] = {
    "outcomes": {"failed": 1, "in-force": 42},
    "exceptions": ["screen-lock.after not-effective"],
    "healed": ["browser.homepage 30"],
    "refusals": {"root-power": 1},
    "fingerprint": "0123456789abcdef",
    "word-age": 7200,
    "word-expired": False,
    "overdue": 0,
    "clock": "good",
    "recovering": False,
    "paused": False,
    "locked": True,
    "lock-grade": 3,
    "worker-failures": {"sync": 2},
    "content-here": 5 << 20,
    "content-missing": 0,
    "dropped": {"full": 7},
    "collectors-resting": ["battery"],
}


def report(
    record: str = "health",
    number: int = 1,
    *,
    at: int = AT,
    cause: Cause = "schedule",
    values: dict[str, Value] | None = None,
) -> Report:
    """One report; ``number`` makes its id."""
    whole = HEALTH if record == "health" else COMPLIANCE
    return Report(record, f"{number:032x}", at, cause, LAPTOP, whole if values is None else values)
