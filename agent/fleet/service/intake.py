"""Takes reports of laptops: OTLP over HTTP in protobuf, POST to ``/v1/logs`` and ``/v1/metrics``.

Strict where it matters to us, polite where a sender is only of another kind: what is no OTLP is 400, what is
no record of this site, or of no laptop of this site, is refused within a 200 (partial success), as the
protocol says. Nothing is stored in part: an answer of 200 means that all that was accepted is on the disk.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection

from agent.core.clock import DAY
from agent.core.errors import BookbagError
from agent.fleet.reports import ReportStore
from agent.telemetry.declaration import Signal
from agent.telemetry.otlp import answer as otlp_answer
from agent.telemetry.otlp.decode import groups
from agent.telemetry.otlp.understand import understand
from agent.telemetry.otlp.wire import Malformed
from agent.telemetry.records import records
from agent.telemetry.report import Report
from agent.web.answers import Answer, Sink
from agent.web.http import HttpError, Request

PATHS: dict[str, Signal] = {"/v1/logs": "logs", "/v1/metrics": "metrics"}
MOST_BYTES = 512 << 10  #: of one request on the line
MOST_UNPACKED = 2 << 20
BURST, REFILL = 30, 120.0  #: requests of one laptop at once; seconds that earn one more
FULL_SECONDS = 3600  #: that senders shall wait when there is no room
AHEAD = 2 * DAY  #: how far a report may be ahead of our clock
PURGE_EVERY = 3600
_PACKED = ("identity", "gzip")


class Intake:
    """Handler of both paths. ``known`` gives the installations of this site's laptops, ``now`` unix
    seconds.
    """

    def __init__(
        self, store: ReportStore, known: Callable[[], Collection[str]], now: Callable[[], int]
    ) -> None:
        self._store = store
        self._known = known
        self._now = now
        self._rates: dict[str, _Rate] = {}
        self._purged = 0

    def post(self, request: Request) -> Sink:
        """Where to put the body. Raises HttpError before a byte of it is read."""
        signal = PATHS.get(request.path)
        if signal is None:
            raise HttpError(404, "no such signal")
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        packed = request.headers.get("content-encoding", "identity").strip().lower()
        if kind != otlp_answer.CONTENT_TYPE or packed not in _PACKED:
            raise HttpError(415, f"send {otlp_answer.CONTENT_TYPE}, as it is or in gzip")
        length = request.content_length()
        if length is None:
            raise HttpError(411, "send a Content-Length")
        if length > MOST_BYTES:
            raise HttpError(413, f"a request has at most {MOST_BYTES} bytes")
        if request.headers.get("expect", "100-continue").lower() != "100-continue":
            raise HttpError(417, "only 100-continue")
        return _Upload(self, signal, packed == "gzip")

    def take(self, signal: Signal, data: bytes) -> Answer:
        """One whole request. Raises HttpError."""
        try:
            understood = understand(signal, groups(signal, data))
        except Malformed as problem:
            raise HttpError(400, f"this is no OTLP request: {problem}", keep=True) from None
        known, now = self._known(), self._now()
        accepted, refused, why = [], understood.refused, understood.why
        for report in understood.reports:
            reason = _unacceptable(report, known, now)
            if reason:
                refused += _size(report)
                why = why or reason
            else:
                accepted.append(report)
        self._keep(accepted, known, now)
        body = otlp_answer.partial(refused, why)
        return Answer(200, {"Content-Type": otlp_answer.CONTENT_TYPE}, body)

    def _keep(self, reports: list[Report], known: Collection[str], now: int) -> None:
        if not reports:
            return
        for installation in {str(report.laptop["installation"]) for report in reports}:
            wait = self._rates.setdefault(installation, _Rate()).wait(now)
            if wait:
                raise HttpError(
                    429,
                    "one laptop does not report that often",
                    keep=True,
                    headers={"Retry-After": str(wait)},
                )
        if len(self._rates) > 2 * len(known):
            self._rates = {name: rate for name, rate in self._rates.items() if name in known}
        try:
            if now - self._purged >= PURGE_EVERY:
                self._store.purge(now, known)
                self._purged = now
            self._store.add(reports, now)
        except BookbagError as problem:
            # 503, not 507: the one that senders of OTLP know to try again
            wait = FULL_SECONDS if problem.code == "disk-full" else 60
            raise HttpError(503, problem.message, keep=True, headers={"Retry-After": str(wait)}) from None


class _Rate:
    """How many requests one laptop may still send."""

    __slots__ = ("_at", "_left")

    def __init__(self) -> None:
        self._left = float(BURST)
        self._at = 0

    def wait(self, now: int) -> int:
        """Count one; the seconds to wait if it is one too many."""
        self._left = min(float(BURST), self._left + max(0, now - self._at) / REFILL)
        self._at = now
        if self._left < 1:
            return round((1 - self._left) * REFILL) + 1
        self._left -= 1
        return 0


class _Upload:
    """One body as it arrives, unpacked within its bound."""

    def __init__(self, intake: Intake, signal: Signal, packed: bool) -> None:
        self._intake = intake
        self._signal = signal
        self._unpack = zlib.decompressobj(wbits=31) if packed else None
        self._body = bytearray()

    def write(self, data: bytes) -> None:
        try:
            room = MOST_UNPACKED + 1 - len(self._body)
            self._body += data if self._unpack is None else self._unpack.decompress(data, room)
        except zlib.error:
            raise HttpError(400, "this is not gzip") from None
        if len(self._body) > MOST_UNPACKED:
            raise HttpError(413, f"a request unpacks to at most {MOST_UNPACKED} bytes")
        if self._unpack is not None and self._unpack.unused_data:
            raise HttpError(400, "something follows the gzip")

    def finish(self) -> Answer:
        if self._unpack is not None and not self._unpack.eof:
            raise HttpError(400, "the gzip is not whole", keep=True)
        return self._intake.take(self._signal, bytes(self._body))

    def abort(self) -> None:
        self._body.clear()


def _unacceptable(report: Report, known: Collection[str], now: int) -> str:
    if report.laptop["installation"] not in known:
        return "this site has no such installation"
    return "its time is ahead of ours" if report.at > now + AHEAD else ""


def _size(report: Report) -> int:
    """How many log records or data points it was."""
    return len(report.values) if records()[report.record].signal == "metrics" else 1
