"""The signed order `assign`: who a laptop is, and that these are its keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.fleet import orders
from agent.fleet.folder import Folder, replace
from agent.fleet.keyfile import PersonKeys
from agent.fleet.orders import Signed, Wish
from agent.fleet.records import DeviceRecord

KIND = "assign"


def sign(
    folder: Folder,
    record: DeviceRecord,
    groups: Mapping[str, str | None],
    signers: Sequence[PersonKeys],
    *,
    reason: str,
    now: int,
) -> Signed:
    """Sign the assignment of an enrolled laptop; nothing is written."""
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
    return orders.sign(folder, record, Wish(KIND, args, reason), signers, now=now)


def assign(
    folder: Folder,
    record: DeviceRecord,
    groups: Mapping[str, str | None],
    signers: Sequence[PersonKeys],
    *,
    reason: str,
    now: int,
) -> DeviceRecord:
    """Sign it and put it into the folder. Returns the laptop's new record."""
    signed = sign(folder, record, groups, signers, reason=reason, now=now)
    orders.keep(folder, [signed])
    return signed.record
