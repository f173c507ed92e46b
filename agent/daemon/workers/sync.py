"""sync: one round with the site's hosts or a folder, as the unprivileged sync user. Its word is never
believed; its bytes are verified again by root.
"""

from __future__ import annotations

import os

from agent.core import returns
from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.daemon.worker import Context
from agent.sync.memory import Memory
from agent.sync.round import MAX_RETURNS, Round, Wanted, run_round
from agent.sync.source import SourceFailed
from agent.trust.paths import MOST_METADATA

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.sync.blobs import Wanted as WantedBlob
    from agent.sync.ports import Source

ROUND_SECONDS = 210.0
REPORTS_SECONDS = 60.0
MAX_URLS = 8
MAX_BLOB = 8 << 20


def run(context: Context) -> int:
    """Request: site, urls or from, mailbox, at (trusted time), whole, reports (where they go). Exit 1 if no
    source answered well. Reports are delivered whatever came of the rest, and the rest goes on whatever comes
    of them.
    """
    op = context.text("op", "round")
    if op in ("fetch", "prune"):
        return _fetch(context) if op == "fetch" else _prune(context)
    code, said = _round(context)
    context.result(said)
    url = context.text("reports", "")
    unreachable = said.get("answered") is False and url in context.texts("urls")
    if url and not unreachable and _waiting(context.layout):
        context.result({**said, "reports": _reports(context, url)})
    return code


def _round(context: Context) -> tuple[int, dict[str, object]]:
    layout = context.layout
    wanted = Wanted(
        site=context.text("site"),
        mirror=layout.mirror,
        bootstrap_root=_root(layout),
        mailbox=context.text("mailbox", ""),
        at=context.whole("at", 0),
        whole=context.request.get("whole") is True,
    )
    memory = Memory(f"{layout.spool}/sync.json", layout.mirror, f"{wanted.site} {wanted.mailbox}")
    this = Round()
    try:
        run_round(_sources(context, layout), wanted, memory, lambda: _outgoing(layout), this)
    except BookbagError as problem:
        context.error(problem)
        burden = {"answered": True, "retry_after": 0}
        if isinstance(problem, SourceFailed):
            burden = {"answered": problem.answered, "retry_after": problem.retry_after}
        return 1, {**_said(this), **burden}
    return 0, _said(this)


def _fetch(context: Context) -> int:
    """Bring in blobs of learning content. Request: blobs ([sha256, size]), again (those to be fetched anew),
    urls or from, rate and per_day (bytes; 0: no bound), seconds, at.
    """
    import time

    from agent.sync.blobs import Limits, Run, Spool
    from agent.sync.pace import Meter, Pace

    layout = context.layout
    blobs = _blobs(context)
    spool = Spool(layout.blobs)
    spool.prune([one.sha256 for one in blobs], context.texts("again"))
    end = time.monotonic() + max(1, min(context.whole("seconds", 45), 240))
    meter = Meter(f"{layout.spool}/meter.json", context.whole("at", 0), context.whole("per_day", 0))
    limits = Limits(Pace(context.whole("rate", 0)), meter, lambda: time.monotonic() >= end)
    limits.bounded = context.whole("per_day", 0) > 0
    run = Run(spool, limits)
    total = sum(one.size for one in blobs)
    limits.told = lambda: context.progress(min(run.this.bytes, total), total, "fetching content")
    code, burden = 0, {}
    try:
        if not (limits.bounded and not meter.left):
            run.fetch(_sources(context, layout), blobs)
        else:
            run.this.full = True
    except BookbagError as problem:
        context.error(problem)
        code, burden = 1, {"answered": True, "retry_after": 0}
        if isinstance(problem, SourceFailed):
            burden = {"answered": problem.answered, "retry_after": problem.retry_after}
    finally:
        meter.save()
    this = run.this
    said = {"blobs": this.blobs, "bytes": this.bytes, "gained": this.gained, "absent": this.absent}
    context.result({**said, "full": this.full, "source": this.source, **burden})
    return code


def _prune(context: Context) -> int:
    """Free the room of what was fetched and is not needed here any more. Request: blobs and again, as for a
    fetch."""
    from agent.sync.blobs import Spool

    Spool(context.layout.blobs).prune([one.sha256 for one in _blobs(context)], context.texts("again"))
    return 0


def _blobs(context: Context) -> list[WantedBlob]:
    from agent.sync.blobs import Wanted as WantedBlob

    listed = context.request.get("blobs")
    found = []
    for one in listed if isinstance(listed, list) else []:
        if not (isinstance(one, list) and len(one) == 2 and isinstance(one[0], str) and type(one[1]) is int):
            raise BookbagError("bad-request", "cannot fetch: a blob is a hash and a size")
        if len(one[0]) != 64 or not set(one[0]) <= set("0123456789abcdef") or not 0 < one[1] <= MAX_BLOB:
            raise BookbagError("bad-request", "cannot fetch: this is no blob")
        found.append(WantedBlob(one[0], one[1]))
    return found


