"""reply: the school answers what a student asked in the portal."""

from __future__ import annotations

from agent.commands.case import Case, Step
from agent.commands.handler import Handler, World
from agent.commands.replies import Reply
from agent.trust import orderargs


class TakeReply(Handler):
    """Kept, and shown to who asked. It allows nothing: what a yes brings about comes as policy."""

    kind = "reply"

    def advance(self, case: Case, world: World) -> Case:
        said = orderargs.reply_args(case)
        reply = Reply(
            case.id,
            said.ask,
            said.yes,
            said.text,
            said.policy,
            said.until,
            case.persons,
            case.issued,
            world.at,
        )
        world.replies.add(reply)
        return case.to(Step.DONE, world.at)
