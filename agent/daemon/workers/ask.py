"""ask: take what students ask of the school, bring it signed and sealed into the outbox, and tell the portal
how each request stands; and take what they choose from the shelf. Root, because it signs as the laptop; no
network, no capability that `command` has and this could do without. What the portal wrote is read in
`agent.trust`.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.commands.asking import Asked, Outlook
from agent.commands.replies import Reply
from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.daemon import generations, shelf, wiring
from agent.daemon.lock import Lock
from agent.daemon.snapshots import tell_portal
from agent.daemon.worker import Context
from agent.trust.generation import load_generation

VERSION = 1


def run(context: Context) -> int:
    """Emit how many requests there are and when to look again; exit 0 also where one was refused, which is
    said."""
    op = context.text("op")
    if op not in ("take", *shelf.OPS):
        raise BookbagError("bad-request", f"cannot do this with what people ask: no operation {op[:40]!r}")
    layout = context.layout
    host = wiring.open_host(layout)
    wiring.prepare(layout)
    lock = Lock.take(f"{layout.asks}/lock", wait=True)
    try:
        now = wiring.open_clock(layout, host).now()
        if op in shelf.OPS:
            return shelf.run(context, op, now.at)
        choices = shelf.take(context, now.at)
        replies = {one.ask: one for one in reversed(wiring.open_replies(layout))}
        asking = wiring.open_asking(layout, now, set(replies))
        identity = wiring.identity_of(layout)
        newest = generations.newest(layout)
        if newest:
            view = load_generation(f"{layout.generations}/{newest}").value
            ours = identity is not None and view.device == identity.id and view.assignment is not None
            outlook = asking.run(identity, view.site, view.trust.returns_key if ours else None)
        else:
            outlook = asking.run(identity, "", None)
        _tell(layout, outlook, replies)
    finally:
        lock.release()
    for problem in asking.trouble:
        context.error(problem)
    context.result(
        {
            "open": outlook.open,
            "unsent": outlook.unsent,
            "again_s": min(filter(None, (outlook.again, choices.again)), default=0),
            "choice": choices.digest,
            "outbox": len(wiring.open_outbox(layout).names()),
        }
    )
    return 0


def _tell(layout: Layout, outlook: Outlook, replies: Mapping[str, Reply]) -> None:
    """``told.json``, for the portal's eyes alone: one student's requests are nothing to another."""
    rows = [_row(one, replies.get(one.id)) for one in reversed(outlook.asked)]
    tell_portal(layout, f"{layout.asks}/told.json", {"v": VERSION, "asks": rows})


def _row(one: Asked, reply: Reply | None) -> dict[str, object]:
    request = one.request
    row: dict[str, object] = {
        "person": one.person,
        "id": one.id,
        "kind": request.kind,
        "about": request.about,
        "address": request.address,
        "words": request.words,
        "at": request.at,
        "sent_at": one.sent_at,
        "said": request.to_bytes().decode(),
    }
    if reply is not None:
        answer = {"yes": reply.yes, "text": dict(reply.text), "from": list(reply.persons), "at": reply.at}
        row["answer"] = {**answer, "policy": reply.policy, "until": reply.until}
    return row
