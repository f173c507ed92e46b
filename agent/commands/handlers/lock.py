"""lock: nobody but the school gets in, until it says so or a person with the code does."""

from __future__ import annotations

from agent.commands.case import Case, Step
from agent.commands.handler import Handler, World
from agent.core.errors import BookbagError
from agent.trust import orderargs


class Lock(Handler):
    """Desired state: the newest of lock and unlock is what is meant. Each layer is read back."""

    kind = "lock"

    def advance(self, case: Case, world: World) -> Case | None:
        if case.step is Step.RECEIVED:
            return None if world.at < case.not_before else case.to(Step.STARTED, world.at)
        if not world.holding.possible:
            raise BookbagError(
                "not-supported", "cannot lock this machine: it has nothing that keeps people out"
            )
        if world.holding.was_opened(case.id):  # by code, while not everything was closed yet
            problem = BookbagError(
                "not-effective", "cannot lock all of this machine: it was opened meanwhile"
            )
            return case.ended(Step.FAILED, world.at, problem)
        args = orderargs.lock_args(case)
        world.holding.begin(case.id, world.at, args.message, args.contact, args.lost)
        layers = world.holding.close()
        evidence = {"layers": layers, "grade": world.host.facts.lock_grade()}
        if all(layers.values()):
            return case.to(Step.DONE, world.at, evidence=evidence)
        still = ", ".join(name for name, closed in layers.items() if not closed)
        problem = BookbagError("not-effective", f"cannot lock all of this machine: {still} is still open")
        if case.step is Step.UNPROVEN:
            return None  # it was told; the next run tries again
        return case.ended(Step.UNPROVEN, world.at, problem, evidence=evidence)
