"""Delivers reports to a receiver that speaks OTLP/HTTP: in batches, at least once each, and gives up when
told to.

==============================================  ====================================================
the receiver                                    the reports
==============================================  ====================================================
is not reached, does not answer in HTTP         wait; back off
answers 429, 502, 503, 504                      wait; back off, at least as long as Retry-After says
points elsewhere (3xx), wants a sign-in (511),  wait: that was no receiver. Nothing is followed
or gives a web page
answers 400 or 415 to what was packed           are sent again as they are: some do not unpack
answers 413                                     are sent again in two halves, once; then are gone
takes them, but not all (partial success)       those are gone
answers 400 or anything else                    are gone; after anything but 400 this round ends
takes them (200, 202, 204)                      are gone, as they should
==============================================  ====================================================

What is gone without being taken is counted; the next report and the student's own page tell the counts.
Before the first byte of a request leaves, the connection stands and the receiver has proven who it is.
"""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.core.errors import BookbagError
from agent.sync.ports import Posted, Poster
from agent.sync.source import SourceFailed
from agent.telemetry import dropped
from agent.telemetry.declaration import Signal
from agent.telemetry.memory import MemoryFile
from agent.telemetry.otlp import answer as otlp_answer
from agent.telemetry.otlp import encode
from agent.telemetry.otlp.wire import Malformed
from agent.telemetry.outbox import Outbox, Waiting
from agent.telemetry.records import records
from agent.telemetry.report import Report
from agent.telemetry.sent import Sent

MOST_BYTES = 100 << 10  #: of one request, before compression
MOST_REQUESTS = 20  #: of one round
TRANSIENT = frozenset({429, 502, 503, 504})
TAKEN = frozenset({200, 202, 204})
SIGNALS: tuple[Signal, ...] = ("logs", "metrics")
_NO_RECEIVER = "a sign-in page of this network may be in the way, or `telemetry-url` is no OTLP receiver"


@dataclass(slots=True)
class Delivery:
    """What came of a round: ``taken`` reports, ``gone`` by reason, and why some wait (None: none does)."""

    taken: int = 0
    requests: int = 0
    bytes: int = 0  #: on the line, bodies only
    gone: Counter[str] = field(default_factory=Counter)
    error: SourceFailed | None = None


class _Wait(Exception):
    """Stop here; the rest waits for a better day."""

    def __init__(self, problem: SourceFailed) -> None:
        super().__init__(problem.message)
        self.problem = problem


