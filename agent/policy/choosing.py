"""What people at one laptop chose out of what policies only offer, and the shelf that they choose from.

A choice gives nobody power: it is a name, and what a setting that `offers` makes of that name is wanted,
while a policy in force offers it and no other setting says something of it. Whatever else stands in the list
of choices is as if it were not there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agent.core.model import Origin
from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Setting
from agent.policy.merge import Contribution, Resolved

#: How another setting has what is offered, too: it is given to everybody here, or nobody is to have it.
GIVEN, BARRED = "given", "barred"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was chosen, by name, and by whom (user ids)."""

    rows: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """What somebody chose."""
        return frozenset(name for name, _ in self.rows)

    @property
    def digest(self) -> str:
        """Tells one from another; "" for none."""
        return hashlib.sha256(json.dumps(sorted(self.rows)).encode()).hexdigest() if self.rows else ""


NOBODY = Chosen()


class Choosing:
    """The choices of one laptop beside its policies."""

    def __init__(self, chosen: Chosen) -> None:
        self._chosen = chosen
        self._shelf: list[dict[str, object]] = []

    def take(
        self,
        setting: Setting,
        resolved: Resolved,
        held: Mapping[str, Resource],
        index: Callable[[Origin], int],
    ) -> tuple[Resource, ...]:
        """What is wanted of that which ``setting`` offers. ``held``: what other settings say, by id; that
        holds."""
        wanted = []
        for entry, resource in zip(
            setting.entries(resolved.value), setting.compile(resolved.value), strict=True
        ):
            other = held.get(resource.id)
            chosen = resource.name in self._chosen.names
            if chosen and other is None:
                wanted.append(resource.name)
            said = "" if other is None else GIVEN if setting.gives(other) else BARRED
            by = index(whose(setting, resource, resolved).origin)
            self._shelf.append({**entry, "name": resource.name, "origin": by, "held": said, "chosen": chosen})
        return setting.taken(resolved.value, frozenset(wanted))

    def told(self) -> dict[str, object]:
        """For the compiled policy; nothing where nothing is offered or chosen."""
        found: dict[str, object] = {"shelf": self._shelf} if self._shelf else {}
        if self._chosen.rows:
            found |= {
                "choice": self._chosen.digest,
                "choices": [[name, list(who)] for name, who in self._chosen.rows],
            }
        return found


def whose(setting: Setting, resource: Resource, resolved: Resolved) -> Contribution:
    """The contribution that offers ``resource`` as the value in force has it: the nearest."""
    named = [one for one in resolved.origins if resource in setting.compile(one.value)]
    return (named or resolved.origins)[-1]
