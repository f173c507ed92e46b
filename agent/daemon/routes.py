"""Everything that can be asked of the supervisor, on one screen: the verb, who may ask, its arguments, who
answers.

``ROOT`` is uid 0, or the user who runs the supervisor itself (a sandbox's owner is root of that laptop).
"""

from __future__ import annotations

import os

from agent.core.errors import BookbagError
from agent.daemon import handlers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent.daemon.control import Call
    from agent.daemon.supervisor import Supervisor

ANYONE = "anyone"
ROOT = "root"


class Route:
    """One row of the table. ``args`` are the arguments' names and types; all are optional here, handlers
    insist on theirs.
    """

    __slots__ = ("args", "handler", "verb", "who")

    def __init__(
        self, verb: str, who: str, args: Mapping[str, type], handler: Callable[[Supervisor, Call], None]
    ) -> None:
        self.verb = verb
        self.who = who
        self.args = args
        self.handler = handler


ROUTES = (
    Route("status", ANYONE, {}, handlers.status),
    Route("explain", ANYONE, {"key": str}, handlers.explain),
    Route("unlock", ANYONE, {"code": str}, handlers.unlock),
    Route("sync", ROOT, {"from": str}, handlers.sync),
    Route("plan", ROOT, {}, handlers.plan),
    Route("apply", ROOT, {"plan": str}, handlers.apply),
    Route("ledger", ROOT, {"newest": int}, handlers.ledger),
    Route("pause", ROOT, {"seconds": int, "reason": str}, handlers.pause),
    Route("resume", ROOT, {}, handlers.resume),
    Route("enrol", ROOT, {"file": str, "again": bool, "look": bool}, handlers.enrol),
    Route("content", ANYONE, {"want": str}, handlers.content),
    Route("software", ANYONE, {"op": str, "name": str}, handlers.software),
    Route("report", ROOT, {}, handlers.report),
    Route("reload", ROOT, {}, handlers.reload),
    Route("inside", ROOT, {}, handlers.inside),
)


def answer(supervisor: Supervisor, call: Call) -> None:
    """Let the verb's handler reply, if the caller may ask. Raises ``bad-request`` or ``not-allowed``."""
    for route in ROUTES:
        if route.verb == call.verb:
            break
    else:
        verbs = ", ".join(route.verb for route in ROUTES)
        raise BookbagError(
            "bad-request", f"cannot answer the verb {call.verb[:40]!r}", remedy=f"the verbs are {verbs}"
        )
    if route.who == ROOT and call.uid not in (0, os.geteuid()):
        raise BookbagError(
            "not-allowed", f"cannot let user {call.uid} ask for {route.verb}", remedy="ask as root"
        )
    for name, value in call.args.items():
        wanted = route.args.get(name)
        if wanted is None:
            known = ", ".join(route.args) or "none"
            raise BookbagError(
                "bad-request", f"cannot take the argument {name[:40]!r} of {route.verb}: known are {known}"
            )
        if type(value) is not wanted:
            raise BookbagError(
                "bad-request", f"cannot take {name} of {route.verb}: it must be {wanted.__name__}"
            )
    route.handler(supervisor, call)
