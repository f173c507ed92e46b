"""How each program on the shelf stands: for the portal to show; and what of that no report may tell."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent.core.errors import BookbagError
from agent.core.model import Outcome, Report
from agent.daemon.machine import Machine
from agent.daemon.snapshots import cut, tell_portal
from agent.daemon.worker import Context
from agent.host.packages import YES
from agent.policy.compiled import Compiled
from agent.policy.enforcement.plan import Run
from agent.store import atomic

if TYPE_CHECKING:
    from agent.policy.enforcement.memory import EngineState

VERSION = 1
#: What goes with a choice that is given back, and the folder that goes with the second.
_PACKAGES, _KEPT, _FOLDER = "package:", "kept-packages:", "directory:"


def private(compiled: Compiled | None, ran: Run) -> frozenset[str]:
    """What tells of somebody's choice, and so is in no report that leaves the laptop: what is chosen, and
    packages that go, whoever wanted them."""
    items = list(compiled.items()) if compiled else []
    known = {item.id for item in items}
    leaving = [one.resource for one in ran.reports if one.resource not in known]
    goes = (_PACKAGES, _KEPT, *([_FOLDER] if any(one.startswith(_KEPT) for one in leaving) else ()))
    return frozenset(
        (*(one.id for one in items if one.chosen), *(one for one in leaving if one.startswith(goes)))
    )


def publish(
    context: Context, machine: Machine, compiled: Compiled | None, ran: Run, state: EngineState | None
) -> None:
    """``offered.json``, for the portal alone. Where nothing is offered there is none."""
    path = f"{context.layout.asks}/offered.json"
    try:
        rows = list(_rows(machine, compiled, ran, state)) if compiled else []
        if rows:
            tell_portal(context.layout, path, {"v": VERSION, "programs": rows})
        elif os.path.lexists(path):
            atomic.remove(path)
    except (OSError, BookbagError) as problem:
        context.log("warning", f"cannot tell the portal what is offered: {problem}")


def _rows(
    machine: Machine, compiled: Compiled, ran: Run, state: EngineState | None
) -> Iterator[dict[str, object]]:
    reports = {one.resource: one for one in ran.reports}
    wanted = {item.id for item in compiled.items() if item.chosen}
    for one in compiled.shelf:
        index = one["origin"]
        assert isinstance(index, int)  # noqa: S101
        origin = compiled.origin(index)
        name = str(one["name"])
        id_ = f"package:{name}"
        row: dict[str, object] = {
            "name": name,
            "title": one.get("title", {}),
            "about": one.get("about", {}),
            "policy": origin.policy,
            "owner": origin.owner,
            "held": one["held"],
            "chosen": id_ in wanted,
            "there": not one["held"] and _is_there(machine, name),
        }
        if (report := reports.get(id_)) is not None:
            standing = state.standing.get(id_) if state else None
            text = report.message or (standing.text if standing else "")
            row |= {"outcome": _outcome(report), "code": report.code, "message": cut(text)}
        yield row


def _is_there(machine: Machine, name: str) -> bool:
    try:
        return machine.host.packages is not None and machine.host.packages.find(name).installed == YES
    except BookbagError:
        return False


def _outcome(one: Report) -> str:
    """How it stands, for whoever looks later."""
    return str(Outcome.IN_FORCE if one.outcome in (Outcome.CHANGED, Outcome.HEALED) else one.outcome)
