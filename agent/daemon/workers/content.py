"""content: look after the store of learning content, as a user of its own without rights or network.

Request: op ``look`` (take what arrived, choose what stays, say what is missing) or ``scrub`` (look for
damage, then look), at (trusted time), quota (bytes; 0: a share), share (percent), first (items that somebody
waits for).
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Mapping

from agent.content import keeping, wishes
from agent.content.arrivals import Arrivals
from agent.content.looking import Look, Looked
from agent.content.marks import DAMAGED
from agent.content.packs import Packs
from agent.content.scrubbing import scrub
from agent.content.shelf import READY, Item
from agent.core.errors import BookbagError
from agent.daemon import wiring
from agent.daemon.lock import Lock
from agent.daemon.worker import Context

MOST_ROWS = 500
MOST_TEXT = 200


def run(context: Context) -> int:
    """Emit how every item stands and what is to be fetched; exit 1 where nothing could be looked at."""
    layout = context.layout
    op = context.text("op")
    if op not in ("look", "scrub"):
        raise BookbagError("bad-request", f"cannot look after content: no operation {op[:40]!r}")
    if not os.path.isdir(layout.content):
        raise BookbagError(
            "not-found", "cannot look after content: its store is not there", place=layout.content
        )
    wanted = wishes.read(f"{layout.public}/{wishes.NAME}")
    if wanted is None:
        context.result({"known": False})
        return 0
    lock = Lock.take(f"{layout.content}/.lock", wait=True)
    try:
        scrubbed = _scrub(context, op)
        looked = _look(context, wanted)
    finally:
        lock.release()
    context.result({**_said(looked, wanted), "scrubbed": scrubbed})
    return 0


def _scrub(context: Context, op: str) -> list[str]:
    """Look for damage: on its turn, or because a reader met some."""
    store = context.layout.content
    met = os.path.lexists(f"{store}/opened/{DAMAGED}")
    if op != "scrub" and not met:
        return []
    return scrub(store, everything=met)[:50]


def _look(context: Context, wanted: wishes.Wishes) -> Looked:
    layout = context.layout
    store, quota, share = (
        layout.content,
        context.whole("quota", 0),
        context.whole("share", keeping.DEFAULT_SHARE),
    )
    today = _today(context.whole("at", 0))
    total = sum(wish.size for wish in wanted.items)
    done = 0

    def step(size: int) -> None:
        nonlocal done
        done += size
        context.progress(min(done, total), total, "checking content")

    def room(used: int) -> int:
        found = os.statvfs(store)
        return keeping.room(quota, share, used, found.f_bavail * found.f_frsize)

    def arrivals(packs: Packs) -> Arrivals:
        return Arrivals(layout.blobs, packs, wiring.spool_owner(layout))

    return Look(store, arrivals, room, today, step, context.texts("first")).run(wanted)


def _today(at: int) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).date().isoformat() if at else ""


def _said(looked: Looked, wanted: wishes.Wishes) -> dict[str, object]:
    items = looked.shelf.items
    counts: dict[str, int] = {}
    for item in items:
        counts[item.state] = counts.get(item.state, 0) + 1
    return {
        "known": True,
        "items": [_row(item) for item in items[:MOST_ROWS]],
        "others": len(wanted.others),
        "counts": counts,
        "sums": _sums(items),
        "missing": [[one.sha256, one.size] for one in looked.missing],
        "damaged": list(looked.damaged[:200]),
        "asked": looked.asked,
        "kept": bool(looked.shelf.kept),
        "used": looked.shelf.used,
        "room": looked.shelf.room,
        "taken": looked.taken,
        "leftover": looked.leftover,
    }


def _sums(items: Iterable[Item]) -> dict[str, int]:
    """Bytes of the newest versions that are here, and of all that is meant for this laptop and is not:
    whatever the reason, lessons lack it."""
    here = missing = 0
    for item in items:
        has = item.stored if item.state == READY else min(item.here, item.stored)
        here, missing = here + has, missing + item.stored - has
    return {"here": here, "missing": missing}


def _row(item: Item) -> dict[str, object]:
    title: Mapping[str, str] = item.title
    row: dict[str, object] = {
        "key": item.key,
        "title": (title.get(item.lang) or next(iter(title.values()), item.id))[:MOST_TEXT],
        "lang": item.lang,
        "state": item.state,
        "percent": item.percent,
        "opens": item.opens,
        "stored": item.stored,
    }
    more = {"code": item.why, "message": item.message[:MOST_TEXT], "pinned": item.pinned, "due": item.due}
    return {**row, **{name: value for name, value in more.items() if value}}
