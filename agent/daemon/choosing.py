"""What people chose from the shelf: from root's own memory into what is compiled."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from agent.core.layout import Layout
from agent.daemon import wiring

if TYPE_CHECKING:
    from agent.policy.choosing import Chosen
    from agent.policy.compiled import Compiled


def chosen(layout: Layout) -> Chosen | None:
    """What is chosen on this laptop; None for nothing, at little cost. Raises ``state-corrupt``."""
    path = wiring.choices_path(layout)
    if not (os.path.lexists(path) or os.path.lexists(f"{path}.2")):
        return None
    from agent.policy.choosing import Chosen

    identity = wiring.identity_of(layout)
    rows = wiring.open_choices(layout).rows(identity.id if identity else "")
    return Chosen(rows) if rows else None


def taken_in(compiled: Compiled | None) -> Chosen:
    """What ``compiled`` has in it of that, whatever became of root's memory."""
    from agent.policy.choosing import NOBODY, Chosen

    if compiled is None or not compiled.choices:
        return NOBODY
    return Chosen(tuple((name, tuple(persons)) for name, persons in compiled.choices))


def offered(compiled: Compiled | None) -> frozenset[str]:
    """What may be chosen: offered, and no other setting says something of it."""
    return frozenset(str(one["name"]) for one in (compiled.shelf if compiled else ()) if not one["held"])