def _waiting(layout: Layout) -> bool:
    """Whether any report waits; asked at every round, so nothing is imported for it."""
    try:
        return any(name.endswith(".json") for name in os.listdir(f"{layout.telemetry}/out"))
    except OSError:
        return False


def _reports(context: Context, url: str) -> dict[str, object]:
    """Deliver what waits; telemetry's trouble is no trouble of the sync."""
    from agent.sync.connection import Deadline
    from agent.sync.https import HttpsSource
    from agent.sync.reports import Deliverer
    from agent.telemetry.memory import MemoryFile
    from agent.telemetry.outbox import Outbox
    from agent.telemetry.sent import Sent
    from agent.telemetry.wanted import wanted

    folder = context.layout.telemetry
    outbox, memory = Outbox(f"{folder}/out"), MemoryFile(folder)
    said: dict[str, object] = {}
    at = context.whole("at", 0)
    try:
        # Policy may have changed its mind since they were made.
        memory.lose(outbox.expire(at, [one.name for one in wanted(context.layout)]))
        ca = context.layout.ca if os.path.exists(context.layout.ca) else ""
        receiver = HttpsSource(url, ca, Deadline(REPORTS_SECONDS))
        try:
            this = Deliverer(receiver, outbox, Sent(f"{folder}/sent"), memory, at).run()
        finally:
            receiver.close()
        said = {"taken": this.taken, "gone": dict(this.gone), "bytes": this.bytes}
        if this.error is not None:
            said |= {"error": this.error.to_dict(), "answered": this.error.answered}
            said["retry_after"] = this.error.retry_after
    except (BookbagError, OSError) as problem:
        error = problem if isinstance(problem, BookbagError) else _explained(problem)
        said = {"error": error.to_dict(), "answered": True}
    return {**said, "left": len(outbox.waiting())}


def _explained(problem: OSError) -> BookbagError:
    from agent.core.faults import explained

    return explained(problem, "deliver reports", str(problem.filename or ""))


def _sources(context: Context, layout: Layout) -> list[Callable[[], Source]]:
    folder = context.text("from", "")
    if folder:
        return [_folder(folder)]
    from agent.sync.connection import Deadline

    deadline = Deadline(ROUND_SECONDS)
    ca = layout.ca if os.path.exists(layout.ca) else ""
    sources: list[Callable[[], Source]] = []
    for url in context.texts("urls")[:MAX_URLS]:
        if url.startswith("file://"):
            sources.append(_folder(url.removeprefix("file://")))
        else:
            sources.append(_host(url, ca, deadline))
    return sources


def _folder(path: str) -> Callable[[], Source]:
    def opened() -> Source:
        from agent.sync.folder import FolderSource

        return FolderSource(path)

    return opened


def _host(url: str, ca: str, deadline: object) -> Callable[[], Source]:
    def opened() -> Source:
        from agent.sync.connection import Deadline
        from agent.sync.https import HttpsSource

        assert isinstance(deadline, Deadline)  # noqa: S101  # typed loosely so that a folder's round imports no ssl
        return HttpsSource(url, ca, deadline)

    return opened


def _outgoing(layout: Layout) -> Iterator[tuple[str, bytes]]:
    """What waits in the outbox, nothing if there is none: a request to be enrolled first, for without an
    answer to it nothing else counts; then the oldest. Of more than a round tries it begins anywhere, so that
    what one host refuses for ever holds up nothing for ever.
    """
    try:
        if not os.listdir(layout.outbox):
            return
    except FileNotFoundError:
        return
    import random

    from agent.daemon import wiring

    outbox = wiring.open_outbox(layout)
    names = outbox.names()
    first = [name for name in names if name.startswith(returns.ENROL)]
    others = [name for name in names if not name.startswith(returns.ENROL)]
    start = random.randrange(len(others)) if len(others) > MAX_RETURNS else 0  # noqa: S311  # guards nothing
    for name in (*first, *others[start:], *others[:start]):
        yield name, outbox.read(name)


def _root(layout: Layout) -> bytes:
    try:
        with open(layout.bootstrap_root, "rb") as file:
            return file.read(MOST_METADATA)
    except FileNotFoundError:
        raise BookbagError(
            "not-enrolled",
            "cannot sync: the site's root metadata is not there",
            place=layout.bootstrap_root,
            remedy="use `bookbag enrol FILE`",
        ) from None


def _said(this: Round) -> dict[str, object]:
    return {
        "source": this.source,
        "news": this.news,
        "files": this.files,
        "received": this.received,
        "delivered": this.delivered,
        "already": this.already,
        "left": this.left,
        "undelivered": this.undelivered,
        "refusals": this.refusals[:50],
    }
