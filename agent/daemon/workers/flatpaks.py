"""flatpaks: installs and removes the applications of flatpak that policy wants, or wants no more. Root, in a
unit of its own that the enforce worker starts and does not wait for; no network.

As with packages what that is comes from the engine's own plan, made here once more.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.core import exit_codes
from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.daemon import wiring
from agent.daemon.hours import closed
from agent.daemon.lock import Lock
from agent.daemon.machine import Machine
from agent.daemon.worker import Context
from agent.daemon.workers.packages import ROUNDS, known
from agent.host.base import Host
from agent.host.flatpaks import Wish
from agent.host.lacking import need
from agent.policy.resources.flatpak import Flatpak


def run(context: Context) -> int:
    """``op``: ``act``, or ``withdraw``: as if no policy wanted anything, which uninstalling needs."""
    op = context.text("op", "act")
    if op not in ("act", "withdraw"):
        raise BookbagError("bad-request", f"cannot do this with flatpaks: no operation {op[:40]!r}")
    wiring.prepare(context.layout)
    done: Mapping[str, Wish] = {}
    for _ in range(ROUNDS):
        host, wishes, not_now = _wishes(context.layout, everything=op == "act")
        if not wishes or wishes.items() <= done.items():
            break
        flatpaks = need(host.flatpaks, "flatpaks")
        if not flatpaks.there():
            raise BookbagError("not-supported", "cannot do this here: the machine has no flatpak")
        flatpaks.carry_out(wishes, not_now)
        done = wishes
    context.result({"wished": len(done)})
    return exit_codes.CHANGED if done else exit_codes.IN_SYNC


def _wishes(layout: Layout, *, everything: bool) -> tuple[Host, Mapping[str, Wish], str]:
    """What the plan has about applications, and why it cannot be done now."""
    lock = Lock.take(f"{layout.state}/enforce.lock", wait=True)
    try:
        machine = Machine(layout)
        if everything and machine.pause() is not None:
            return machine.host, {}, ""
        plan = machine.engine().plan(machine.compiled() if everything else None)
        wishes = {
            step.resource.application: step.resource.wish(step.after)
            for step in plan.steps
            if isinstance(step.resource, Flatpak) and known(machine, step)
        }
        at = machine.timetable_now
        at = machine.now.at if at is None else at
    finally:
        lock.release()
    return machine.host, wishes, closed(layout, at)
