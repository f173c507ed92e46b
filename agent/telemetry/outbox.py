"""Reports that wait to be sent: bounded in bytes, number and age. Unlike the outbox of sealed returns, this
one makes room: what is worth least goes first, the oldest of it before the others, and is counted.

A file is ``NNNNNNNNNNNN-VALUE-RECORD-ID.json``; the number grows with each arrival. So everything that
decides is in the name, and nothing of a file is read before it is sent.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from agent.core import durable
from agent.core.errors import BookbagError
from agent.store import atomic
from agent.telemetry import dropped, privacy
from agent.telemetry.records import records
from agent.telemetry.report import MAX_BYTES, Report

MOST_BYTES = 1 << 20
MOST_FILES = 400
DAY = 86_400
_NAME = re.compile(r"([0-9]{12,18})-([0-9])-([a-z-]{1,32})-([0-9a-f]{32})\.json\Z")


@dataclass(frozen=True, slots=True, order=True)
class Waiting:
    """One file, as its name tells it."""

    number: int
    value: int
    record: str
    name: str


class Outbox:
    """The reports in ``directory``, made when first needed; one writer at a time."""

    def __init__(self, directory: str, *, most_bytes: int = MOST_BYTES, most_files: int = MOST_FILES) -> None:
        self.directory = directory
        self._most_bytes = most_bytes
        self._most_files = most_files

    def put(self, report: Report) -> Counter[str]:
        """Store a report durably, making room; returns what was dropped for it, by reason.

        Raises ``not-allowed`` for what the gate refuses, ``disk-full`` when the disk itself has no room.
        """
        privacy.check(report)
        record = records()[report.record]
        atomic.make_dir(self.directory, mode=0o755)
        data = report.to_bytes()
        waiting = self.waiting()
        gone = self._room(waiting, len(data), record.value)
        if gone is None:
            return Counter({dropped.FULL: 1})  # everything that waits is worth more than this one
        self.remove(gone)
        number = max((one.number for one in waiting), default=0) + 1
        name = f"{number:012d}-{record.value}-{record.name}-{report.id}.json"
        atomic.write(f"{self.directory}/{name}", data, mode=0o644)
        return Counter({dropped.FULL: len(gone)})

    def waiting(self) -> list[Waiting]:
        """What waits, oldest first. Other files are passed over, however many there are."""
        found = []
        with atomic.named_errors("list", self.directory):
            try:
                names = os.listdir(self.directory)
            except FileNotFoundError:
                return []
        for name in names:
            match = _NAME.match(name)
            if match:
                found.append(Waiting(int(match[1]), int(match[2]), match[3], name))
        return sorted(found)

    def read(self, one: Waiting) -> Report:
        """A report that waits. Raises ``bad-json`` or its kin if it is damaged, ``not-allowed`` if the gate
        refuses it, ``not-found``.
        """
        path = f"{self.directory}/{one.name}"
        data = atomic.read(path, max_bytes=MAX_BYTES)
        if data is None:
            raise BookbagError("not-found", "cannot read this report: it is gone", place=path)
        report = Report.from_bytes(data, path)
        privacy.check(report)
        return report

    def remove(self, gone: Iterable[Waiting]) -> None:
        """Drop those (absent: no error), durably, all at once."""
        some = False
        with atomic.named_errors("remove", self.directory):
            for one in gone:
                try:
                    os.unlink(f"{self.directory}/{one.name}")
                except FileNotFoundError:
                    continue
                except (IsADirectoryError, PermissionError):  # somebody's joke; no writer of ours makes one
                    atomic.set_aside(f"{self.directory}/{one.name}")
                some = True
            if some:
                durable.sync_directory(self.directory)

    def expire(self, at: int, wanted: Iterable[str]) -> Counter[str]:
        """Drop what waited longer than its record may, and what is no longer ``wanted``; returns the
        counts.
        """
        keep = set(wanted)
        gone: list[Waiting] = []
        counts: Counter[str] = Counter()
        for one in self.waiting():
            reason = "" if one.record in keep else dropped.OFF
            if not reason:
                reason = self._too_old(one, at)
            if reason:
                gone.append(one)
                counts[reason] += 1
        self.remove(gone)
        return counts

    def size(self) -> int:
        """Bytes that wait."""
        return sum(self._size(one) for one in self.waiting())

    def _too_old(self, one: Waiting, at: int) -> str:
        try:
            report = self.read(one)
        except BookbagError as problem:
            return "" if problem.code in ("not-found", "format-too-new") else dropped.DAMAGED
        return dropped.OLD if at - report.at > records()[one.record].held_days * DAY else ""

    def _room(self, waiting: list[Waiting], length: int, value: int) -> list[Waiting] | None:
        """What to drop so that ``length`` bytes fit: nothing that is worth more than ``value``. None: no
        room.
        """
        sizes = {one: self._size(one) for one in waiting}
        used, count = sum(sizes.values()), len(waiting)
        gone: list[Waiting] = []
        for one in sorted(waiting, key=lambda one: (one.value, one.number)):
            if (used + length <= self._most_bytes and count < self._most_files) or one.value > value:
                break
            gone.append(one)
            used, count = used - sizes[one], count - 1
        return gone if used + length <= self._most_bytes and count < self._most_files else None

    def _size(self, one: Waiting) -> int:
        try:
            return os.lstat(f"{self.directory}/{one.name}").st_size
        except FileNotFoundError:
            return 0
