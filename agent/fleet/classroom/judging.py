"""Whether a session may be filed for a laptop: asked at the door, and once more when it is about to be filed,
for what is published, and what IT gave, may have changed while it waited."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from agent.core.errors import BookbagError
from agent.fleet import orders
from agent.fleet.folder import Folder
from agent.fleet.records import DeviceRecord
from agent.trust import dsse, floors, orderargs
from agent.trust.orders import MOST_JUMP, Draft, has_own_id, worth
from agent.trust.persons import TrustDocument
from agent.trust.teachers import Teacher


@dataclass(frozen=True, slots=True)
class Taken:
    """An order that may be filed. ``envelope`` is in the form in which mailboxes hold them."""

    laptop: str
    teacher: str
    envelope: bytes
    draft: Draft

    @property
    def id(self) -> str:
        """The order's."""
        return self.draft.order.id


def signer(trust: TrustDocument, draft: Draft) -> Teacher:
    """The one teacher who signed; nobody else's signature is taken along, and no other kind. Raises
    ``not-allowed``, ``under-signed``, ``bad-envelope``, ``bad-signature``."""
    if draft.kind != floors.SESSION or draft.slot != floors.slot(floors.SESSION):
        raise BookbagError(
            "not-allowed", f"cannot take it: this is a {draft.kind}, and here come sessions only"
        )
    if trust.needed(floors.SESSION) > 1:
        raise BookbagError("under-signed", "cannot take it: this site wants more persons to sign sessions")
    return teacher(trust, draft.envelope)


def teacher(trust: TrustDocument, envelope: dsse.Envelope) -> Teacher:
    """Whose envelope it is. Raises as `signer`."""
    if len(envelope.signatures) != 1:
        raise BookbagError("bad-envelope", "cannot take it: it is signed once, by a teacher")
    theirs = [one for one in trust.teachers if any(key.hex in envelope.named for key in one.keys)]
    (name,) = dsse.count(envelope, theirs, 1).persons
    return next(one for one in theirs if one.id == name)


def judge(
    folder: Folder, one: Taken, record: DeviceRecord, trust: TrustDocument, now: int, fresh: int
) -> None:
    """Who signed is told by `signer`; ``fresh``: how many seconds ago that may have been. Raises BookbagError
    for what the laptop would refuse, or what came too late."""
    draft = one.draft
    _check_place(draft, record, trust)
    _check_time(draft, now, fresh)
    draft.order = replace(draft.order, persons=(one.teacher,))
    if not worth(draft.order, trust, record.school or "", record.class_ or "", now):
        raise BookbagError(
            "not-allowed",
            f"cannot take it for {record.name}: that class is not {one.teacher}'s, or the key ends before",
        )
    if not has_own_id(draft):
        raise BookbagError("bad-envelope", "cannot take this order: it has an id that is not its own")
    orderargs.check(draft.order)
    _check_number(folder, draft, one.envelope, record)


def _check_place(draft: Draft, record: DeviceRecord, trust: TrustDocument) -> None:
    if draft.site != trust.site:
        raise BookbagError("wrong-site", f"cannot take this order: it is of site {draft.site}")
    if draft.epoch != trust.epoch:
        raise BookbagError("wrong-epoch", f"cannot take this order: it is of epoch {draft.epoch}")
    if draft.device != record.device:
        raise BookbagError("wrong-device", f"cannot take it for {record.name}: it was enrolled anew")
    if draft.serial_sha256 != record.serial_sha256:
        raise BookbagError("wrong-serial", f"cannot take it for {record.name}: it is for another machine")


def _check_time(draft: Draft, now: int, fresh: int) -> None:
    order = draft.order
    length = order.expires - order.issued
    if order.not_before != order.issued or not 0 < length <= floors.LONGEST_SESSION or order.grace_s:
        raise BookbagError("bad-envelope", "cannot take this order: its times are none of a session")
    if abs(order.issued - now) > fresh or order.expires <= now:
        raise BookbagError("expired", "cannot take this order: it was signed at another time")


def _check_number(folder: Folder, draft: Draft, envelope: bytes, record: DeviceRecord) -> None:
    """It is after all that are known, and counts by the time, so that a thief of a key runs ahead of nobody;
    the very one that is known may come again. What is damaged here keeps none of the others out: it is met
    once more where each is filed, or held."""
    seq, known = draft.order.seq, None
    with suppress(BookbagError):
        known = orders.read_order(folder, record.name, floors.SESSION)
    if known is not None and known.envelope == envelope:
        return
    last = known.draft.order.seq if known is not None and known.draft.device == draft.device else 0
    last = max(last, record.seqs.get(floors.SESSION, 0) if record.epoch == draft.epoch else 0)
    if seq <= last:
        raise BookbagError("replayed", f"cannot take it for {record.name}: a newer one is there")
    if seq > min(max(draft.order.issued, last + 1), draft.order.issued + MOST_JUMP):
        raise BookbagError("seq-jump", f"cannot take it for {record.name}: its number runs ahead")
