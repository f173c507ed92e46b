"""arrange: the school gives the student of this laptop what others do not have, or must not have just now."""

from __future__ import annotations

from agent.commands.arranged import Arranged
from agent.commands.case import Case, Step
from agent.commands.handler import Handler, World
from agent.core.errors import BookbagError
from agent.trust import orderargs


class Arrange(Handler):
    """Kept; what is compiled next takes it in. The receipt tells that it was taken, and nothing of what."""

    kind = "arrange"

    def advance(self, case: Case, world: World) -> Case:
        settings = orderargs.arrange_args(case)
        if case.expires <= world.at:
            over = BookbagError("expired", "cannot arrange this: its time is over")
            return case.ended(Step.REFUSED, world.at, over)
        world.check_arranged(settings)
        signed = set(case.persons)
        trust = world.word.value.trust
        roles = tuple(sorted(name for name, role in trust.roles.items() if signed & set(role.persons)))
        world.arranged.keep(
            Arranged(
                order=case.id,
                device=world.identity.id,
                epoch=case.epoch,
                seq=case.seq,
                roles=roles,
                settings=dict(settings),
                until=case.expires,
                at=world.at,
            )
        )
        return case.to(Step.DONE, world.at)
