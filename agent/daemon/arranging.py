"""What is arranged for the student of this laptop: from root's own memory into what is compiled, and to the
portal for that student's eyes.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.daemon import wiring
from agent.daemon.snapshots import tell_portal
from agent.daemon.worker import Context
from agent.store import atomic

if TYPE_CHECKING:
    from agent.policy.arranging import Arrangement
    from agent.policy.compiled import Compiled

VERSION = 1
#: Seconds between two looks while something is arranged: with a wrong clock only what is written down of the
#: time that the laptop ran brings its end nearer.
LOOK = 1800


def arrangement(layout: Layout, at: int) -> Arrangement | None:
    """What is in force at trusted time ``at``; None for nothing, at little cost. Raises ``state-corrupt``."""
    path = layout.state_file("arranged")
    if not (os.path.lexists(path) or os.path.lexists(f"{path}.2")):
        return None
    from agent.policy.arranging import Arrangement

    known, identity = wiring.open_arranged(layout).read(), wiring.identity_of(layout)
    if identity is None or not known.holds(identity.id, at):
        return None
    return Arrangement(known.order, dict(known.settings), known.roles, known.until)


def taken_in(layout: Layout, compiled: Compiled) -> Arrangement | None:
    """What ``compiled`` has in it of that; None for nothing, or if it cannot be told any more. For whoever
    may not read this laptop's keys, and must not fail for a damaged memory."""
    if not compiled.arrangement:
        return None
    from agent.policy.arranging import Arrangement

    try:
        known = wiring.open_arranged(layout).read()
    except BookbagError:
        return None
    made = Arrangement(known.order, dict(known.settings), known.roles, known.until)
    return made if made.digest == compiled.arrangement else None


def turn_in(compiled: Compiled | None, at: int) -> int:
    """Seconds until it has to be looked at again; 0: nothing is arranged."""
    if compiled is None or not compiled.arranged_until:
        return 0
    return max(1, min(compiled.arranged_until - at, LOOK))


def publish(context: Context, compiled: Compiled | None) -> None:
    """``arranged.json``, for the portal alone. Where nothing is arranged there is none."""
    layout = context.layout
    path = wiring.told_arranged(layout)
    try:
        if compiled is None or not compiled.arranged:
            if os.path.lexists(path):
                atomic.remove(path)
            return
        rows = [
            {"key": key, "value": row["shown"], "held_by": row["held_by"]}
            for key, row in sorted(compiled.arranged.items())
        ]
        told = {"v": VERSION, "until": compiled.arranged_until, "settings": rows}
        tell_portal(layout, path, told)
    except (OSError, BookbagError) as problem:
        context.log("warning", f"cannot tell the portal what is arranged: {problem}")
