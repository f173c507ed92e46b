"""One laptop as a teacher sees it: what its newest session is, and nothing of its use."""

from __future__ import annotations

from agent.core.errors import BookbagError
from agent.fleet import orders, sessions
from agent.fleet.classroom.words import Row, cut
from agent.fleet.folder import Folder
from agent.fleet.records import DeviceRecord
from agent.trust import floors
from agent.trust.persons import TrustDocument


def row_of(
    folder: Folder,
    record: DeviceRecord,
    trust: TrustDocument,
    now: int,
    held: tuple[str, str],
    heard: int,
) -> Row:
    """``held``: an order that could not be filed, and why; ``heard``: when the laptop last returned a
    receipt."""
    row = Row(
        record.name,
        record.device or "",
        record.serial_sha256 or "",
        record.class_ or "",
        seq=record.seqs.get(floors.SESSION, 0),
        held=held[0],
        why=cut(held[1]),
    )
    try:
        order = orders.read_order(folder, record.name, floors.SESSION)
    except BookbagError:
        return row  # `check` names what is wrong with it
    if order is None or order.draft.device != record.device:
        return row
    try:
        stands = sessions.stand(folder, record, trust, now)
    except BookbagError:  # a receipt that cannot be read: that the order is published holds all the same
        stands = sessions.on(record, order, trust, now)
    return Row(
        row.name,
        row.device,
        row.serial_sha256,
        row.class_,
        order.id,
        max(row.seq, order.draft.order.seq),
        stands.timetable,
        stands.until,
        stands.by[:200],
        stands.state,
        row.held,
        row.why,
        order.draft.order.issued,
        heard if heard >= order.draft.order.issued else 0,
    )
