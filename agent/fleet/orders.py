"""Signed orders at the desk: one envelope per file in ``orders/NAME/``, in clear, reviewed in git.

Of kinds that share a slot the newest order is one file (``hold.json``, ``erase.json``, ``assign.json``); of
messages and cancellations each is a file of its own. What is not due any more stays as a record and is filed
no longer.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from agent.core import jsontext
from agent.core.clock import DAY
from agent.core.errors import BookbagError
from agent.core.ids import is_id, new_id
from agent.fleet.folder import Folder, replace
from agent.fleet.keyfile import PersonKeys
from agent.fleet.records import DeviceRecord
from agent.trust import dsse, floors, sessionid
from agent.trust.dsse import Envelope
from agent.trust.orders import MOST_JUMP, Draft, parse_order, worth
from agent.trust.persons import Person, TrustDocument
from agent.trust.teachers import Teacher

MOST_ORDER = 128 << 10
#: How long a laptop in a cupboard may take to hear of what stays in force once it is obeyed.
STANDING = 730 * DAY
#: How long something is called off for, whenever its target arrives.
CANCELLED = 60 * DAY


@dataclass(frozen=True, slots=True)
class Wish:
    """What persons want one laptop to do. Times in unix seconds and seconds."""

    kind: str
    args: Mapping[str, object]
    reason: str = ""
    life: int = STANDING
    grace_s: int = 0
    not_before: int = 0  #: 0: at once


@dataclass(frozen=True, slots=True)
class Signed:
    """An order that is signed and not in the folder yet. ``record``: the laptop's, once it is."""

    record: DeviceRecord
    path: Path
    envelope: bytes


@dataclass(frozen=True, slots=True)
class OrderFile:
    """One order as it lies in the folder. ``file`` is relative."""

    laptop: str
    file: str
    envelope: bytes
    draft: Draft

    @property
    def kind(self) -> str:
        """What it orders."""
        return self.draft.kind

    @property
    def id(self) -> str:
        """Its id."""
        return self.draft.order.id

    def signed_by(self, trust: TrustDocument) -> tuple[str, ...]:
        """The different persons entitled to it who signed it."""
        return _signed_by(self.draft.envelope, trust.signers(self.kind, self.draft.envelope.named))

    def counting(self, trust: TrustDocument, record: DeviceRecord, at: int) -> tuple[str, ...]:
        """Who of them counts for a laptop of that class, as the laptop will judge it."""
        signed = dataclasses.replace(self.draft.order, persons=self.signed_by(trust))
        return worth(signed, trust, record.school or "", record.class_ or "", at)

    def may_sign(self, trust: TrustDocument) -> tuple[str, ...]:
        """Who is entitled to it, whatever laptop it is for."""
        return tuple(person.id for person in trust.entitled(self.kind))


@lru_cache(maxsize=1 << 14)
def _signed_by(envelope: Envelope, entitled: tuple[Person | Teacher, ...]) -> tuple[str, ...]:
    """A school has thousands of orders, and whoever looks at them asks for each several times."""
    try:
        return dsse.count(envelope, entitled, 1).persons
    except BookbagError as error:
        if error.code not in ("bad-signature", "under-signed"):
            raise
        return ()


def file_name(kind: str, order: str) -> str:
    """What an order of ``kind`` with the id ``order`` is called below ``orders/NAME/``."""
    return f"{kind}-{order}.json" if floors.floor(kind).queue else f"{floors.slot(kind)}.json"


def counted_in(record: DeviceRecord, epoch: int) -> DeviceRecord:
    """The laptop's record with its numbers as they count in ``epoch``: in a new one they begin anew, there
    and on the laptop."""
    if record.epoch in (None, epoch):
        return replace(record, epoch=epoch)
    return replace(record, epoch=epoch, seq=0, seqs={})


def next_seq(record: DeviceRecord, kind: str) -> int:
    """The number of the laptop's next order of that kind."""
    return (record.seq if kind == "assign" else record.seqs.get(floors.slot(kind), 0)) + 1


@dataclass(frozen=True, slots=True)
class Laptop:
    """Whom an order is for."""

    device: str
    serial_sha256: str
    site: str
    epoch: int


def payload_of(laptop: Laptop, wish: Wish, seq: int, now: int) -> dict[str, object]:
    """What is signed."""
    begins = wish.not_before or now
    payload: dict[str, object] = {
        "v": 1,
        "kind": wish.kind,
        "id": new_id(),
        "site": laptop.site,
        "device": laptop.device,
        "serial_sha256": laptop.serial_sha256,
        "epoch": laptop.epoch,
        "slot": floors.slot(wish.kind),
        "seq": seq,
        "issued": now,
        "not_before": begins,
        "expires": begins + wish.life,
        "grace_s": wish.grace_s,
        "args": dict(wish.args),
        "reason": wish.reason,
    }
    if wish.kind == floors.SESSION:
        payload["id"] = sessionid.of(payload)
    return payload


