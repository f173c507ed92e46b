"""packages: installs and removes what policy wants, or wants no more. Root, in a unit of its own that the
enforce worker starts and does not wait for; no network.

What that is comes from the engine's own plan, made here once more: nothing is kept of what was wished, so
nothing is done that no policy wants by now. The enforce worker wrote into the journal what was there before;
what stands there not yet is left to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from agent.core import exit_codes
from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.daemon import wiring
from agent.daemon.hours import closed
from agent.daemon.lock import Lock
from agent.daemon.machine import Machine
from agent.daemon.worker import Context
from agent.host.base import Host
from agent.host.lacking import need
from agent.host.packages import Wish
from agent.policy.compiled import Compiled, Item
from agent.policy.enforcement import journal
from agent.policy.enforcement.plan import Step, digest
from agent.policy.resources.package import Package

#: What was wished while the first was being done is done in the same run, so many times.
ROUNDS = 3


def run(context: Context) -> int:
    """``op``: ``act``, or ``withdraw``: as if no policy wanted anything, which uninstalling needs."""
    op = context.text("op", "act")
    if op not in ("act", "withdraw"):
        raise BookbagError("bad-request", f"cannot do this with packages: no operation {op[:40]!r}")
    wiring.prepare(context.layout)
    done: Mapping[str, Wish] = {}
    for _ in range(ROUNDS):
        host, wishes, not_now = _wishes(context.layout, everything=op == "act")
        if not wishes or wishes.items() <= done.items():
            break
        need(host.packages, "packages").carry_out(wishes, not_now)
        done = wishes
    context.result({"wished": len(done)})
    return exit_codes.CHANGED if done else exit_codes.IN_SYNC


def _wishes(layout: Layout, *, everything: bool) -> tuple[Host, Mapping[str, Wish], str]:
    """What the plan has about packages, and why it cannot be done now."""
    lock = Lock.take(f"{layout.state}/enforce.lock", wait=True)
    try:
        machine = Machine(layout)
        if everything and machine.pause() is not None:
            return machine.host, {}, ""
        compiled = machine.compiled() if everything else None
        plan = machine.engine().plan(compiled)
        steps = [step for step in plan.steps if isinstance(step.resource, Package) and known(machine, step)]
        at = machine.timetable_now
        at = machine.now.at if at is None else at
    finally:
        lock.release()
    # What the school decided goes before what somebody only chose.
    steps.sort(key=lambda step: step.item is not None and step.item.chosen)
    barred, chosen = _beside(compiled)
    wishes = {
        step.resource.package: _ranked(step.resource.wish(step.after), step.item, barred, chosen)
        for step in steps
        if isinstance(step.resource, Package)
    }
    return machine.host, wishes, closed(layout, at)


def _beside(compiled: Compiled | None) -> tuple[frozenset[str], frozenset[str]]:
    """The names of what nobody is to have here, and of what is here because somebody chose it."""
    barred, chosen = set(), set()
    for item in compiled.items() if compiled else ():
        kind, _, name = item.id.partition(":")
        if kind != Package.kind or item.observe_only:
            continue
        if item.chosen:
            chosen.add(name)
            continue
        resource = item.resource()
        if isinstance(resource, Package) and resource.installed is False:
            barred.add(name)
    return frozenset(barred), frozenset(chosen)


def _ranked(wish: Wish, item: Item | None, barred: frozenset[str], chosen: frozenset[str]) -> Wish:
    """What was only chosen brings nothing along that is barred, and gives way to what is decided."""
    if item is None:
        return wish
    return replace(wish, shuns=barred) if item.chosen else replace(wish, over=chosen)


def known(machine: Machine, step: Step) -> bool:
    """Whether the journal knows what was there, and that this is about to be."""
    assert step.resource is not None  # noqa: S101  # a package
    try:
        _, wrote = machine.undo().prior(step.id)
    except KeyError:
        return False
    return step.action == "withdraw" or digest(journal.kept(step.resource, step.after)) in journal.ours(wrote)
