"""What laptops said of themselves, put beside their names: heard when, as decided or not, locked or not, and
what about the machine needs a look.

A laptop that says nothing is shown as that. What is said is the laptop's own word, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from agent.core.clock import DAY
from agent.core.errors import BookbagError
from agent.fleet import receipts
from agent.fleet.folder import Folder
from agent.fleet.records import DeviceRecord
from agent.fleet.reports import Kept, ReportStore
from agent.telemetry.declaration import Value
from agent.trust.identity import installation_id

HEAD = ("heard", "settings", "lock", "needs a look", "receipts")
BAD = ("failed", "not-effective", "refused", "backed-off")
_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Standing:
    """One laptop as it last described itself. ``reports``: record → its newest report."""

    name: str
    installation: str
    heard: int  #: when a report last came, unix seconds; 0: never
    settings: str
    lock: str
    looks: tuple[str, ...]
    now: int
    reports: Mapping[str, Kept] = field(default_factory=dict)
    receipts: int = 0
    receipt: str = ""  #: the kind of order and the state in the newest receipt; "" without one

    def cells(self) -> tuple[str, ...]:
        """Under `HEAD`."""
        heard = span(self.now - self.heard) + " ago" if self.heard else "never"
        told = f"{self.receipts}, last {self.receipt}" if self.receipt else str(self.receipts or "")
        return heard, self.settings, self.lock, "; ".join(self.looks), told

    @property
    def needs_look(self) -> bool:
        """Whether somebody should: for the machine, for Bookbag, or for a setting that is not in force."""
        return bool(self.looks) or any(_outcomes(self.reports).get(name) for name in BAD)

    @property
    def locked(self) -> bool:
        """Whether it says that it is."""
        return "compliance" in self.reports and self.reports["compliance"].values.get("locked") is True

    def to_dict(self) -> dict[str, object]:
        """For programs: everything, as it was said."""
        return {
            "name": self.name,
            "installation": self.installation,
            "heard": self.heard or None,
            "settings": self.settings,
            "lock": self.lock,
            "looks": list(self.looks),
            "receipts": {"count": self.receipts, "last": self.receipt or None},
            "reports": {name: one.to_dict() for name, one in self.reports.items()},
        }


def standings(
    folder: Folder, devices: Iterable[DeviceRecord], store: ReportStore | None, now: int
) -> list[Standing]:
    """One for each of ``devices``, in their order."""
    devices = tuple(devices)
    told = reported(folder, devices, store, now)
    return [with_receipts(folder, device, one) for device, one in zip(devices, told, strict=True)]


def with_receipts(folder: Folder, device: DeviceRecord, standing: Standing) -> Standing:
    """The standing with what its receipts say."""
    count, last = _receipts(folder, device)
    return replace(standing, receipts=count, receipt=last)


def reported(
    folder: Folder, devices: Iterable[DeviceRecord], store: ReportStore | None, now: int
) -> list[Standing]:
    """As `standings`, without the receipts, which are files to be read."""
    site = folder.site().site
    newest = store.newest() if store is not None else {}
    found = []
    for device in devices:
        installation = installation_id(site, device.device) if device.device else ""
        reports = newest.get(installation, {}) if installation else {}
        found.append(_standing(device, installation, reports, now))
    return found


def _standing(device: DeviceRecord, installation: str, reports: Mapping[str, Kept], now: int) -> Standing:
    compliance = reports["compliance"].values if "compliance" in reports else {}
    health = reports["health"].values if "health" in reports else {}
    return Standing(
        device.name,
        installation,
        max((one.received for one in reports.values()), default=0),
        _settings(compliance),
        _lock(compliance),
        (*_machine(health), *_bookbag(compliance)),
        now,
        reports,
    )


def _outcomes(reports: Mapping[str, Kept]) -> Mapping[str, object]:
    said = reports["compliance"].values.get("outcomes") if "compliance" in reports else None
    return said if isinstance(said, dict) else {}


def _settings(said: Mapping[str, Value]) -> str:
    outcomes = said.get("outcomes")
    if not isinstance(outcomes, dict):
        return ""
    parts = [f"{outcomes.get('in-force', 0)} in force"]
    parts += [f"{count} {name}" for name, count in outcomes.items() if name in BAD]
    rows = said.get("exceptions")
    if isinstance(rows, list) and rows:
        more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
        parts.append(f"({', '.join(map(str, rows[:3]))}{more})")
    return ", ".join(parts).replace(", (", " (")


def _lock(said: Mapping[str, Value]) -> str:
    locked = said.get("locked")
    if not isinstance(locked, bool):
        return ""
    grade = said.get("lock-grade")
    return (f"locked, grade {grade}" if grade is not None else "locked") if locked else "open"


def _machine(said: Mapping[str, Value]) -> list[str]:
    """What a technician should look at."""
    looks = []
    health, free, total = (_number(said, name) for name in ("battery-health", "disk-free", "disk-total"))
    if health is not None and health < 60:
        looks.append(f"battery holds {health} %")
    if free is not None and total and (free < 4 * _GIB or free * 20 < total):
        looks.append(f"disk nearly full ({free // _GIB} GiB free)")
    heat = _number(said, "temperature")
    if heat is not None and heat >= 90:
        looks.append(f"hot ({heat} °C)")
    uptime = _number(said, "uptime")
    if said.get("restart-needed") is True and uptime is not None and uptime >= 7 * DAY:
        looks.append("a restart is overdue")
    boots = _number(said, "boots-day")
    if boots is not None and boots >= 10:
        looks.append(f"{boots} starts in a day")
    return looks


def _bookbag(said: Mapping[str, Value]) -> list[str]:
    """What somebody at the desk should look at."""
    looks = []
    age = _number(said, "word-age")
    if said.get("word-expired") is True:
        looks.append("the school's word has expired there")
    elif age is not None and age > 14 * DAY:
        looks.append(f"no news there for {age // DAY} days")
    for name, words in (
        ("recovering", "recovering: two persons must readmit it"),
        ("paused", "mending is paused"),
    ):
        if said.get(name) is True:
            looks.append(words)
    if said.get("clock") == "suspect":
        looks.append("its clock is suspect")
    failures = said.get("worker-failures")
    if isinstance(failures, dict) and failures:
        looks.append("failing: " + ", ".join(f"{name} ({count})" for name, count in failures.items()))
    if _number(said, "overdue"):
        looks.append("policies are overdue for review")
    return looks


def _number(said: Mapping[str, Value], name: str) -> int | None:
    value = said.get(name)
    return value if type(value) is int else None


def _receipts(folder: Folder, device: DeviceRecord) -> tuple[int, str]:
    """(how many receipts of this laptop lie in the folder, what the newest says), believed for its
    signature.
    """
    try:
        count, newest = receipts.newest(folder, device)
    except BookbagError:
        return 0, "not to be believed"
    return count, f"{newest.kind} {newest.state}" if newest else ""


def span(seconds: int) -> str:
    """Seconds in words, in the largest unit that fits."""
    for size, name in ((DAY, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {name}{'s' if count != 1 else ''}"
    return "moments"
