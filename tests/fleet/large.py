"""A whole school at the desk, made in moments: laptops that are assigned, have orders, and reported for days.

Written as the desk and the service write it, without a laptop that enrols: that takes each its second.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from agent.fleet import assignment, orders, receipts
from agent.fleet.folder import Folder
from agent.fleet.keyring import Keyring
from agent.fleet.passphrases import Passphrases
from agent.fleet.records import DeviceRecord
from agent.fleet.reports import ReportStore
from agent.telemetry.declaration import Value
from agent.telemetry.report import Report
from agent.trust import receipts as signed_receipts
from agent.trust.identity import DeviceIdentity, installation_id
from tests.fleet.desk import DAY, SECRET, Desk, make_desk
from tests.telemetry.samples import COMPLIANCE, HEALTH, LAPTOP

ILL: dict[str, dict[str, Value]] = {"health": {**HEALTH, "battery-health": 40}, "compliance": COMPLIANCE}
WELL: dict[str, dict[str, Value]] = {
    "health": HEALTH,
    "compliance": {"outcomes": {"in-force": 42}, "clock": "good", "locked": False, "word-age": 3600},
}
EVERY = DAY // 4  #: seconds between two reports
AT_ONCE = 2000


def make_school(root: Path, laptops: int, *, now: int, days: int = 1) -> Desk:
    """A published site with so many assigned laptops, each with reports of so many days. Every tenth needs a
    look, every twentieth reported last three weeks ago, every hundredth never; every fourth has a message
    waiting, and told of one before."""
    desk = make_desk(root, now=now)
    desk.publish()
    folder = Folder(root)
    signer = Keyring(folder, Passphrases(environ=SECRET)).person("ict-1")
    identities = [DeviceIdentity.generate() for _ in range(laptops)]
    signed = []
    for number, identity in enumerate(identities):
        record = _record(number, identity)
        wanted = {"school": "north-high", "year": str(7 + number % 4), "class": f"{7 + number % 4}a"}
        signed.append(assignment.sign(folder, record, wanted, [signer], reason="", now=now))
    orders.keep(folder, signed)
    wish = orders.Wish("message", {"text": {"en": "Bring your laptop on Monday"}}, "")
    some = [orders.sign(folder, one.record, wish, [signer], now=now) for one in signed[::4]]
    orders.keep(folder, some)
    for one, identity in zip(some, identities[::4], strict=True):
        _tell(folder, one.record.name, identity, now)
    devices = [one.id for one in identities]
    store = ReportStore(folder.reports)
    for late in (0, 21 * DAY):
        reports = _reports(devices, now - late, days, late=bool(late))
        while part := list(islice(reports, AT_ONCE)):
            store.add(part, now - late)
    store.close()
    return desk


def _record(number: int, identity: DeviceIdentity) -> DeviceRecord:
    sign_key, seal_key = identity.public
    return DeviceRecord(
        name=f"lap-{number:04}",
        state="assigned",
        token=f"{number:032x}",
        device=identity.id,
        sign_key=sign_key.hex,
        seal_key=seal_key.hex,
        serial_sha256=f"{number:064x}",
    )


def _tell(folder: Folder, name: str, identity: DeviceIdentity, now: int) -> None:
    receipt = signed_receipts.Receipt(
        *("north", identity.id, 1, signed_receipts.GENESIS, "0" * 32, "0" * 64, "message", "done", True, now),
        *("good", "b"),
    )
    receipts.keep(folder, name, receipt, signed_receipts.sign(receipt, identity), "0" * 64)


def _reports(devices: list[str], last: int, days: int, *, late: bool) -> Iterator[Report]:
    for number, device in enumerate(devices):
        if number % 100 == 2 or (number % 20 == 1) != late:
            continue
        laptop = {**LAPTOP, "installation": installation_id("north", device)}
        said = ILL if number % 10 == 0 else WELL
        for turn in range(days * 4):
            for record in ("health", "compliance"):
                id = f"{number:016x}{turn:015x}{record == 'health':x}"
                yield Report(record, id, last - turn * EVERY, "schedule", laptop, said[record])
