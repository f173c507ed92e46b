"""What the undo journal holds of a resource: its prior state, and digests of the states that are ours.

Directories that had to be made for a file are records of their own (``directory:/path``), so that the
last file to go takes them along, in whatever order policies came.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from agent.core.model import Outcome, Report, State
from agent.policy.filestate import parents
from agent.policy.plan import Plan, Step, digest
from agent.policy.resource import Resource

if TYPE_CHECKING:
    from agent.core.ports import Undo
    from agent.host.base import Host

DIRECTORY = "directory:"
_OURS = "ours"
_MOST_OURS = 16


def kept(resource: Resource, state: State | None) -> State | None:
    """The part of an observation that can be put back: without what is only read back."""
    if state is None or not resource.effects:
        return state
    return {name: value for name, value in state.items() if name not in resource.effects}


def ours(wrote: State | None) -> tuple[str, ...]:
    """The digests of states that we left, or were about to leave."""
    digests = wrote.get(_OURS, ()) if wrote is not None and wrote.keys() == {_OURS} else ()
    return tuple(str(one) for one in digests) if isinstance(digests, Sequence) else ()


def before(undo: Undo, host: Host, plan: Plan) -> None:
    """Make durable, ahead of the first change, what was there and what we are about to write."""
    known = frozenset(undo.resources())
    steps = [step for step in plan.steps if step.action == "apply" and step.resource is not None]
    fresh = [step for step in steps if step.id not in known]
    priors: dict[str, State | None] = dict.fromkeys(_missing_directories(host, fresh, known))
    for step in fresh:
        assert step.resource is not None  # noqa: S101
        priors[step.id] = kept(step.resource, step.before)
    priors.update((name, state) for name, state in plan.adopt.items() if name not in known)
    if priors:
        undo.remember(priors)
    intents: dict[str, State | None] = {}
    for step in steps:
        assert step.resource is not None  # noqa: S101
        mine = digest(kept(step.resource, step.after))
        earlier = ours(undo.prior(step.id)[1])
        if mine not in earlier:  # until one is confirmed, any of them may be what lies there
            intents[step.id] = {_OURS: (*earlier, mine)[-_MOST_OURS:]}
    if intents:
        undo.wrote(intents)


def after(undo: Undo, plan: Plan, done: Iterable[tuple[Step, Report]]) -> None:
    """Make durable what was written, and drop what was put back or given up."""
    written: dict[str, State | None] = {}
    gone: list[str] = list(plan.release)
    for step, report in done:
        if step.action == "apply" and report.outcome is not Outcome.FAILED and step.resource is not None:
            mine = digest(kept(step.resource, step.after))
            if ours(undo.prior(step.id)[1]) != (mine,):
                written[step.id] = {_OURS: (mine,)}
        elif report.outcome in (Outcome.RESTORED, Outcome.KEPT):
            gone.append(step.id)
    if written:
        undo.wrote(written)
    if gone:
        undo.forget(*gone)


def _missing_directories(host: Host, steps: Iterable[Step], known: frozenset[str]) -> list[str]:
    there: dict[str, bool] = {}
    names: list[str] = []
    for step in steps:
        assert step.resource is not None  # noqa: S101
        for path in step.resource.paths():
            for folder in parents(path):
                if folder not in there:
                    there[folder] = host.files.read(folder) is not None
                    if not there[folder] and DIRECTORY + folder not in known:
                        names.append(DIRECTORY + folder)
    return names


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
