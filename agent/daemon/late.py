"""Updates that no hours brought in time: begun at another hour, in no lesson (`updates.automatic`).

apt's own timers elapse within the hours alone. So that a laptop which is never on then is not left behind,
each run that enforces policy looks whether the last installation is longer ago than the school's deadline.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.core.errors import BookbagError
from agent.daemon.hours import decided
from agent.daemon.machine import Machine
from agent.policy.compiled import Compiled
from agent.store.statefile import StateFile

DEADLINE = "install_deadline"  #: in root's public file, seconds
LEAST, MOST = 86_400, 90 * 86_400
#: Seconds from one try to the next: on battery, or without a network, nothing comes of one.
AGAIN = 2 * 3600
#: Seconds before a timetable turns in which nothing is begun: the turn may be the beginning of a lesson.
BEFORE_TURN = 3600


@dataclass(frozen=True, slots=True)
class Tried:
    """The state file ``updating``: when late updates were begun last, trusted unix seconds."""

    at: int
    extra: Mapping[str, object] = field(default_factory=dict)


def begin(machine: Machine, compiled: Compiled | None) -> None:
    """Have updates begun if they are late and may be begun now."""
    apt, at = machine.host.apt, machine.timetable_now
    deadline = decided(machine.layout).get(DEADLINE, 0)
    if compiled is None or apt is None or at is None or not LEAST <= deadline <= MOST:
        return
    since = apt.updated()
    if since is None:
        since = _decided_at(machine)
    file = StateFile(machine.layout.state_file("updating"), Tried, "updating")
    tried = machine.tolerant(file.read)
    if at - since < deadline or busy(compiled, at) or (tried is not None and 0 <= at - tried.at < AGAIN):
        return
    file.write(Tried(at))
    try:
        apt.update()
    except BookbagError as problem:
        machine.record("updates", "late", "failed", problem.code, problem.message)
        return
    machine.record("updates", "late", "begun", message=f"none for {(at - since) // 86_400} days")


def busy(compiled: Compiled, at: int) -> bool:
    """Whether a timetable is on, or may be, or turns within the hour: a lesson, an exam, a session."""
    for policy, certain in compiled.scheduled:
        when, _ = compiled.hours_of(policy)
        if not certain or not when.startswith("outside "):
            return True
    return bool(compiled.until) and compiled.until - at < BEFORE_TURN


def _decided_at(machine: Machine) -> int:
    """Of a laptop that never installed any: when the school decided this."""
    try:
        return int(os.stat(f"{machine.layout.public}/agent.json").st_mtime)
    except OSError:
        return 1 << 62
