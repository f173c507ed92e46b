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
        args = orderargs.arrange_args(case)
        until = min(case.expires, args.until or case.expires)
        late = until <= world.at
        if not late:
            world.check_arranged(args.settings)
        world.arranged.keep(
            Arranged(
                order=case.id,
                device=world.identity.id,
                epoch=case.epoch,
                seq=case.seq,
                roles=() if late else world.word.value.trust.speaking_for(case.persons),
                settings={} if late else dict(args.settings),
                until=until,
                at=world.at,
            )
        )
        if late:  # what it was to take the place of must not go on for that
            over = BookbagError("expired", "cannot arrange this: its time is over, and so is what was before")
            return case.ended(Step.REFUSED, world.at, over)
        return case.to(Step.DONE, world.at)
