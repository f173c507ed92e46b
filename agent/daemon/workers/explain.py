"""explain: answers questions about this laptop and changes nothing: who decided a key (op ``key``), what the
ledger holds (``ledger``).
"""

from __future__ import annotations

from collections.abc import Callable

from agent.core import clock, exit_codes
from agent.core.errors import BookbagError
from agent.daemon import wiring
from agent.daemon.enforced import compiled_path
from agent.daemon.worker import Context

MAX_ENTRIES = 500
MAX_ANSWER = 150_000  #: bytes of entries in one answer


def run(context: Context) -> int:
    """Do the request's ``op``."""
    op = context.text("op")
    if op not in OPS:
        raise BookbagError("bad-request", f"cannot explain: no operation {op[:40]!r}")
    return OPS[op](context)


def key(context: Context) -> int:
    """Explain the setting or resource ``key``. ``at``: trusted time, unix seconds; 0: not known."""
    from agent.daemon.arranging import taken_in
    from agent.daemon.compiling import while_on
    from agent.daemon.decisions import remembered
    from agent.policy import compiled as cache
    from agent.policy.arranging import NOTHING
    from agent.policy.explain import explain

    layout = context.layout
    compiled = cache.load(compiled_path(layout))
    if compiled is None:
        raise BookbagError(
            "not-found",
            "cannot explain this: nothing signed by a school is in force here",
            remedy="use `bookbag status`",
        )
    at = context.whole("at", 0)
    told = explain(
        compiled,
        context.text("key"),
        wiring.open_undo(layout),
        wiring.open_host(layout),
        remembered(layout),
        today=clock.day(at) if at else "",
        later=while_on(layout, compiled, taken_in(layout, compiled) or NOTHING),
    )
    context.result(told.to_dict())
    return exit_codes.IN_SYNC


def ledger(context: Context) -> int:
    """The newest entries, newest first, as many as fit, and the first row at which the chain is broken."""
    from agent.core import jsontext, schema

    newest = context.whole("newest", 50)
    if not 1 <= newest <= MAX_ENTRIES:
        raise BookbagError("bad-request", f"cannot show that many entries: 1 to {MAX_ENTRIES}")
    record = wiring.open_ledger(context.layout)
    entries: list[dict[str, object]] = []
    size = 0
    for entry in record.entries(newest=newest):
        row = schema.encode(entry)
        size += len(jsontext.canonical(row))
        if size > MAX_ANSWER:
            break
        entries.append(row)
    broken = record.verify()
    context.result({"entries": entries, "broken": {"row": broken.row, "why": broken.why} if broken else None})
    return exit_codes.FAILED if broken else exit_codes.IN_SYNC


OPS: dict[str, Callable[[Context], int]] = {"key": key, "ledger": ledger}
