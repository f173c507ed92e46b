"""secrets: the school gives this laptop the secrets that its policies name, such as pass-phrases of Wi-Fi."""

from __future__ import annotations

from agent.commands.case import Case, Step
from agent.commands.handler import Handler, World
from agent.commands.secrets import Given
from agent.trust import orderargs, secretbox


class TakeSecrets(Handler):
    """All that there are: what this order does not name is forgotten. Nothing but their names is told."""

    kind = "secrets"

    def advance(self, case: Case, world: World) -> Case:
        given, identity = orderargs.secrets_args(case), world.identity
        values = secretbox.open_values(
            given.box, given.names, world.word.value.site, identity.id, identity.seal_key
        )
        world.secrets.put(Given(dict(values), identity.id, case.epoch, case.seq))
        return case.to(Step.DONE, world.at, evidence={"names": list(given.names)})
