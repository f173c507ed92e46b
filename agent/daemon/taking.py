"""Taking new word: verify what lies in the mirror, keep it as a generation, compile it. What is not taken
leaves the last good in force.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace

from agent.core.errors import BookbagError
from agent.daemon import lean, wiring
from agent.daemon.compiling import enforcing, groups, orders
from agent.daemon.enforced import Trouble
from agent.daemon.machine import Machine
from agent.daemon.pending import membership
from agent.store import atomic
from agent.trust.device import Wanted, verify_site
from agent.trust.identity import serial_hash
from agent.trust.paths import MOST_METADATA
from agent.trust.verified import Verified
from agent.trust.view import SiteView

KEPT = 2  #: finished generations


def take(machine: Machine, tell: Callable[[str, str], None]) -> Verified[SiteView]:
    """Verify the mirror and make it what is enforced, in one write. Raises what verification refuses with,
    which is remembered too, and what the disk does; then what was enforced before still is. Which
    generation it is and which orders there are is told before that: they are obeyed whatever becomes of the
    policy.
    """
    seen = lean.mirror_seen(machine.layout)
    try:
        word = _verified(machine)
    except BookbagError as problem:
        _remember(machine, seen, problem)
        raise
    tell(os.path.basename(word.value.generation), orders(word.value))
    machine.believe(word)
    _note(machine, word.value)
    prune(machine)  # before what may fail, or each attempt would leave a generation
    compiled = machine.compile(word)
    machine.keep(replace(enforcing(machine.enforced, word.value, compiled), seen=seen, problem=None))
    return word


def _remember(machine: Machine, seen: str, problem: BookbagError) -> None:
    """Why the newest word was not taken; that this cannot be written hides nothing of it."""
    trouble = Trouble.of("news", problem)
    since = machine.enforced.recovering_since
    if problem.code == "recovering" and not since:
        since = machine.now.at
    try:
        if machine.enforced.problem is None or machine.enforced.problem.code != trouble.code:
            machine.record("refusal", "news", "refused", trouble.code, trouble.message)
        machine.keep(replace(machine.enforced, seen=seen, problem=trouble, recovering_since=since))
    except BookbagError as further:
        if further.code != problem.code:
            machine.troubles.append(further)


def prune(machine: Machine) -> None:
    """Drop all generations but the newest ones, and attempts that were never finished."""
    top = machine.layout.generations
    names = sorted(os.listdir(top), reverse=True)
    finished = [name for name in names if os.path.exists(f"{top}/{name}/view.json")]
    for name in names:
        if name != machine.enforced.generation and name not in finished[:KEPT]:
            shutil.rmtree(f"{top}/{name}", ignore_errors=True)


def _verified(machine: Machine) -> Verified[SiteView]:
    layout = machine.layout
    identity = wiring.identity_of(layout)
    root = atomic.read(layout.bootstrap_root, max_bytes=MOST_METADATA)
    if identity is None or root is None:
        raise BookbagError(
            "not-enrolled",
            "cannot take new state: this laptop is not enrolled",
            remedy="use `bookbag enrol FILE`",
        )
    held = membership(layout)
    if held is None:
        raise BookbagError(
            "not-enrolled",
            "cannot take new state: this laptop is of no site",
            remedy="use `bookbag enrol FILE`",
        )
    before = machine.enforced.generation
    wanted = Wanted(
        site=held.site,
        bootstrap_root=root,
        now=machine.now,
        generation=_next_folder(layout.generations),
        previous=machine.folder(before) if before else None,
        enrolled=bool(before),
        identity=identity,
        serial_sha256=serial_hash(held.site, machine.host.facts.serial()),
        lost_since=_lost_since(machine),
    )
    return verify_site(
        layout.mirror, wanted, wiring.open_high_water(layout), mirror_owner=wiring.spool_owner(layout)
    )


def _lost_since(machine: Machine) -> int:
    """Since when this laptop is locked as lost. What cannot be read counts as not lost: then there is
    grace."""
    try:
        return wiring.open_holding(machine.layout, machine.host).read().lost_since
    except BookbagError:
        return 0


def _next_folder(top: str) -> str:
    numbers = [int(name[4:]) for name in os.listdir(top) if name.startswith("gen-") and name[4:].isdecimal()]
    return f"{top}/gen-{max(numbers, default=0) + 1:08d}"


def _note(machine: Machine, view: SiteView) -> None:
    """In the ledger: refusals that are new, and a new assignment."""
    known = {(one.subject, one.code) for one in machine.enforced.refusals}
    for refusal in view.refusals:
        if (refusal.subject, refusal.code) not in known:
            machine.record("refusal", refusal.subject, "refused", refusal.code, refusal.message)
    held = groups(view)
    if held and held != dict(machine.enforced.groups):
        said = ", ".join(f"{name} {value}" for name, value in held.items() if value)
        machine.record("assign", machine.enforced.device or view.site, "done", message=said)
