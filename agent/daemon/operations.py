"""What the enforce worker does once it is clear that something has to be done: one function per operation."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

from agent.core import clock, exit_codes
from agent.core.errors import BookbagError
from agent.core.model import Outcome, Report
from agent.daemon import arranging, decisions, late, lean, programs
from agent.daemon.enforced import Pause, Trouble, pause_file
from agent.daemon.machine import Machine
from agent.daemon.pending import membership
from agent.daemon.schedule import MAX_PAUSE
from agent.daemon.worker import Context, as_error
from agent.policy.compiled import Compiled
from agent.policy.enforcement import aside
from agent.policy.enforcement.memory import EngineState
from agent.policy.enforcement.plan import Run, report_dict
from agent.policy.enforcement.planner import decided

MAX_EXCEPTIONS = 50
WATCH_CHUNK = 400  #: paths in one event
GOOD = frozenset((Outcome.IN_FORCE, Outcome.CHANGED, Outcome.HEALED, Outcome.RESTORED))


def run(context: Context, touched: list[str] | None) -> int:
    """Do the request's ``op``; returns the bits of `agent.core.exit_codes`. ``touched``: an audit need look
    at these only, everything else was just found to be in force.
    """
    op = context.text("op")
    if op not in OPS and op != "audit":
        raise BookbagError("bad-request", f"cannot enforce: no operation {op[:40]!r}")
    contact = context.request.get("contact")
    machine = Machine(context.layout, contact if isinstance(contact, dict) else None)
    code = audit(context, machine, touched) if op == "audit" else OPS[op](context, machine)
    for trouble in machine.troubles:
        context.error(trouble)
    return code


def audit(context: Context, machine: Machine, touched: list[str] | None) -> int:
    """Heal what drifted; while paused, only look."""
    if touched is None or machine.pause() is not None:
        return _enforce(context, machine, paused=machine.pause() is not None)
    compiled = machine.compiled()
    if compiled is None or not lean.checklist_is_for(machine.layout, compiled.fingerprint):
        # A lesson began or ended since, or a run that saw it begin was cut off: the rest is not in force yet.
        return _enforce(context, machine, paused=False)
    ran = machine.engine().audit(compiled, touched)
    told = {one.resource for one in ran.reports}
    rest = [
        Report(item.id, Outcome.IN_FORCE, setting=item.setting)
        for item in compiled.items()
        if item.id not in told
    ]
    whole = Run((*rest, *decided(compiled), *ran.reports), retry_at=ran.retry_at)
    _publish(context, machine, whole, compiled)
    return whole.exit_code


def apply(context: Context, machine: Machine) -> int:
    """Apply now, paused or not; with ``plan`` only if the machine has not moved since."""
    return _enforce(context, machine, paused=False, expected=context.text("plan", "") or None)


def plan(context: Context, machine: Machine) -> int:
    """Say what would change."""
    made = machine.engine().plan(machine.compiled())
    context.result(made.to_dict())
    return made.exit_code


def refresh(context: Context, machine: Machine) -> int:
    """Take the new word if it holds, then bring the laptop to what is in force, new or old."""
    from agent.daemon import joining, taking

    delivered, already = context.texts("delivered"), context.texts("already")

    def deliveries() -> None:
        joining.delivered(machine, delivered, already=False)
        joining.delivered(machine, already, already=True)

    def news() -> None:
        if lean.mirror_seen(machine.layout):
            joining.go_on(machine, taking.take(machine, partial(_tell, context)))

    failed = 0
    for step in (deliveries, news):
        try:
            step()
        except Exception as problem:  # whatever arrived, what is in force is enforced
            context.error(as_error(problem, "take what arrived"))
            failed = exit_codes.FAILED
    return failed | _enforce(context, machine, paused=machine.pause() is not None)


def pause(context: Context, machine: Machine) -> int:
    """Put nothing back for ``seconds``."""
    seconds, reason, uid = context.whole("seconds"), context.text("reason"), context.whole("uid")
    if not 1 <= seconds <= MAX_PAUSE:
        raise BookbagError(
            "bad-argument", f"cannot pause for {seconds} s: 1 second to {MAX_PAUSE // 3600} hours"
        )
    clock = machine.host.clock
    pause_file(machine.layout).write(Pause(clock.boottime() + seconds, clock.boot_id(), reason, uid))
    machine.record("pause", f"user {uid}", "begun", message=f"{seconds} s: {reason}")
    return _enforce(context, machine, paused=True)


def resume(context: Context, machine: Machine) -> int:
    """End a pause, and put back what changed meanwhile."""
    if machine.pause() is not None:
        machine.record("pause", f"user {context.whole('uid')}", "ended")
    pause_file(machine.layout).remove()
    return _enforce(context, machine, paused=False)


def withdraw(context: Context, machine: Machine) -> int:
    """Put back everything that was there before any policy; what uninstalling begins with. The policy in
    force stays known, so the next enforcement brings it back.
    """
    ran = machine.engine().apply(None, None, context.progress)
    machine.record("withdraw", "everything", "done" if not ran.failed else "failed")
    _publish(context, machine, ran, None)
    return ran.exit_code


OPS: dict[str, Callable[[Context, Machine], int]] = {
    "apply": apply,
    "plan": plan,
    "refresh": refresh,
    "pause": pause,
    "resume": resume,
    "withdraw": withdraw,
}


def _enforce(context: Context, machine: Machine, *, paused: bool, expected: str | None = None) -> int:
    from agent.daemon import offering  # here: an audit of what was touched needs none of the verified word

    compiled = machine.compiled()
    _tell(context, machine.enforced.generation, machine.enforced.orders)
    if paused:
        made = machine.engine().plan(compiled)
        pending = tuple(Report(step.id, Outcome.PENDING, "", "paused", step.setting) for step in made.steps)
        ran, code = Run((*made.reports, *pending)), made.exit_code
    else:
        ran = _apply(context, machine, compiled, expected)
        code = ran.exit_code
        _list_for_lean(machine, compiled, ran)
        try:
            late.begin(machine, compiled)
        except BookbagError as problem:
            machine.troubles.append(problem)
    _watch(context, compiled)
    offering.publish(context, machine)
    _publish(context, machine, ran, compiled, len(compiled.watches) if compiled else 0)
    return code


def _tell(context: Context, generation: str, orders: str) -> None:
    """Whose orders are to be obeyed, whatever comes next."""
    context.event("word", generation=generation, orders=orders)


def _apply(context: Context, machine: Machine, compiled: Compiled | None, expected: str | None) -> Run:
    """One run of the engine. Damaged state is reported once, set aside, and then the run goes on
    without it.
    """
    for last in (False, True):
        try:
            return machine.engine().apply(compiled, expected, context.progress)
        except BookbagError as problem:
            if last or problem.code != "state-corrupt":
                raise
            machine.troubles.append(problem)
    raise AssertionError("the loop returns or raises")


def _list_for_lean(machine: Machine, compiled: Compiled | None, ran: Run) -> None:
    """After the machine is as it should be, so that directories made for files are listed too. Without the
    list audits only cost more.
    """
    if compiled is None:
        return
    try:
        if ran.changed or not lean.checklist_is_for(machine.layout, compiled.fingerprint):
            from agent.policy.enforcement.audit import save_checklist

            save_checklist(lean.checklist_path(machine.layout), compiled, machine.host)
        lean.point(machine.layout, compiled.fingerprint, machine.enforced.seen)
    except BookbagError as problem:
        machine.troubles.append(problem)


def _watch(context: Context, compiled: Compiled | None) -> None:
    paths = compiled.watches if compiled else ()
    for start in range(0, len(paths), WATCH_CHUNK):
        context.event("watch", paths=paths[start : start + WATCH_CHUNK])


def _publish(
    context: Context, machine: Machine, ran: Run, compiled: Compiled | None, watching: int | None = None
) -> None:
    """What a run came to: for everybody, and for the supervisor."""
    state = decisions.remembered(context.layout)
    decisions.publish(context, machine, compiled, ran, state)
    arranging.publish(context, compiled)
    programs.publish(context, machine, compiled, ran, state)
    context.result(_said(machine, ran, compiled, state, watching))


def _said(
    machine: Machine,
    ran: Run,
    compiled: Compiled | None,
    state: EngineState | None,
    watching: int | None,
) -> dict[str, object]:
    """What the supervisor is told: counts, troubles, whose word, and how old; never more than fits its small
    memory.
    """
    enforced = machine.enforced
    counts: dict[str, int] = {}
    told: dict[str, int] = {}
    private = programs.private(compiled, ran)
    hidden = {item.id for item in compiled.items() if item.arranged} if compiled else set()
    for report in ran.reports:
        if report.resource in hidden and report.outcome in GOOD:
            continue  # it would make this laptop's count another than all the others'
        for where in (counts,) if report.resource in private else (counts, told):
            where[str(report.outcome)] = where.get(str(report.outcome), 0) + 1
    bad = [
        {**report_dict(one), **({"private": True} if one.resource in private else {})}
        for one in ran.reports
        if one.outcome not in GOOD
    ]
    bad.sort(key=lambda row: "private" in row)  # they take nobody's place
    on = machine.pause()
    held = membership(machine.layout)
    overdue = _overdue(machine, compiled)
    waiting, asking = machine.trying().waiting()
    return {
        "outcomes": counts,
        "told": told,  # of them, what reports that leave the laptop count
        "exceptions": [{**row, "message": str(row.get("message", ""))[:500]} for row in bad[:MAX_EXCEPTIONS]],
        "healed": _healed(ran, state, private),
        "refusals": [one.to_dict() for one in enforced.refusals[:MAX_EXCEPTIONS]],
        "fingerprint": compiled.told if compiled else "",
        "groups": dict(enforced.groups),
        "word": {
            "signed_at": enforced.signed_at,
            "expires": enforced.expires,
            "versions": dict(enforced.versions),
        }
        if enforced.signed_at
        else None,
        "clock": {"at": machine.now.at, "floor": machine.now.floor, "quality": machine.now.quality},
        "overdue": len(overdue),
        "notes": [*overdue, *_set_aside(machine)][:MAX_EXCEPTIONS],
        "recovering": bool(enforced.recovering_since),
        "pause": {"left_s": on[1], "reason": on[0].reason, "uid": on[0].uid} if on else None,
        "problem": enforced.problem.to_dict() if enforced.problem else None,
        "stale": lean.mirror_seen(machine.layout) not in ("", enforced.seen),
        "retry_in_s": max(0, ran.retry_at - machine.now.at) if ran.retry_at else 0,
        "turn_in_s": _turn(machine, compiled),
        "confirm": {"waiting": waiting, "ask_for_s": asking} if waiting else None,
        "enrolment": held.stage if held else "none",
        "outbox": len(os.listdir(machine.layout.outbox)),
        "watching": watching,
        "simulated": machine.host.simulated,
    }


def _healed(ran: Run, state: EngineState | None, private: frozenset[str]) -> list[dict[str, object]]:
    """What had to be put back since policy wants it as it does now, the most often first."""
    found = state.heals if state else {}
    settings = {one.resource: one.setting for one in ran.reports}
    # What is private comes last: it takes nobody's place.
    most = sorted(found.items(), key=lambda row: (row[0] in private, -row[1].times, row[0]))[:MAX_EXCEPTIONS]
    return [
        {
            "resource": name,
            "setting": settings.get(name, ""),
            "times": one.times,
            "last": one.last,
            **({"private": True} if name in private else {}),
        }
        for name, one in most
    ]


def _turn(machine: Machine, compiled: Compiled | None) -> int:
    """Seconds until a timetable, or the end of what is arranged or of what a teacher started, may change what
    is in force; 0: none does."""
    at, (_, left) = machine.timetable_now, machine.session()
    turn = max(1, compiled.until - at) if compiled and compiled.until and at is not None else 0
    return min(filter(None, (turn, left, arranging.turn_in(compiled, machine.now.at))), default=0)


def _set_aside(machine: Machine) -> list[dict[str, object]]:
    """What was in the place of managed files, and lies beside them now."""
    return [
        Trouble(path, "set-aside", f"what was in its place now is {beside}", remedy="look at it").to_dict()
        for _, beside, path in aside.records(machine.undo())
    ]


def _overdue(machine: Machine, compiled: Compiled | None) -> list[dict[str, object]]:
    """Which policies in force should have been reviewed by now."""
    notes = []
    for one in compiled.overdue(clock.day(machine.now.at)) if compiled else ():
        text = f"its review was due by {one['review_by']}; it stays in force"
        notes.append(Trouble(f"policy:{one['id']}", "overdue", text, remedy=f"ask {one['owner']}").to_dict())
    return notes
