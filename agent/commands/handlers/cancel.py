"""cancel: an order is called off, whether it has arrived or not."""

from __future__ import annotations

from agent.commands.case import REVOCABLE, Case, Step
from agent.commands.handler import Handler, World
from agent.core.errors import BookbagError
from agent.trust import orderargs


class CallOff(Handler):
    """Before its target arrives, the target is refused when it comes; before that is committed, it ends
    there; later it is too late, and the desk is told so."""

    kind = "cancel"

    def advance(self, case: Case, world: World) -> Case:
        target = orderargs.cancel_target(case)
        found = world.call_off(target)
        ended = any(one.id == target and one.step is not Step.CANCELLED for one in world.book().ended)
        if (found is not None and found.step not in (*REVOCABLE, Step.CANCELLED)) or ended:
            return case.ended(
                Step.TOO_LATE,
                world.at,
                BookbagError("too-late", f"cannot call off {target}: it has been carried out, or is being"),
            )
        return case.to(Step.DONE, world.at, evidence={"target": target})
