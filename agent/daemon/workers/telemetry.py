"""telemetry: look at this laptop and spool what policy lets us report, as a user without rights or network.

Request: op ``collect``, installation, at (trusted time), cause, every (seconds), on, and ``status``: what the
supervisor says of itself. What is wanted is read from root's public snapshot, not from the request.
"""

from __future__ import annotations

from typing import cast

from agent.core.errors import BookbagError
from agent.daemon.worker import Context
from agent.host.choose import open_readings
from agent.telemetry.collect import Collection
from agent.telemetry.declaration import Record
from agent.telemetry.memory import Memory, MemoryFile
from agent.telemetry.outbox import Outbox
from agent.telemetry.report import CAUSES, Cause
from agent.telemetry.seen import Seen
from agent.telemetry.wanted import wanted as wanted_here


def run(context: Context) -> int:
    """Emit which records are wanted, how many reports wait, and in how many seconds the next are due."""
    layout = context.layout
    at, cause = context.whole("at"), context.text("cause")
    if cause not in CAUSES:
        raise BookbagError("bad-request", f"cannot collect: no cause {cause[:40]!r}")
    outbox, file = Outbox(f"{layout.telemetry}/out"), MemoryFile(layout.telemetry)
    wanted = wanted_here(layout) if context.request.get("on") is True else ()
    file.lose(outbox.expire(at, [one.name for one in wanted]))
    memory = file.read()
    every = max(60, context.whole("every"))
    due = _due_in(memory, wanted, at, every)
    if wanted and (due == 0 or cause != "schedule"):
        status = context.request.get("status")
        seen = Seen(
            layout, open_readings(layout), at, status if isinstance(status, dict) else {}, memory, _may_name
        )
        made = Collection(seen, context.text("installation"), file, outbox).run(wanted, cast(Cause, cause))
        if made.withheld:
            context.log(
                "warning", f"values that are not declared were withheld: {', '.join(made.withheld)}"[:500]
            )
        context.event("progress", done=len(made.reports), of=len(wanted), what="reports")
        due = every
    context.result(
        {
            "wanted": [one.name for one in wanted],
            "waiting": len(outbox.waiting()),
            "due_in_s": due if wanted else 0,
            "dropped": sum(file.read().dropped.values()),
        }
    )
    return 0


def _due_in(memory: Memory, wanted: tuple[Record, ...], at: int, every: int) -> int:
    """Seconds until the oldest of the wanted is due again; 0: now. A newest report "from the future" was made
    by a clock that has been put right since, and counts as none.
    """
    rest = 0
    for record in wanted:
        age = at - memory.collected.get(record.name, 0)
        if not 0 <= age < every:
            return 0
        rest = max(rest, every - age)
    return rest


def _may_name(word: str) -> bool:
    """Whether ``word`` is a kind of resource there is, or a setting that tells of nobody's needs. Loads that
    one setting at most: a collection shall stay light.
    """
    from agent.policy import kinds

    settings = kinds.settings()
    return word in kinds.resources() or (word in settings and not settings[word].personal)
