"""Looks at the machine and says what would have to change. Reads only; the engine acts on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from agent.core.errors import BookbagError
from agent.core.model import Outcome, Report, State
from agent.host.lacking import called
from agent.policy import kinds
from agent.policy.bases.filestate import in_the_way, look, parents
from agent.policy.bases.resource import Resource, differs
from agent.policy.enforcement import aside
from agent.policy.enforcement.aside import ASIDE
from agent.policy.enforcement.journal import DIRECTORY, confirmed, ineffective_text, kept, made, ours
from agent.policy.enforcement.memory import EngineState, paused
from agent.policy.enforcement.plan import Plan, Step, describe, digest

if TYPE_CHECKING:
    from agent.core.ports import Undo
    from agent.host.base import Host
    from agent.policy.compiled import Compiled, Item


class Planner:
    """One look at one machine. ``instead``: what is wanted in place of a resource, if anything."""

    def __init__(
        self,
        host: Host,
        undo: Undo,
        state: EngineState,
        now: int,
        instead: Callable[[Resource], Resource | None],
    ) -> None:
        self._host = host
        self._undo = undo
        self._state = state
        self._now = now
        self._instead = instead
        self._reports: list[Report] = []
        self._steps: list[Step] = []
        self._adopt: list[tuple[Resource, State | None]] = []
        self._release: list[str] = []
        self._own: dict[str, str] = {}
        self._changed = False
        self._journal = frozenset(undo.resources())

    def plan(self, compiled: Compiled | None, touched: frozenset[str] | None) -> Plan:
        """The plan for ``compiled``; with ``touched``, only for what these paths concern, and nothing
        is withdrawn.
        """
        items = list(compiled.items()) if compiled else []
        self._changed = compiled is not None and compiled.fingerprint != self._state.policy
        wanted = [(item, resource) for item in items if (resource := self._resource(item)) is not None]
        if touched is not None:
            wanted = [(item, resource) for item, resource in wanted if _concerns(resource, touched)]
        else:
            self._reports += decided(compiled)
            self._withdraw([one for item, one in wanted if not item.observe_only and not self._awaits(one)])
        for item, resource in sorted(wanted, key=lambda one: one[1].turn()):
            self._look(item, resource)
        return Plan(
            fingerprint=compiled.fingerprint if compiled else "",
            steps=tuple(self._steps),
            reports=tuple(self._reports),
            adopt=tuple(self._adopt),
            release=tuple(self._release),
            own=self._own,
        )

    def _report(self, name: str, outcome: Outcome, code: str = "", text: str = "", setting: str = "") -> None:
        self._reports.append(Report(name, outcome, code, text, setting))

    # -- what a policy wants

    def _resource(self, item: Item) -> Resource | None:
        resource = item.resource()
        return resource if item.observe_only else self._instead(resource)

    def _look(self, item: Item, resource: Resource) -> None:
        name, setting = item.id, item.setting
        try:
            lacking = self._lacking(resource)
            if lacking:
                text = f"cannot do this here: the machine has no {lacking}"
                self._report(name, Outcome.NOT_SUPPORTED, "not-supported", text, setting)
                return
            if awaited := resource.awaits(self._host):
                self._report(name, Outcome.PENDING, "awaited", f"waits for {awaited}", setting)
                return
            seen = resource.observe(self._host)
        except BookbagError as error:
            self._report(name, Outcome.FAILED, error.code, error.message, setting)
            return
        except Exception as error:  # a defect in one kind must not stop the others
            text = f"cannot look: {type(error).__name__}: {error}"
            self._report(name, Outcome.FAILED, "internal", text, setting)
            return
        if differs(seen, resource.desired()):
            self._different(item, resource, seen)
            return
        self._report(f"{name} (observed)" if item.observe_only else name, Outcome.IN_FORCE, setting=setting)
        if item.observe_only or resource.only_looks:
            return
        if name not in self._journal:
            if resource.adopts(seen):
                self._adopt.append((resource, kept(resource, seen)))
        elif self._changed or self._stood_otherwise(name):
            self._claim(resource, seen)

    def _lacking(self, resource: Resource) -> str:
        missing = (called(need) for need in resource.needs if getattr(self._host, need, None) is None)
        return next(missing, "") or resource.lacking(self._host)

    def _awaits(self, resource: Resource) -> str:
        """What it waits for; "" also where nobody can tell, so that what is there stays."""
        try:
            awaited = resource.awaits(self._host)
            return "" if awaited and self._lacking(resource) else awaited
        except Exception:  # told where it is looked at
            return ""

    def _stood_otherwise(self, name: str) -> bool:
        """Whether it was not in force when it was last looked at, so that nothing of it was claimed then."""
        standing = self._state.standing.get(name)
        return standing is None or standing.outcome != Outcome.IN_FORCE

    def _claim(self, resource: Resource, seen: State | None) -> None:
        """What this policy wants and the one before did not, and lies there already: policy keeps it from now
        on, whoever put it there. Only if policy states all of it: what it leaves as found is not its own.
        """
        found = digest(kept(resource, seen))
        prior, wrote = self._undo.prior(resource.id)
        if found in ours(wrote) and found != confirmed(wrote):  # what was awaited has come
            self._own[resource.id] = found
            return
        if found != digest(kept(resource, resource.desired())):
            return
        if found not in ours(wrote) and found != digest(prior):  # as it was before: nothing to learn
            self._own[resource.id] = found

    def _different(self, item: Item, resource: Resource, seen: State | None) -> None:
        name, setting = item.id, item.setting
        desired = resource.desired()
        if resource.only_looks:
            text = describe(seen).removeprefix("found: ")
            self._report(
                f"{name} (observed)" if item.observe_only else name, Outcome.UNMET, "unmet", text, setting
            )
            return
        if item.observe_only:
            after = resource.intended(seen)
            text = f"observed only: would go from {describe(seen)} to {describe(after)}"
            self._report(f"{name} (observed)", Outcome.PENDING, "", text, setting)
            return
        written = not differs(seen, desired, resource.effects)
        flap = self._state.flaps.get(name)
        why = paused(flap, self._now)
        if written and (why == "not-effective" or not resource.mends_effects):
            if name not in self._journal:
                self._adopt.append((resource, kept(resource, seen)))
            text = ineffective_text(seen, desired)
            self._report(name, Outcome.NOT_EFFECTIVE, "not-effective", text, setting)
            return
        after = resource.intended(None if in_the_way(seen) else seen)
        if why == "flapping" and flap is not None and not self._is_news(name, after):
            text = (
                f"something changes it again and again; left alone for {flap.until - self._now} s more, "
                f"now it is {describe(seen)}"
            )
            self._report(name, Outcome.BACKED_OFF, "flapping", text, setting)
            return
        healing = self._was_in_force(name, resource, after)
        may_move = name in self._journal and aside.may_move(self._undo.prior(name)[0], seen)
        self._steps.append(
            Step("apply", name, resource, seen, after, item, healing=healing, may_move=may_move)
        )

    def _is_news(self, name: str, after: State | None) -> bool:
        """Whether policy wants something else than what was fought over: an exam does not wait for peace."""
        standing = self._state.standing.get(name)
        return self._changed and standing is not None and standing.value != digest(after)

    def _was_in_force(self, name: str, resource: Resource, after: State | None) -> bool:
        if name not in self._journal:
            return False
        prior, wrote = self._undo.prior(name)
        if ours(wrote):
            return confirmed(wrote) == digest(kept(resource, after))
        return not differs(prior, resource.desired(), resource.effects)

    # -- what no policy wants any more

    def _withdraw(self, enforced: list[Resource]) -> None:
        wanted = {resource.id for resource in enforced}
        journaled = [name for name in self._undo.resources() if name not in wanted]
        directories = [name for name in journaled if name.startswith(DIRECTORY)]
        found = [name for name in sorted(directories) if self._undo.prior(name)[0] is not None]
        others = reversed([name for name in journaled if not name.startswith((DIRECTORY, ASIDE))])
        for name in (*found, *others):  # what was there at first comes back before what lay in it
            try:
                self._withdraw_one(name)
            except KeyError:
                text = "cannot undo this: it was made by a version of Bookbag that knows more kinds"
                self._report(name, Outcome.FAILED, "not-supported", text)
            except BookbagError as error:
                self._report(name, Outcome.FAILED, error.code, error.message)
        live = {path for resource in enforced for path in resource.paths()}
        for name, beside, path in aside.records(self._undo):
            if look(self._host, beside) is None:
                self._release.append(name)  # whose it is took it away
            elif path not in live:
                self._steps.append(Step("aside", name, None, {"from": beside}, {"from": path}))
        if directories:
            self._withdraw_directories(directories, enforced)

    def _withdraw_one(self, name: str) -> None:
        resource = kinds.resource(name)
        prior, wrote = self._undo.prior(name)
        seen = kept(resource, resource.observe(self._host))
        cut_short = resource.taken_in and ours(wrote)
        if digest(seen) == digest(prior) and not cut_short:
            self._release.append(name)
            self._report(name, Outcome.RESTORED, "", "it already is as it was before")
            return
        mine = digest(seen) in ours(wrote) or digest(seen) == digest(prior)
        if not mine and seen is not None and prior is not None:
            for was, rest in resource.partly(seen, prior):
                if digest(was) in ours(wrote):
                    self._steps.append(Step("withdraw", name, resource, seen, rest))
                    return
        left = resource.retires(self._host, seen, prior) if mine else resource.release(seen, prior)
        if mine and digest(left) == digest(prior):
            self._steps.append(Step("withdraw", name, resource, seen, prior))
            return
        if digest(left) == digest(seen):
            self._release.append(name)
            text = (
                f"{'somebody used' if mine else 'someone else changed'} it since; it stays {describe(seen)}"
            )
            self._report(name, Outcome.KEPT, "", text)
        else:
            self._steps.append(Step("withdraw", name, resource, seen, left, ours=False))

    def _withdraw_directories(self, names: list[str], enforced: list[Resource]) -> None:
        """Those that were not there at first: they go when they are empty, the innermost first. One that a
        file needs still is as if it had been made for that.
        """
        live = {folder for resource in enforced for path in resource.paths() for folder in parents(path)}
        for name in sorted(names, key=lambda one: one.count("/"), reverse=True):
            path = name.removeprefix(DIRECTORY)
            prior, wrote = self._undo.prior(name)
            if prior is not None:
                continue
            if ours(wrote) and not made(wrote):
                self._withdraw_made(name, path in live)
                continue
            if path in live:
                continue
            node = self._host.files.read(path)
            if not made(wrote) or node is None or node.kind != "directory":
                self._release.append(name)
            else:
                self._steps.append(Step("directory", name, None, {"kind": "directory"}, None))

    def _withdraw_made(self, name: str, live: bool) -> None:
        """One that policy named, and that was not there before."""
        resource = kinds.resource(name)
        seen = resource.observe(self._host)
        if seen is None:
            if not live:
                self._release.append(name)
        elif digest(seen) not in ours(self._undo.prior(name)[1]):
            self._release.append(name)
            text = f"someone else changed it since; it stays {describe(seen)}"
            self._report(name, Outcome.KEPT, "", text)
        elif not live:
            self._steps.append(Step("directory", name, resource, seen, None))
        elif differs(seen, resource.desired()):
            self._steps.append(Step("apply", name, resource, seen, resource.desired()))


def decided(compiled: Compiled | None) -> list[Report]:
    """What the policy itself decides, whatever the machine is like: what is refused, what is overruled."""
    if compiled is None:
        return []
    refused = []
    for row in compiled.refusals:
        text = f"{row['place']}: {row['message']}" if row["place"] else row["message"]
        refused.append(Report(row["subject"], Outcome.REFUSED, row["code"], text))
    overruled = [
        Report(row["subject"], Outcome.OVERRULED, "conflict", row["message"]) for row in compiled.conflicts
    ]
    return refused + overruled


def _concerns(resource: Resource, touched: frozenset[str]) -> bool:
    return resource.id in touched or any(near in touched for near in _near(resource, touched))


def _near(resource: Resource, touched: frozenset[str]) -> Iterator[str]:
    """The paths at, above and (for watched folders) below which a touch concerns the resource."""
    for path in (*resource.paths(), *resource.watches()):
        yield path
        yield from parents(path)
    for folder in resource.watches():
        yield from (path for path in touched if path.startswith(f"{folder}/"))
