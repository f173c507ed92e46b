"""The engine: plan, apply, look again, decide. It alone says how a resource stands; no kind reports
itself.

One code path: `apply` makes a plan, compares its hash with the one it was given, writes the undo
journal, then takes the plan's steps. A crash at any instruction is mended by the next run, because
every step begins with looking.

The order that makes undoing safe: prior states and what we are about to write are in the journal
(fsync) before the first change; what we wrote is confirmed there after the last. So whatever is found
later is told apart as the prior state, as ours, or as someone else's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from agent.core.errors import BookbagError
from agent.core.model import Entry, Outcome, Report
from agent.policy import kinds
from agent.policy.bases.filestate import in_the_way
from agent.policy.bases.resource import differs
from agent.policy.enforcement import aside, handover, journal
from agent.policy.enforcement.memory import (
    EngineState,
    Flap,
    Heals,
    Memory,
    Standing,
    counted,
    healed,
    ineffective,
)
from agent.policy.enforcement.plan import CHANGES, FAILURES, Plan, Run, Step, digest
from agent.policy.enforcement.planner import Planner
from agent.policy.enforcement.trials import Nowhere, Trying

if TYPE_CHECKING:
    from agent.core.ports import Ledger, Undo
    from agent.host.base import Host
    from agent.policy.compiled import Compiled

#: At most so many single rows in the ledger per run and kind; beyond, one row counts the rest.
MOST_ENTRIES = 20
Progress = Callable[[int, int, str], None]


class Engine:
    """Brings one machine to one compiled policy. ``now`` is trusted time in unix seconds; ``trying`` knows
    what is on trial.
    """

    def __init__(
        self,
        host: Host,
        undo: Undo,
        ledger: Ledger,
        memory: Memory,
        now: int,
        trying: Trying | None = None,
    ) -> None:
        self._host = host
        self._undo = undo
        self._ledger = ledger
        self._memory = memory
        self._now = now
        self._trying = trying or Trying(Nowhere())

    def plan(self, compiled: Compiled | None) -> Plan:
        """What `apply` would do now. Changes nothing. None: no policy at all, so everything is withdrawn."""
        made = self._plan(self._state(), compiled, None)
        return replace(made, reports=self._trying.told(made.reports))

    def apply(
        self, compiled: Compiled | None, expected: str | None = None, progress: Progress | None = None
    ) -> Run:
        """Plan, and take the plan's steps. ``expected``: the hash of the plan that a person agreed to.

        Raises ``plan-outdated`` if the machine or the policy moved since, ``disk-full`` and the like if
        the journal cannot be written, in which case nothing was changed.
        """
        return self._run(compiled, None, expected, progress)

    def audit(self, compiled: Compiled, touched: Iterable[str] = ()) -> Run:
        """Heal what drifted. ``touched``: look only at what these laptop paths concern, and at resources
        with these ids; empty: at everything."""
        paths = frozenset(touched)
        return self._run(compiled, paths or None, None, None)

    # -- one run

    def _run(
        self,
        compiled: Compiled | None,
        touched: frozenset[str] | None,
        expected: str | None,
        progress: Progress | None,
    ) -> Run:
        self._mend()
        self._trying.judge(compiled)
        state = self._state()
        plan = self._plan(state, compiled, touched)
        if expected is not None and expected != plan.hash:
            raise BookbagError(
                "plan-outdated",
                "cannot apply this plan: the machine or the policy moved since it was made",
                remedy="plan again, look at it, and apply that",
            )
        self._trying.begin(plan.steps)
        flaps = dict(state.flaps)
        first, heirs = handover.parted(plan, self._undo.resources())
        done = self._take_all(first, flaps, progress, len(plan.steps))
        plan, whole = first, False
        try:
            depending = _depending(compiled, first, done)
            if anew := heirs | depending:
                second, held = handover.still_taken(self._plan(state, compiled, anew), _stuck(done))
                second = handover.own_doing(second, depending)
                of = len(first.steps) + len(second.steps)
                done += self._take_all(second, flaps, progress, of, len(done))
                plan = handover.together(first, replace(second, reports=(*second.reports, *held)))
            whole = touched is None
        finally:  # what the first part did is told even where the second cannot begin: the disk is full
            taken = tuple(report for _, report in done)
            reports = self._trying.told((*plan.reports, *taken))
            self._record(compiled, state, plan, reports, flaps, whole=whole)
        waiting = [flap.until for flap in flaps.values() if flap.until > self._now]
        return Run(reports, taken, min(waiting, default=0))

    def _take_all(
        self, plan: Plan, flaps: dict[str, Flap], progress: Progress | None, of: int, taken: int = 0
    ) -> list[tuple[Step, Report]]:
        """The plan's steps, from the journal to the journal; ``taken`` of ``of`` were taken before."""
        journal.before(self._undo, self._host, plan)
        done: list[tuple[Step, Report]] = []
        stuck = [place for one in plan.reports if one.outcome is Outcome.FAILED for place in _places(one)]
        with self._host.files.batch():
            for number, planned in enumerate(sorted(plan.steps, key=_is_late), taken + 1):
                done.append(self._take(planned, flaps, stuck))
                stuck += _stuck(done[-1:])
                if progress is not None:
                    progress(number, of, planned.id)
        journal.after(self._undo, plan, done)
        return done

    def _plan(self, state: EngineState, compiled: Compiled | None, touched: frozenset[str] | None) -> Plan:
        planner = Planner(self._host, self._undo, state, self._now, self._trying.instead)
        return planner.plan(compiled, touched)

    def _take(self, step: Step, flaps: dict[str, Flap], stuck: Iterable[str]) -> tuple[Step, Report]:
        """One step, as it was taken; whatever goes wrong in it stays in it. ``stuck``: places where earlier
        steps failed.
        """
        try:
            step = journal.afresh(self._undo, self._host, step)
            return step, self._took(step, flaps, stuck)
        except BookbagError as error:
            place = f"{error.place}: " if error.place and error.place not in step.id else ""
            text = f"{place}{error.message}" + (f"; {error.remedy}" if error.remedy else "")
            return step, Report(step.id, Outcome.FAILED, error.code, text, step.setting)
        except Exception as error:  # a defect in one kind must not stop the others
            text = f"cannot apply: {type(error).__name__}: {error}"
            return step, Report(step.id, Outcome.FAILED, "internal", text, step.setting)

    def _took(self, step: Step, flaps: dict[str, Flap], stuck: Iterable[str]) -> Report:
        if step.action == "directory":
            return self._remove_directory(step, stuck)
        if step.action == "aside":
            return aside.give_back(self._host, step)
        return self._apply(step, flaps) if step.action == "apply" else self._withdraw(step)

    def _apply(self, step: Step, flaps: dict[str, Flap]) -> Report:
        resource = step.resource
        assert resource is not None  # noqa: S101  only directories have none
        resource.guard(self._host)
        before, told = step.before, ""
        if in_the_way(before):
            told = aside.make_way(self._host, self._undo, step)
            before = resource.observe(self._host)
        resource.apply(self._host, before, step.after)
        seen = resource.observe(self._host)
        desired = resource.desired()
        apart = differs(seen, desired, resource.effects)
        if apart and (awaited := resource.underway(self._host, step.after)):
            return Report(step.id, Outcome.NOT_YET, "", awaited, step.setting)
        if step.healing:
            flaps[step.id] = healed(flaps.get(step.id), self._now)
        if apart:
            text = "cannot make it so: reading it back right after writing shows something else"
            return Report(step.id, Outcome.FAILED, "conflict", text, step.setting)
        if differs(seen, desired):
            flaps[step.id] = ineffective(flaps.get(step.id), self._now)
            text = journal.ineffective_text(seen, desired)
            return Report(step.id, Outcome.NOT_EFFECTIVE, "not-effective", text, step.setting)
        outcome = Outcome.HEALED if step.healing else Outcome.CHANGED
        return Report(step.id, outcome, "", told, step.setting)

    def _withdraw(self, step: Step) -> Report:
        resource = step.resource
        assert resource is not None  # noqa: S101
        resource.apply(self._host, step.before, step.after)
        seen = journal.kept(resource, resource.observe(self._host))
        if digest(resource.settled(seen, step.after)) != digest(step.after):
            if awaited := resource.underway(self._host, step.after):
                return Report(step.id, Outcome.NOT_YET, "", awaited)
            text = "cannot put it back: reading it back right after writing shows something else"
            return Report(step.id, Outcome.FAILED, "conflict", text)
        if not step.ours:
            return Report(
                step.id,
                Outcome.KEPT,
                "",
                "someone else changed or used it since; only our own part was taken out",
            )
        return Report(step.id, Outcome.RESTORED)

    def _remove_directory(self, step: Step, stuck: Iterable[str]) -> Report:
        path = step.id.removeprefix(journal.DIRECTORY)
        inside = next((place for place in stuck if place.startswith(f"{path}/")), "")
        if inside:  # it stays in the journal too, and is tried again with what keeps it
            text = f"cannot remove it yet: {inside}, which is ours too, could not be put back"
            return Report(step.id, Outcome.FAILED, "conflict", text)
        self._host.files.remove_empty([path])
        if self._host.files.read(path) is None:
            return Report(step.id, Outcome.RESTORED)
        return Report(step.id, Outcome.KEPT, "", "something else lies in it by now")

    # -- what is remembered

    def _mend(self) -> None:
        """Let damaged state be set aside now, and say so; what it knew is lost, what is enforced is not."""
        for name, use in (("engine memory", self._memory.read), ("undo journal", self._undo.resources)):
            try:
                use()
            except BookbagError as error:
                if error.code != "state-corrupt":
                    raise
                text = f"{name}: {error}"
                self._ledger.append(Entry("failure", "state", "set-aside", error.code, text, self._now))

    def _state(self) -> EngineState:
        return self._memory.read() or EngineState()

    def _record(
        self,
        compiled: Compiled | None,
        state: EngineState,
        plan: Plan,
        reports: Iterable[Report],
        flaps: Mapping[str, Flap],
        *,
        whole: bool,
    ) -> None:
        """Ledger rows for what was done or newly stands wrong; then the memory, if it changed. ``whole``: the
        run looked at everything that the policy wants.
        """
        rows = tuple(reports)
        quiet = {step.id for step in plan.steps if step.action == "directory" and step.resource is None}
        desired = {step.id: digest(step.after) for step in plan.steps if step.action == "apply"}
        standing = {} if whole else dict(state.standing)
        heals = dict(state.heals)
        fresh: list[Report] = []
        come: list[Report] = []
        for report in rows:
            old = state.standing.get(report.resource)
            if old is not None and old.outcome == Outcome.NOT_YET and report.outcome is Outcome.IN_FORCE:
                come.append(replace(report, outcome=Outcome.CHANGED))
            new = self._standing(report, old, desired.get(report.resource, ""))
            if old is None or (old.outcome, old.text) != (new.outcome, new.text):
                fresh.append(report)
            if report.outcome in (Outcome.RESTORED, Outcome.KEPT):
                standing.pop(report.resource, None)
            else:
                standing[report.resource] = new
                self._count(heals, report, old, new)
        told = [one for one in (*rows, *come) if one.resource not in quiet]
        self._write_ledger(compiled, told, [one for one in fresh if one.resource not in quiet])
        known = {name: flap for name, flap in flaps.items() if name in standing and flap != Flap()}
        policy = (compiled.fingerprint if compiled else "") if whole else state.policy
        remembered = EngineState(
            known, standing, policy, {name: one for name, one in heals.items() if name in standing}
        )
        if remembered != state:
            self._memory.write(remembered)

    def _standing(self, report: Report, old: Standing | None, desired: str) -> Standing:
        good = report.outcome in (Outcome.IN_FORCE, Outcome.CHANGED, Outcome.HEALED)
        outcome = str(Outcome.IN_FORCE if good else report.outcome)
        value = desired or (old.value if old else "")
        if old is not None and old.outcome == outcome and (old.value == value or _is_heal(report)):
            return Standing(outcome, old.since, value, "" if good else report.message)
        return Standing(outcome, self._now, value, "" if good else report.message)

    def _count(self, heals: dict[str, Heals], report: Report, old: Standing | None, new: Standing) -> None:
        """A heal counts (one that a crash cuts off before this may not); what policy wants otherwise than
        before begins at nought.
        """
        if _is_heal(report):
            heals[report.resource] = counted(heals.get(report.resource), self._now)
        elif old is None or report.outcome is Outcome.CHANGED or (old.value and old.value != new.value):
            heals.pop(report.resource, None)

    def _write_ledger(
        self, compiled: Compiled | None, reports_now: Iterable[Report], fresh: Iterable[Report]
    ) -> None:
        done: dict[str, list[Report]] = {
            "policy": [],
            "heal": [],
            "restore": [],
            "refusal": [],
            "failure": [],
            "conflict": [],
        }
        for report in reports_now:
            if report.outcome is Outcome.CHANGED:
                done["policy"].append(report)
            elif report.outcome is Outcome.HEALED:
                done["heal"].append(report)
            elif report.outcome in (Outcome.RESTORED, Outcome.KEPT):
                done["restore"].append(report)
        for report in fresh:
            if report.outcome in FAILURES:
                done["refusal" if report.outcome is Outcome.REFUSED else "failure"].append(report)
            elif report.outcome is Outcome.OVERRULED:
                done["conflict"].append(report)
        for kind, reports in done.items():
            self._append(kind, reports, compiled.fingerprint if compiled else "")

    def _append(self, kind: str, reports: list[Report], fingerprint: str) -> None:
        for report in reports[:MOST_ENTRIES]:
            entry = Entry(
                kind, report.resource, str(report.outcome), report.code, report.message, self._now,
                {"setting": report.setting, "policy": fingerprint[:16]},
            )  # fmt: skip
            self._ledger.append(entry)
        rest = reports[MOST_ENTRIES:]
        if rest:
            names = [report.resource for report in rest]
            detail = {"count": len(rest), "policy": fingerprint[:16], "some": names[:50]}
            text = f"and {len(rest)} more, among them {names[0]}"
            self._ledger.append(Entry(kind, "many", str(rest[0].outcome), "", text, self._now, detail))


def _is_heal(report: Report) -> bool:
    return report.outcome is Outcome.HEALED


def _is_late(step: Step) -> bool:
    return step.action == "apply" and step.resource is not None and step.resource.late


def _depending(compiled: Compiled | None, plan: Plan, done: Iterable[tuple[Step, Report]]) -> frozenset[str]:
    """Ids of what depends on what others of the run made, and stood before they made it."""
    if compiled is None or not any(report.outcome in CHANGES for _, report in done):
        return frozenset()
    stood = [one.resource for one in plan.reports if one.outcome is Outcome.IN_FORCE]
    late = {kind for kind in {one.partition(":")[0] for one in stood} if kinds.resources()[kind].late}
    return frozenset(one for one in stood if one.partition(":")[0] in late)


def _stuck(done: Iterable[tuple[Step, Report]]) -> list[str]:
    """The places where steps failed."""
    return [place for _, one in done if one.outcome is Outcome.FAILED for place in _places(one)]


def _places(report: Report) -> tuple[str, ...]:
    """The laptop paths that a report is about."""
    try:
        return kinds.resource(report.resource).paths()
    except KeyError:  # a directory, or a kind of a later version: most are named by their path
        return (report.resource.partition(":")[2],)
