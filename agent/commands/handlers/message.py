"""message: the school says something to whoever uses this laptop."""

from __future__ import annotations

from agent.commands.case import Case, Step
from agent.commands.handler import Handler, World
from agent.commands.messages import Message
from agent.trust import orderargs


class SayMessage(Handler):
    """Kept, and shown in the portal and on a locked screen, until the order expires."""

    kind = "message"

    def advance(self, case: Case, world: World) -> Case:
        text = orderargs.message_args(case).text
        world.messages.add(Message(case.id, text, case.persons, world.at, case.expires), world.at)
        return case.to(Step.DONE, world.at)