class Deliverer:
    """Sends what waits in ``outbox`` to ``receiver``; ``at``: trusted time, for the student's entries."""

    def __init__(self, receiver: Poster, outbox: Outbox, sent: Sent, memory: MemoryFile, at: int) -> None:
        self._receiver = receiver
        self._outbox = outbox
        self._sent = sent
        self._memory = memory
        self._at = at
        self._packs = True  #: until it shows that it cannot unpack
        self._this = Delivery()

    def run(self) -> Delivery:
        """One round, as far as it gets."""
        try:
            for signal in SIGNALS:
                for batch in self._batches(signal):
                    if self._this.requests >= MOST_REQUESTS:
                        return self._this
                    self._send(signal, batch, split=True)
        except _Wait as wait:
            self._this.error = wait.problem
        return self._this

    def _batches(self, signal: Signal) -> list[list[tuple[Waiting, Report]]]:
        """What waits, oldest first, in requests of MOST_BYTES, each of one installation: this laptop may have
        enrolled anew. What is damaged is dropped here.
        """
        batches: list[list[tuple[Waiting, Report]]] = []
        size = MOST_BYTES
        for one in self._outbox.waiting():
            record = records().get(one.record)
            if record is None or record.signal != signal:
                continue
            report = self._read(one)
            if report is None:
                continue
            length = len(encode.request(signal, [report]))
            if size + length > MOST_BYTES or _whose(batches[-1][-1][1]) != _whose(report):
                batches.append([])
                size = 0
            batches[-1].append((one, report))
            size += length
        return batches

    def _read(self, one: Waiting) -> Report | None:
        try:
            return self._outbox.read(one)
        except BookbagError as problem:
            if problem.code in ("bad-json", "bad-path", "too-large", "not-allowed"):
                reason = dropped.WITHHELD if problem.code == "not-allowed" else dropped.DAMAGED
                self._drop([one], reason)
            return None

    def _send(self, signal: Signal, batch: Sequence[tuple[Waiting, Report]], *, split: bool) -> None:
        """One request. The order of steps is what makes it "at least once": taken first, dropped here
        after.
        """
        body = encode.request(signal, [report for _, report in batch])
        line = gzip.compress(body, mtime=0) if self._packs else body
        try:
            self._receiver.connect()
        except SourceFailed as problem:
            raise _Wait(problem) from None
        where = {
            "at": self._at,
            "url": f"{self._receiver.name.rstrip('/')}/v1/{signal}",
            "line-bytes": len(line),
        }
        number = self._sent.begin(signal, body, where)
        self._this.requests += 1
        self._this.bytes += len(line)
        headers = {
            "Content-Type": otlp_answer.CONTENT_TYPE,
            "Accept": otlp_answer.CONTENT_TYPE,
            otlp_answer.INSTALLATION: _whose(batch[0][1]),
        }
        if self._packs:
            headers["Content-Encoding"] = "gzip"
        try:
            posted = self._receiver.post(f"v1/{signal}", headers, line, otlp_answer.MAX_BYTES)
        except SourceFailed as problem:
            self._sent.finish(number, f"no answer came: {problem.message}")
            raise _Wait(problem) from None
        self._judge(signal, batch, posted, number, split=split)

    def _judge(
        self,
        signal: Signal,
        batch: Sequence[tuple[Waiting, Report]],
        posted: Posted,
        number: int,
        *,
        split: bool,
    ) -> None:
        status = posted.status
        if status in TAKEN and _is_receiver(posted):
            self._took(batch, posted, number)
            return
        if status in TRANSIENT or not _is_receiver(posted):
            self._sent.finish(number, f"not taken ({status}); tried again later")
            raise _Wait(self._failed(posted))
        if status in (400, 415) and self._packs:
            self._packs = False
            self._sent.finish(number, f"not understood when packed ({status}); sent again as it is")
            self._send(signal, batch, split=split)
            return
        if status == 413 and split and len(batch) > 1:
            self._sent.finish(number, "too large for the receiver (413); sent in two halves")
            half = len(batch) // 2
            self._send(signal, batch[:half], split=False)
            self._send(signal, batch[half:], split=False)
            return
        self._sent.finish(number, f"refused for good ({status}): {len(batch)} dropped")
        self._drop([one for one, _ in batch], dropped.REFUSED)
        if status not in (400, 413):
            raise _Wait(self._failed(posted))

    def _took(self, batch: Sequence[tuple[Waiting, Report]], posted: Posted, number: int) -> None:
        try:
            rejected, why = otlp_answer.read(posted.body)
        except Malformed:
            self._sent.finish(number, "taken, with an answer that cannot be read")
            rejected, why = 0, ""
        else:
            words = f"; not taken: {rejected} ({why[:200]})" if rejected else ""
            self._sent.finish(number, f"taken ({posted.status}){words}")
        lost = min(len(batch), rejected)
        self._this.taken += len(batch) - lost
        self._drop([one for one, _ in batch], dropped.REJECTED, count=lost)

    def _drop(self, gone: Sequence[Waiting], reason: str, *, count: int | None = None) -> None:
        number = len(gone) if count is None else count
        if number:
            self._this.gone[reason] += number
            self._memory.lose({reason: number})
        self._outbox.remove(gone)

    def _failed(self, posted: Posted) -> SourceFailed:
        known = _is_receiver(posted)
        return SourceFailed(
            f"cannot deliver reports: the receiver answered {posted.status}"
            if known
            else f"cannot deliver reports: what answered ({posted.status}) is no receiver",
            place=self._receiver.name,
            remedy="" if known else _NO_RECEIVER,
            answered=True,
            retry_after=posted.retry_after,
        )


def _whose(report: Report) -> str:
    return str(report.laptop["installation"])


def _is_receiver(posted: Posted) -> bool:
    """Whether the answer can be a receiver's: not a page, not a sign that points elsewhere."""
    status = posted.status
    if status == 413:
        return True  # whatever stands in front of the receiver says so in its own words
    if 300 <= status < 400 or status == 511 or posted.kind == "text/html":
        return False
    if status not in TAKEN:
        return True
    return posted.whole and (not posted.body or posted.kind == otlp_answer.CONTENT_TYPE)
