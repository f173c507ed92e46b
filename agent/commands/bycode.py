"""A laptop that somebody opened by code: nobody ordered it, and the desk hears of it all the same, once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from agent.commands.holding import OPEN, OPENING, Hold, Opened
from agent.commands.telling import What

KIND = "unlock-by-code"


def receipt(opened: Opened, hold: Hold, layers: Mapping[str, bool]) -> What:
    """What the desk is told of ``opened``, by a name that follows from the lock and its challenge. While the
    laptop is ``hold``-ing on to a layer that could not be given back, that is not the last word.
    """
    named = f"bookbag unlock by code\0{opened.order}\0{opened.challenge}"
    digest = hashlib.sha256(named.encode()).hexdigest()
    return What(
        digest[:32],
        digest,
        KIND,
        "done" if hold.phase == OPEN else "unconfirmed",
        hold.phase != OPENING,
        evidence={"lock": opened.order, "attempts": opened.attempts, "layers": dict(layers)},
    )
