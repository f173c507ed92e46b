"""What the undo journal holds of a resource: its prior state, and digests of the states that are ours.

Directories that were missing at first are records of their own (``directory:/path``), marked when we
make them, so that the last file to go takes them along, in whatever order policies came. Where policy names
one of them itself, it is the same record: what was at first at this place, and what we made of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from agent.core.model import Outcome, Report, State
from agent.policy.bases.filestate import directory, parents
from agent.policy.bases.resource import Resource
from agent.policy.enforcement.plan import Plan, Step, digest

if TYPE_CHECKING:
    from agent.core.ports import Undo
    from agent.host.base import Host

DIRECTORY = "directory:"
_OURS = "ours"
_CONFIRMED = "confirmed"
_MADE = "made"
_MOST_OURS = 16
UNDONE = (Outcome.FAILED, Outcome.NOT_YET)


def kept(resource: Resource, state: State | None) -> State | None:
    """The part of an observation that can be put back: without what is only read back."""
    if state is None or not resource.effects:
        return state
    return {name: value for name, value in state.items() if name not in resource.effects}


def ours(wrote: State | None) -> tuple[str, ...]:
    """The digests of states that we left, or were about to leave."""
    if made(wrote):
        return (digest(directory()),)
    digests = wrote.get(_OURS, ()) if _is_record(wrote) and wrote is not None else ()
    return tuple(str(one) for one in digests) if isinstance(digests, Sequence) else ()


def confirmed(wrote: State | None) -> str:
    """The digest of the one state that was read back after writing; empty until there is one."""
    digests = ours(wrote)
    return digests[0] if len(digests) == 1 and wrote is not None and wrote.get(_CONFIRMED) else ""


def _is_record(wrote: State | None) -> bool:
    """Whether this is ours; before anything was written, the journal gives the prior state in its place."""
    return wrote is not None and wrote.keys() == {_OURS, _CONFIRMED}


def made(wrote: State | None) -> bool:
    """Whether a directory's record says that we made it."""
    return wrote is not None and wrote.keys() == {_MADE}


def before(undo: Undo, host: Host, plan: Plan) -> None:
    """Make durable, ahead of the first change, what was there and what we are about to write."""
    known = frozenset(undo.resources())
    steps = [(step, step.resource) for step in plan.steps if step.action == "apply" and step.resource]
    fresh = [(resource, kept(resource, step.before)) for step, resource in steps if step.id not in known]
    fresh += plan.adopt
    missing = _Missing(host)
    lacking = dict.fromkeys(DIRECTORY + path for resource, _ in fresh for path in missing.above(resource))
    priors: dict[str, State | None] = {name: None for name in lacking if name not in known}
    priors.update((resource.id, state) for resource, state in fresh)
    if priors:
        undo.remember(priors)
    intents: dict[str, State | None] = {}
    for step, resource in steps:
        if step.after is not None:
            ahead = (DIRECTORY + path for path in missing.above(resource))
            intents.update({name: {_MADE: True} for name in ahead if name in known or name in priors})
    back = [(step, step.resource) for step in plan.steps if step.action == "withdraw" and step.resource]
    for step, resource in (*steps, *back):
        intents.update(_intent(undo, resource, step))
    intents.update({name: {_OURS: (found,), _CONFIRMED: True} for name, found in plan.own.items()})
    if intents:
        undo.wrote(intents)


def afresh(undo: Undo, host: Host, step: Step) -> Step:
    """A step whose resource is `late` as the machine is by now; what it will write is made durable, too."""
    resource = step.resource
    if step.action != "apply" or resource is None or not resource.late:
        return step
    seen = resource.observe(host)
    made = replace(step, before=seen, after=resource.intended(seen))
    if intent := _intent(undo, resource, made):
        undo.wrote(intent)
    return made


def _intent(undo: Undo, resource: Resource, step: Step) -> dict[str, State | None]:
    whole = (digest(kept(resource, step.after)),) if step.action == "apply" else ()
    earlier = ours(undo.prior(step.id)[1])
    passed = map(digest, resource.amidst(step.before, step.after))
    news = dict.fromkeys((*passed, *whole))
    fresh = [one for one in news if one not in earlier and (one in whole or one != digest(step.before))]
    if not fresh:
        return {}
    # until one is confirmed, any of them may be what lies there
    return {step.id: {_OURS: (*earlier, *fresh)[-_MOST_OURS:], _CONFIRMED: False}}


def after(undo: Undo, plan: Plan, done: Iterable[tuple[Step, Report]]) -> None:
    """Make durable what was written, and drop what was put back or given up."""
    written: dict[str, State | None] = {}
    gone: list[str] = list(plan.release)
    for step, report in done:
        if step.action == "apply" and report.outcome not in UNDONE and step.resource is not None:
            mine = digest(kept(step.resource, step.after))
            if confirmed(undo.prior(step.id)[1]) != mine:
                written[step.id] = {_OURS: (mine,), _CONFIRMED: True}
        elif report.outcome in (Outcome.RESTORED, Outcome.KEPT):
            gone.append(step.id)
    if written:
        undo.wrote(written)
    if gone:
        undo.forget(*gone)


class _Missing:
    """Which directories above a resource's files are not there; each is looked for once."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._missing: dict[str, bool] = {}

    def above(self, resource: Resource) -> Iterator[str]:
        for path in resource.paths():
            for folder in parents(path):
                if folder not in self._missing:
                    self._missing[folder] = self._host.files.read(folder) is None
                if self._missing[folder]:
                    yield folder


def ineffective_text(seen: State | None, desired: State | None) -> str:
    """What the user sees instead, in the words of the kind that looked."""
    if seen is None or desired is None:
        return "reading it back as the user shows nothing"
    wrong = [
        str(seen.get(name))
        for name, value in desired.items()
        if value is not None and seen.get(name) != value
    ]
    return "; ".join(wrong)
