"""Puts the rules of `confirm` to the resources of one run: what is judged, what stands in for what is
reverted, and what is told about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from agent.core.model import Outcome, Report
from agent.policy.bases.resource import Resource
from agent.policy.enforcement import confirm
from agent.policy.enforcement.confirm import Contact, Trial, Trials
from agent.policy.enforcement.plan import Step, digest

if TYPE_CHECKING:
    from agent.policy.compiled import Compiled

_DONE = frozenset((Outcome.IN_FORCE, Outcome.CHANGED, Outcome.HEALED))


class TrialsMemory(Protocol):
    """Where they are kept: a `StateFile[Trials]`."""

    def read(self) -> Trials | None:
        """What was written last; None if nothing was."""
        ...

    def write(self, value: Trials) -> None:
        """Keep durably."""
        ...


class Nowhere:
    """Keeps none: nothing is ever reverted."""

    def read(self) -> Trials | None:
        """None."""
        return None

    def write(self, value: Trials) -> None:
        """Forget."""


class Trying:
    """One run's view. ``linked``: whether the machine has a way out; ``now``: trusted unix seconds; ``own``:
    host names of the service, () if they are not known just now.
    """

    def __init__(
        self,
        memory: TrialsMemory,
        contact: Contact | None = None,
        *,
        linked: bool = False,
        now: int = 0,
        own: tuple[str, ...] = (),
    ) -> None:
        self._memory = memory
        self._contact = contact
        self._linked = linked
        self._now = now
        self._known = memory.read() or Trials()
        self._own = own
        self._back: dict[str, Trial] = {}  # those that this run has something else in place of

    def judge(self, compiled: Compiled | None) -> None:
        """Decide, durably, what is kept and what is taken back; forget what no policy wants."""
        wanted = {item.id for item in compiled.items() if not item.observe_only} if compiled else set()
        found = {
            name: confirm.judged(one, self._contact, linked=self._linked, now=self._now)
            for name, one in self._known.trials.items()
            if name in wanted
        }
        self._keep(found)

    def instead(self, resource: Resource) -> Resource | None:
        """``resource``; or, while it is taken back, what stands in for it: None for what was there before."""
        trial = self._known.trials.get(resource.id) if resource.cuts_off() else None
        if trial is None or trial.stage not in (confirm.REVERTED, confirm.CONTESTED):
            return resource
        if trial.digest != digest(resource.desired()):
            return resource
        self._back[resource.id] = trial
        return resource.fallback(self._known.own)

    def begin(self, steps: Iterable[Step]) -> None:
        """Make durable, ahead of the first change, what is on trial from now on."""
        found = dict(self._known.trials)
        for step in steps:
            resource = step.resource
            if step.action == "apply" and resource is not None and self._can_reopen(resource):
                found[step.id] = confirm.begun(
                    found.get(step.id),
                    digest(resource.desired()),
                    self._contact,
                    linked=self._linked,
                    healing=step.healing,
                    now=self._now,
                )
        self._keep(found)

    def _can_reopen(self, resource: Resource) -> bool:
        """Whether it may cut the laptop off, and there is anything to take back then."""
        own = self._own or self._known.own
        return resource.cuts_off() and resource.fallback(own) != resource

    def told(self, reports: Iterable[Report]) -> tuple[Report, ...]:
        """``reports``, those of what was taken back as that, and in force they are not."""
        rows = tuple(reports)
        held = [
            _told(one, self._back[one.resource])
            if one.resource in self._back and one.outcome in _DONE
            else one
            for one in rows
        ]
        missing = self._back.keys() - {one.resource for one in held if one.code in ("cut-off", "contested")}
        gone = [_told(Report(name, Outcome.IN_FORCE), self._back[name]) for name in sorted(missing)]
        return (*held, *gone)

    def waiting(self) -> tuple[int, int]:
        """(how many wait for the service to be reached, seconds for which it is worth asking often)."""
        applied = [one for one in self._known.trials.values() if one.stage == confirm.APPLIED]
        back = [one for one in self._known.trials.values() if one.stage == confirm.REVERTED]
        until = max((one.deadline for one in applied if one.reachable_before), default=0) + confirm.GRACE_S
        return len(applied) + len(back), max(0, until - self._now) if applied else 0

    def _keep(self, trials: Mapping[str, Trial]) -> None:
        own = self._own or self._known.own if trials else ()
        if (trials, own) != (self._known.trials, self._known.own):
            self._known = replace(self._known, trials=trials, own=own)
            self._memory.write(self._known)


def _told(report: Report, trial: Trial) -> Report:
    why = "since it was applied the school's service could not be reached, though the laptop has a network"
    if trial.stage == confirm.CONTESTED:
        text = (
            f"{why}, {trial.reverts} times; the way to the service was reopened, and stays so until IT "
            "changes this: any other value is tried anew"
        )
        return replace(report, outcome=Outcome.FAILED, code="contested", message=text)
    text = f"{why}; the way to it was reopened, and this is tried again later"
    return replace(report, outcome=Outcome.BACKED_OFF, code="cut-off", message=text)
