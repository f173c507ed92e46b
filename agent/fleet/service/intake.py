"""Takes reports of laptops: OTLP over HTTP in protobuf, POST to ``/v1/logs`` and ``/v1/metrics``.

Strict where it matters to us, polite where a sender is only of another kind: what is no OTLP is 400, what is
no record of this site, or of no laptop of this site, is refused within a 200 (partial success), as the
protocol says. Nothing is stored in part: an answer of 200 means that all that was accepted is on the disk.

Who sends must say in a header whose reports they are. It proves nothing, but it is cheap to look up, so
whoever knows no installation of this site makes this service read, unpack and decode nothing at all.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Hashable

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
from agent.web.bodies import Body, Room
from agent.web.crowd import address
from agent.web.http import HttpError, Request
from agent.web.rates import Rates

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
        self,
        store: ReportStore,
        known: Callable[[], Collection[str]],
        now: Callable[[], int],
        room: Room | None = None,
    ) -> None:
        self._store = store
        self._known = known
        self._now = now
        self._room = room or Room()
        self._rates = Rates(BURST, REFILL)
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
        installation = request.headers.get(otlp_answer.INSTALLATION.lower(), "")
        if not installation:
            raise HttpError(400, f"say in a header {otlp_answer.INSTALLATION} whose reports these are")
        if installation not in self._known():
            raise HttpError(403, "this site has no such installation")
        self._count(installation, address(request.ends))
        return _Upload(self, signal, installation, packed == "gzip", Body(self._room))

    def _count(self, installation: str, sender: Hashable) -> None:
        """Count one request. By sender, too: whoever claims to be a laptop uses up nobody's rate but that of
        their own address. Raises HttpError 429.
        """
        wait = self._rates.wait((installation, sender), self._now())
        if wait:
            raise HttpError(429, "one laptop does not report that often", headers={"Retry-After": str(wait)})

    def take(self, signal: Signal, installation: str, data: bytes) -> Answer:
        """One whole request with reports of ``installation``. Raises HttpError."""
        try:
            understood = understand(signal, groups(signal, data))
        except Malformed as problem:
            raise HttpError(400, f"this is no OTLP request: {problem}", keep=True) from None
        now = self._now()
        accepted, refused, why = [], understood.refused, understood.why
        for report in understood.reports:
            reason = _unacceptable(report, installation, now)
            if reason:
                refused += _size(report)
                why = why or reason
            else:
                accepted.append(report)
        self._keep(accepted, now)
        body = otlp_answer.partial(refused, why)
        return Answer(200, {"Content-Type": otlp_answer.CONTENT_TYPE}, body)

    def _keep(self, reports: list[Report], now: int) -> None:
        if not reports:
            return
        try:
            if now - self._purged >= PURGE_EVERY:
                self._store.purge(now, self._known())
                self._purged = now
            self._store.add(reports, now)
        except BookbagError as problem:
            # 503, not 507: the one that senders of OTLP know to try again
            wait = FULL_SECONDS if problem.code == "disk-full" else 60
            raise HttpError(503, problem.message, keep=True, headers={"Retry-After": str(wait)}) from None


class _Upload:
    """One body as it arrives, of the length that `post` has checked."""

    def __init__(self, intake: Intake, signal: Signal, installation: str, packed: bool, body: Body) -> None:
        self._intake = intake
        self._signal = signal
        self._installation = installation
        self._packed = packed
        self._body = body

    def write(self, data: bytes) -> None:
        self._body.add(data)

    def finish(self) -> Answer:
        data = self._body.whole()
        return self._intake.take(self._signal, self._installation, _unpacked(data) if self._packed else data)

    def abort(self) -> None:
        self._body.drop()


def _unpacked(data: bytes) -> bytes:
    """What is in the gzip, within its bound. Raises HttpError."""
    gzip = zlib.decompressobj(wbits=31)
    try:
        body = gzip.decompress(data, MOST_UNPACKED + 1)
    except zlib.error:
        raise HttpError(400, "this is not gzip", keep=True) from None
    if len(body) > MOST_UNPACKED:
        raise HttpError(413, f"a request unpacks to at most {MOST_UNPACKED} bytes", keep=True)
    if not gzip.eof:
        raise HttpError(400, "the gzip is not whole", keep=True)
    if gzip.unused_data:
        raise HttpError(400, "something follows the gzip", keep=True)
    return body


def _unacceptable(report: Report, installation: str, now: int) -> str:
    if report.laptop["installation"] != installation:
        return "it is of another installation than the request says"
    return "its time is ahead of ours" if report.at > now + AHEAD else ""


def _size(report: Report) -> int:
    """How many log records or data points it was."""
    return len(report.values) if records()[report.record].signal == "metrics" else 1
