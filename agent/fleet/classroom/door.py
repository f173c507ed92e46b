"""Who may come in: every question and every order of a classroom is judged here, as a laptop will, before
anything is kept."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.fleet import orders
from agent.fleet.classroom import words
from agent.fleet.classroom.rows import row_of
from agent.fleet.classroom.trusted import PublishedTrust
from agent.fleet.classroom.words import FRESH, Look, View
from agent.fleet.folder import Folder
from agent.fleet.records import DeviceRecord
from agent.trust import dsse, floors, orderargs
from agent.trust.identity import mailbox_name
from agent.trust.orders import MOST_JUMP, Draft, has_own_id, parse_order, worth
from agent.trust.persons import TrustDocument
from agent.trust.teachers import Teacher

LOOK_EVERY = 5.0  #: seconds between two looks at the folder's laptops


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


class Door:
    """Judges by the published trust and the folder's records. ``now``: unix seconds; ``heard``: when the
    laptop of a mailbox last returned a receipt (0: not that it is known)."""

    def __init__(
        self, folder: Folder, now: Callable[[], int], heard: Callable[[str], int] = lambda mailbox: 0
    ) -> None:
        self._folder = folder
        self._now = now
        self._heard = heard
        self._trust = PublishedTrust(folder)
        self._laptops: dict[str, DeviceRecord] = {}
        self._looked = float("-inf")

    def look(self, data: bytes, held: Mapping[str, tuple[str, str]]) -> tuple[str, View]:
        """(which teacher asks, what they see). ``held``: laptop → order that could not be filed, and why.
        Raises ``bad-envelope``, ``bad-signature``, ``not-allowed``, ``expired``."""
        trust, now = self._trust.read(), self._now()
        teacher, look = _asker(trust, data)
        if abs(look.at - now) > FRESH:
            raise BookbagError(
                "expired",
                f"cannot answer: the clock of your laptop and the school's, {_clock(now)}, are "
                f"{abs(look.at - now) // 60} minutes apart",
            )
        if not teacher.since <= now < teacher.until:
            raise BookbagError("not-allowed", f"cannot answer {teacher.id}: the key does not hold today")
        found = [
            record
            for record in self._known().values()
            if teacher.teaches(record.school or "", record.class_ or "")
            and look.class_ in ("", record.class_)
            and look.school in ("", record.school)
        ]
        rows = tuple(
            row_of(self._folder, one, trust, now, held.get(one.name, ("", "")), self._last(trust, one))
            for one in found[: words.MOST_ROWS]
        )
        return teacher.id, View(trust.site, trust.epoch, now, teacher.until, rows)

    def _last(self, trust: TrustDocument, record: DeviceRecord) -> int:
        return self._heard(mailbox_name(trust.site, record.device or ""))

    def take(self, data: bytes) -> tuple[Taken, ...]:
        """The orders in a request, all of them or none. Raises BookbagError."""
        trust, now = self._trust.read(), self._now()
        return tuple(self._judged(one, trust, now) for one in words.read_orders(data))

    def _judged(self, envelope: bytes, trust: TrustDocument, now: int) -> Taken:
        if len(envelope) > words.MOST_ENVELOPE:
            raise BookbagError("too-large", f"cannot take an order of {len(envelope)} bytes")
        draft = parse_order(envelope)
        teacher = _signer(trust, draft)
        record = self._known().get(draft.device)
        if record is None:
            raise BookbagError("not-found", "cannot take this order: this site has no such laptop")
        _check_place(draft, record, trust)
        _check_time(draft, now)
        draft.order = dataclasses.replace(draft.order, persons=(teacher.id,))
        if not worth(draft.order, trust, record.school or "", record.class_ or "", now):
            raise BookbagError(
                "not-allowed",
                f"cannot take it for {record.name}: that class is not {teacher.id}'s, or the key ends before",
            )
        if not has_own_id(draft):
            raise BookbagError("bad-envelope", "cannot take this order: it has an id that is not its own")
        orderargs.check(draft.order)
        clean = jsontext.canonical(jsontext.parse(envelope, what="envelope"))
        self._check_number(draft, clean, record)
        return Taken(record.name, teacher.id, clean, draft)

    def _check_number(self, draft: Draft, envelope: bytes, record: DeviceRecord) -> None:
        """It is after all that are known; the very one that is known may come again."""
        seq, known = draft.order.seq, orders.read_order(self._folder, record.name, floors.SESSION)
        if known is not None and known.envelope == envelope:
            return
        last = known.draft.order.seq if known is not None and known.draft.device == draft.device else 0
        if seq <= max(last, record.seqs.get(floors.SESSION, 0) if record.epoch == draft.epoch else 0):
            raise BookbagError("replayed", f"cannot take it for {record.name}: a newer one is there")
        if seq > draft.order.issued + MOST_JUMP:
            raise BookbagError("seq-jump", f"cannot take it for {record.name}: its number runs ahead")

    def _known(self) -> dict[str, DeviceRecord]:
        """Assigned laptops by device id, as of now or of a few seconds ago."""
        if time.monotonic() - self._looked >= LOOK_EVERY:
            self._laptops = {one.device: one for one in _laptops(self._folder) if one.device}
            self._looked = time.monotonic()
        return self._laptops


def _laptops(folder: Folder) -> list[DeviceRecord]:
    found = []
    for name in folder.stems("devices"):
        try:
            record = folder.device(name)
        except BookbagError:
            continue  # `check` names what is wrong with it
        if record.state == "assigned" and record.device and record.seal_key and record.serial_sha256:
            found.append(record)
    return found


def _asker(trust: TrustDocument, data: bytes) -> tuple[Teacher, Look]:
    envelope = dsse.parse(data)
    if envelope.payload_type != dsse.LOOK_TYPE:
        raise BookbagError("bad-envelope", "cannot answer: this is no question of a teacher's")
    return _teacher(trust, envelope), words.read_look(envelope.payload)


def _signer(trust: TrustDocument, draft: Draft) -> Teacher:
    """The one teacher who signed; nobody else's signature is taken along, and no other kind."""
    if draft.kind != floors.SESSION or draft.slot != floors.slot(floors.SESSION):
        raise BookbagError(
            "not-allowed", f"cannot take it: this is a {draft.kind}, and here come sessions only"
        )
    if trust.needed(floors.SESSION) > 1:
        raise BookbagError("under-signed", "cannot take it: this site wants more persons to sign sessions")
    return _teacher(trust, draft.envelope)


