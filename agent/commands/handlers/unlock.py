"""unlock: everything that the lock closed is what it was before."""

from __future__ import annotations

from agent.commands.case import Case, Step
from agent.commands.handler import Handler, World
from agent.core.errors import BookbagError


class Unlock(Handler):
    """Replays the journal of the lock backwards. On a laptop that is open there is nothing to do."""

    kind = "unlock"

    def advance(self, case: Case, world: World) -> Case | None:
        if case.step is Step.RECEIVED:
            return None if world.at < case.not_before else case.to(Step.STARTED, world.at)
        layers = world.holding.open()
        if all(layers.values()):
            return case.to(Step.DONE, world.at, evidence={"layers": layers})
        still = ", ".join(name for name, restored in layers.items() if not restored)
        problem = BookbagError(
            "not-effective", f"cannot open all of this machine: {still} is not what it was"
        )
        if case.step is Step.UNPROVEN:
            return None  # it was told; the next run tries again
        return case.ended(Step.UNPROVEN, world.at, problem, evidence={"layers": layers})
