"""A whole list of laptops assigned in one go: those whose enrolment came back and holds.

Some hundred at a time, each step of all of them before the next: unlock keys, orders, records, and last their
requests are dealt with. So wherever the desk's machine dies, the same list goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.core.errors import BookbagError
from agent.fleet import assignment, groups, orders
from agent.fleet.enrolments import Enrolments, escrow_files, is_waiting, not_back, settle
from agent.fleet.folder import Folder
from agent.fleet.keyfile import PersonKeys
from agent.fleet.laptoplist import Row
from agent.fleet.orders import Signed
from agent.fleet.records import DeviceRecord
from agent.trust.enrolment import EnrolRequest
from agent.trust.identity import serial_hash

AT_ONCE = 100  #: laptops
State = Literal["assigned", "same", "waiting", "refused"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one row. ``same``: nothing to do, it was assigned like this already."""

    row: Row
    state: State
    groups: Mapping[str, str | None]
    error: BookbagError | None = None


@dataclass(frozen=True, slots=True)
class _Decided:
    """An answer, and what has to be written for it."""

    answer: Answer
    record: DeviceRecord | None = None
    request: EnrolRequest | None = None
    signed: Signed | None = None


class RollCall:
    """Assigns the rows of a list, signed by the same persons for the same reason."""

    def __init__(
        self, folder: Folder, enrolments: Enrolments, signers: Sequence[PersonKeys], *, reason: str, now: int
    ) -> None:
        self._folder = folder
        self._enrolments = enrolments
        self._signers = signers
        self._reason = reason
        self._now = now
        self._site = folder.site()

    def call(self, rows: Sequence[Row], step: Callable[[int], None]) -> Iterator[Answer]:
        """An answer for each row, as soon as what belongs to it is on the disk. ``step`` hears how many more
        rows were looked at."""
        for start in range(0, len(rows), AT_ONCE):
            decided = []
            for row in rows[start : start + AT_ONCE]:
                decided.append(self._decide(row))
                step(1)
            self._keep(decided)
            yield from (one.answer for one in decided)

    def _keep(self, decided: Sequence[_Decided]) -> None:
        folder = self._folder
        escrow = [
            file
            for one in decided
            if one.record and one.request
            for file in escrow_files(folder, one.record.name, one.request)
        ]
        folder.write_many(escrow)
        orders.keep(folder, [one.signed for one in decided if one.signed])
        settle(folder, [one.record for one in decided if one.record])

    def _decide(self, row: Row) -> _Decided:
        wanted: Mapping[str, str | None] = {}
        try:
            record = self._folder.known_device(row.name)
            if record is None:
                raise BookbagError(
                    "not-found",
                    f"cannot assign {row.name}: no enrol file was ever made for it",
                    remedy="is the name right? else, with this list: bookbag-fleet device --list",
                )
            wanted = groups.merged(row.groups, self._site, record)
            if is_waiting(self._folder, record):
                pending = self._enrolments.read(record, serial=row.serial)
                if pending.request is None:
                    return _Decided(Answer(row, "refused", wanted, pending.error))
                return self._enrolled(row, record, pending.request, wanted)
            if record.state != "assigned":
                return _Decided(Answer(row, "waiting", wanted, not_back(record)))
            self._check_serial(row, record)
            return self._assign(row, record, wanted)
        except BookbagError as error:
            return _Decided(Answer(row, "refused", wanted, error))

    def _enrolled(
        self, row: Row, record: DeviceRecord, request: EnrolRequest, wanted: Mapping[str, str | None]
    ) -> _Decided:
        """It came back. If all was recorded before the last run died, only its request is left to deal
        with."""
        now = self._enrolments.take(record, request)
        if now == record:
            return self._assign(row, record, wanted)
        signed = self._sign(now, wanted)
        return _Decided(Answer(row, "assigned", wanted), signed.record, request, signed)

    def _assign(self, row: Row, record: DeviceRecord, wanted: Mapping[str, str | None]) -> _Decided:
        if groups.of(record) == wanted and self._holds(record):
            return _Decided(Answer(row, "same", wanted), record)
        signed = self._sign(record, wanted)
        return _Decided(Answer(row, "assigned", wanted), signed.record, None, signed)

    def _sign(self, record: DeviceRecord, wanted: Mapping[str, str | None]) -> Signed:
        return assignment.sign(
            self._folder, record, wanted, self._signers, reason=self._reason, now=self._now
        )

    def _holds(self, record: DeviceRecord) -> bool:
        """Whether its signed assignment would be filed: for these keys, of this epoch, with half of its time
        left."""
        found = orders.read_order(self._folder, record.name, assignment.KIND)
        if found is None or found.draft.device != record.device:
            return False
        order = found.draft.order
        return found.draft.epoch == self._site.epoch and order.expires - self._now > orders.STANDING // 2

    def _check_serial(self, row: Row, record: DeviceRecord) -> None:
        if row.serial and serial_hash(self._site.site, row.serial) != record.serial_sha256:
            raise BookbagError(
                "wrong-serial",
                f"cannot assign {record.name}: it has another serial number than the list says",
                remedy="correct the list; if the machine was replaced: bookbag-fleet device " + record.name,
            )
