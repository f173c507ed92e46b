"""The signed order `assign`: who a laptop is, and that these are its keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.fleet import orders
from agent.fleet.folder import Folder, replace
from agent.fleet.keyfile import PersonKeys
from agent.fleet.orders import Wish
from agent.fleet.records import DeviceRecord

KIND = "assign"


def assign(
    folder: Folder,
    record: DeviceRecord,
    groups: Mapping[str, str | None],
    signers: Sequence[PersonKeys],
    *,
    reason: str,
    now: int,
) -> DeviceRecord:
    """Sign the assignment of an enrolled laptop and record it. Returns the laptop's new record."""
    args = {
        "school": groups["school"] or folder.site().site,
        "year": groups["year"] or "",
        "class": groups["class"] or "",
        "sign_key": record.sign_key,
        "seal_key": record.seal_key,
    }
    # One record with its new groups and its new number: a crash leaves either both or none.
    record = replace(
        record,
        state="assigned",
        school=groups["school"],
        year=groups["year"],
        class_=groups["class"],
        assigned_by=tuple(sorted({one.id for one in signers})),
    )
    record, _ = orders.give(folder, record, Wish(KIND, args, reason), signers, now=now)
    return record
