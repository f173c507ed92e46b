"""A place that goes from one resource to another within a run: first it is given back, then it is looked at
anew.

Otherwise what the first one left there would be noted as what the second one found, and would come back when
that is withdrawn.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from agent.core.model import Outcome, Report
from agent.policy.bases.filestate import parents
from agent.policy.enforcement.plan import Plan, Step

_GIVEN_BACK = ("withdraw", "directory")


def parted(plan: Plan, journaled: Iterable[str]) -> tuple[Plan, frozenset[str]]:
    """(what can be done at once, ids of resources that wait until their place is given back)."""
    left = {path for step in plan.steps if step.action in _GIVEN_BACK for path in _paths(step)}
    if not left:
        return plan, frozenset()
    known = frozenset(journaled)
    heirs = frozenset(
        step.id
        for step in plan.steps
        if step.action == "apply" and step.id not in known and not left.isdisjoint(_within(step))
    )
    if not heirs:
        return plan, heirs
    return replace(plan, steps=tuple(step for step in plan.steps if step.id not in heirs)), heirs


def still_taken(plan: Plan, stuck: Iterable[str]) -> tuple[Plan, tuple[Report, ...]]:
    """(``plan`` without what cannot begin, for its place in ``stuck`` was not given back; what to report)."""
    held = frozenset(stuck)
    waiting = tuple(step for step in plan.steps if not held.isdisjoint(_within(step)))
    text = "cannot begin: what is there is of another policy still, and could not be put back"
    reports = tuple(Report(one.id, Outcome.FAILED, "conflict", text, one.setting) for one in waiting)
    return replace(plan, steps=tuple(one for one in plan.steps if one not in waiting)), reports


def own_doing(plan: Plan, ids: Collection[str]) -> Plan:
    """``plan`` where what is wrong with these was made by this run itself: no drift that is healed."""
    steps = (replace(step, healing=False) if step.id in ids else step for step in plan.steps)
    return replace(plan, steps=tuple(steps))


def together(first: Plan, second: Plan) -> Plan:
    """Both as one: what was planned in the end. Of what stood at first and was looked at once more, the later
    look tells how it stands. What the first says besides holds still: it is what the policy itself decides.
    """
    later = {step.id for step in second.steps} | {one.resource for one in second.reports}
    stays = [one for one in first.reports if one.outcome is not Outcome.IN_FORCE or one.resource not in later]
    return replace(first, steps=(*first.steps, *second.steps), reports=(*stays, *second.reports))


def _paths(step: Step) -> tuple[str, ...]:
    return step.resource.paths() if step.resource is not None else (step.id.partition(":")[2],)


def _within(step: Step) -> tuple[str, ...]:
    """Its places, and the directories that these lie in: one of those may be another's file until now."""
    return tuple(place for path in _paths(step) for place in (path, *parents(path)))