def _teacher(trust: TrustDocument, envelope: dsse.Envelope) -> Teacher:
    if len(envelope.signatures) != 1:
        raise BookbagError("bad-envelope", "cannot take it: it is signed once, by a teacher")
    theirs = [one for one in trust.teachers if any(key.hex in envelope.named for key in one.keys)]
    (name,) = dsse.count(envelope, theirs, 1).persons
    return next(one for one in theirs if one.id == name)


def _check_place(draft: Draft, record: DeviceRecord, trust: TrustDocument) -> None:
    if draft.site != trust.site:
        raise BookbagError("wrong-site", f"cannot take this order: it is of site {draft.site}")
    if draft.epoch != trust.epoch:
        raise BookbagError("wrong-epoch", f"cannot take this order: it is of epoch {draft.epoch}")
    if draft.serial_sha256 != record.serial_sha256:
        raise BookbagError("wrong-serial", f"cannot take it for {record.name}: it is for another machine")


def _check_time(draft: Draft, now: int) -> None:
    order = draft.order
    length = order.expires - order.issued
    if order.not_before != order.issued or not 0 < length <= floors.LONGEST_SESSION or order.grace_s:
        raise BookbagError("bad-envelope", "cannot take this order: its times are none of a session")
    if abs(order.issued - now) > FRESH or order.expires <= now:
        raise BookbagError("expired", "cannot take this order: it was signed at another time")


def _clock(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M} UTC"
