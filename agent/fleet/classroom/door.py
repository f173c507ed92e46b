"""Who may come in: every question and every order of a classroom is judged here, as a laptop will, before
anything is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.fleet.classroom import judging, words
from agent.fleet.classroom.judging import Taken
from agent.fleet.classroom.rows import row_of
from agent.fleet.classroom.trusted import PublishedTrust
from agent.fleet.classroom.words import FRESH, Look, View
from agent.fleet.folder import Folder
from agent.fleet.records import DeviceRecord
from agent.trust import dsse
from agent.trust.identity import mailbox_name
from agent.trust.orders import parse_order
from agent.trust.persons import TrustDocument
from agent.trust.teachers import Teacher

LOOK_EVERY = 5.0  #: seconds between two looks at the folder's laptops


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

    def look(
        self,
        data: bytes,
        held: Mapping[str, tuple[str, str]],
        signed: Callable[[str], None] = lambda teacher: None,
    ) -> View:
        """What whoever asks sees. ``held``: laptop → order that could not be filed, and why; ``signed`` is
        told which teacher it is before anything is looked up. Raises ``bad-envelope``, ``bad-signature``,
        ``not-allowed``, ``expired``, and what ``signed`` raises."""
        trust, now = self._trust.read(), self._now()
        teacher, look = _asker(trust, data)
        signed(teacher.id)
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
        return View(trust.site, trust.epoch, now, teacher.until, rows)

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
        teacher = judging.signer(trust, draft)  # before anything is said of laptops
        record = self._known().get(draft.device)
        if record is None:
            raise BookbagError("not-found", "cannot take this order: this site has no such laptop")
        clean = jsontext.canonical(jsontext.parse(envelope, what="envelope"))
        taken = Taken(record.name, teacher.id, clean, draft)
        judging.judge(self._folder, taken, record, trust, now, FRESH)
        return taken

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
    return judging.teacher(trust, envelope), words.read_look(envelope.payload)


def _clock(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M} UTC"