def sign(
    folder: Folder, record: DeviceRecord, wish: Wish, signers: Sequence[PersonKeys], *, now: int
) -> Signed:
    """Sign an order; nothing is written. Raises ``not-found`` for a laptop whose keys are not known."""
    if not (record.device and record.sign_key and record.seal_key and record.serial_sha256):
        raise BookbagError(
            "not-found",
            f"cannot order {record.name} anything: its keys are not known",
            remedy=f"let it enrol, then: bookbag-fleet assign {record.name} …",
        )
    site = folder.site()
    laptop = Laptop(record.device, record.serial_sha256, site.site, site.epoch)
    record = counted_in(record, site.epoch)
    seq = next_seq(record, wish.kind)
    if wish.kind == floors.SESSION:  # by the time, whoever gave the one before, and with whatever number
        seq = max(seq, now, _after_session(folder, record, now))
    payload = payload_of(laptop, wish, seq, now)
    envelope = dsse.sign(jsontext.canonical(payload), dsse.ORDER_TYPE, [one.sign for one in signers])
    path = folder.orders / record.name / file_name(wish.kind, str(payload["id"]))
    return Signed(_numbered(record, wish.kind, seq), path, envelope)


def _after_session(folder: Folder, record: DeviceRecord, now: int) -> int:
    """The number after the session that lies here, which a teacher may have given at the service's door, by
    another clock; 0 if that is none to go by."""
    try:
        known = read_order(folder, record.name, floors.SESSION)
    except BookbagError:
        return 0  # what is damaged is replaced
    if known is None or known.draft.device != record.device or known.draft.epoch != record.epoch:
        return 0
    after = known.draft.order.seq + 1
    return after if after <= now + MOST_JUMP else 0


def keep(folder: Folder, given: Sequence[Signed]) -> None:
    """Put signed orders into the folder.

    The orders are written before the records: after a crash in between, the same number is given again, and
    replaces the order that nobody has seen.
    """
    folder.write_many([(one.path, _lines(one.envelope)) for one in given])
    folder.write_many([folder.device_file(one.record) for one in given])


def give(
    folder: Folder, record: DeviceRecord, wish: Wish, signers: Sequence[PersonKeys], *, now: int
) -> tuple[DeviceRecord, OrderFile]:
    """Sign an order and put it into the folder; (the laptop's new record, the order). Raises as `sign`."""
    signed = sign(folder, record, wish, signers, now=now)
    keep(folder, [signed])
    return signed.record, _opened(folder, signed.path)


def add_signature(folder: Folder, order: OrderFile, person: PersonKeys) -> OrderFile:
    """The same order with one more signature, in the folder."""
    path = folder.root / order.file
    folder.write(path, _lines(dsse.add_signature(order.envelope, person.sign)))
    return _opened(folder, path)


def read_orders(folder: Folder, laptop: str, *, assignments: bool = True) -> tuple[OrderFile, ...]:
    """All orders of a laptop, lowest number first; without its assignment if that is not asked for. Raises
    BookbagError naming the file that cannot be read."""
    box = folder.orders / laptop
    names = folder.names(box, ".json")
    names = [name for name in names if assignments or name != file_name("assign", "")]
    found = [_opened(folder, box / name) for name in names]
    return tuple(sorted(found, key=lambda one: (one.draft.slot, one.draft.order.seq)))


def read_order(folder: Folder, laptop: str, kind: str) -> OrderFile | None:
    """The newest order in the slot of ``kind``; None if there is none."""
    path = folder.orders / laptop / file_name(kind, "")
    return _opened(folder, path) if os.path.lexists(path) else None


def find(folder: Folder, order: str) -> OrderFile:
    """The order of that id, or of the laptop of that name that waits to be carried out. Raises
    ``not-found``."""
    if not is_id(order):
        found = read_order(folder, folder.device(order).name, "wipe")
        if found is not None:
            return found
        raise BookbagError(
            "not-found",
            f"cannot call anything off for {order}: nothing destructive was ordered",
            remedy="name the order's id instead; see orders/",
        )
    for record in folder.devices():
        for one in read_orders(folder, record.name):
            if one.id == order:
                return one
    raise BookbagError("not-found", f"cannot find order {order}", remedy="see orders/")


def forget(folder: Folder, laptop: str) -> None:
    """Take away all orders of a laptop that is retired."""
    box = folder.orders / laptop
    for name in (*folder.names(box, ".json"), *folder.names(box, ".sealed")):
        (box / name).unlink()


def _numbered(record: DeviceRecord, kind: str, seq: int) -> DeviceRecord:
    if kind == "assign":
        return replace(record, seq=seq)
    return replace(record, seqs={**record.seqs, floors.slot(kind): seq})


def _lines(envelope: bytes) -> bytes:
    """As lines, for git."""
    return jsontext.pretty(jsontext.parse(envelope, what="envelope")).encode("utf-8")


def _opened(folder: Folder, path: Path) -> OrderFile:
    file = folder.relative(path)

    def read(path: Path) -> OrderFile:
        data = folder.read(path, most=MOST_ORDER)
        envelope = jsontext.canonical(jsontext.parse(data, what=file, max_bytes=MOST_ORDER))
        return OrderFile(path.parent.name, file, envelope, parse_order(envelope))

    try:
        return folder.remembered(path, read)
    except BookbagError as error:
        raise BookbagError(
            error.code, error.message, place=file, remedy="restore it from git, or give the order again"
        ) from None
