"""The signed order `assign`: one envelope per laptop in ``orders/NAME/assign.json``, in clear, reviewed in
git."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from agent.core import jsontext
from agent.core.clock import DAY
from agent.core.errors import BookbagError
from agent.core.ids import new_id
from agent.fleet.folder import Folder, replace
from agent.fleet.keyfile import PersonKeys
from agent.fleet.records import DeviceRecord
from agent.trust import dsse

KIND = "assign"
#: An assignment stays in force once obeyed; this is how long a laptop in a cupboard may take to hear of it.
LIFE = 730 * DAY
MOST_ORDER = 128 << 10


def order_file(folder: Folder, device: str) -> Path:
    """Where the newest assignment of a laptop lies."""
    return folder.orders / device / f"{KIND}.json"


def assign(
    folder: Folder,
    record: DeviceRecord,
    groups: Mapping[str, str | None],
    signers: Sequence[PersonKeys],
    *,
    reason: str,
    now: int,
) -> DeviceRecord:
    """Sign the assignment of an enrolled laptop and record it. Returns the laptop's new record.

    The order is written before the record: after a crash in between, the same sequence number is signed
    again, which
    replaces the order that nobody has seen.
    """
    if not (record.device and record.sign_key and record.seal_key and record.serial_sha256):
        raise BookbagError("not-found", f"cannot assign {record.name}: its keys are not known yet")
    site = folder.site()
    seq = record.seq + 1
    payload = {
        "v": 1,
        "kind": KIND,
        "id": new_id(),
        "site": site.site,
        "device": record.device,
        "serial_sha256": record.serial_sha256,
        "epoch": site.epoch,
        "slot": KIND,
        "seq": seq,
        "issued": now,
        "not_before": now,
        "expires": now + LIFE,
        "grace_s": 0,
        "args": {
            "school": groups["school"] or site.site,
            "year": groups["year"] or "",
            "class": groups["class"] or "",
            "sign_key": record.sign_key,
            "seal_key": record.seal_key,
        },
        "reason": reason,
    }
    envelope = dsse.sign(jsontext.canonical(payload), dsse.ORDER_TYPE, [one.sign for one in signers])
    folder.write(order_file(folder, record.name), pretty(envelope))
    record = replace(
        record,
        state="assigned",
        school=groups["school"],
        year=groups["year"],
        class_=groups["class"],
        seq=seq,
        assigned_by=tuple(sorted({one.id for one in signers})),
    )
    folder.save_device(record)
    return record


def pretty(envelope: bytes) -> bytes:
    """An envelope as lines, for git."""
    return jsontext.pretty(jsontext.parse(envelope, what="envelope")).encode("utf-8")


def read_order(folder: Folder, device: str) -> bytes | None:
    """The envelope of a laptop's newest assignment as signed; None if it has none. Raises
    ``bad-envelope``."""
    path = order_file(folder, device)
    if not path.exists() and not path.is_symlink():
        return None
    data = folder.read(path, most=MOST_ORDER)
    return jsontext.canonical(jsontext.parse(data, what=folder.relative(path), max_bytes=MOST_ORDER))
