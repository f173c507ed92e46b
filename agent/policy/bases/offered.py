"""Settings of the desktop that are offered: so from login on, and for whoever is logged in to change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge
from agent.policy.bases.worded import Worded
from agent.policy.resources.dconf import Dconf
from agent.policy.resources.dconf_profile import DconfProfile

ON, OFF = "on", "off"


def switch(path: str) -> Mapping[str, Mapping[str, str]]:
    """What `Offered.sets` is for a key that is true or false."""
    return {ON: {path: "true"}, OFF: {path: "false"}}


def defaults(key: str, values: Mapping[str, str]) -> tuple[Resource, ...]:
    """What the setting ``key`` compiles to where the desktop's ``values`` are defaults."""
    return DconfProfile(), Dconf(group=key.rpartition(".")[2], values=values, locked=False)


class Offered(Worded):
    """``sets``: word → the desktop's keys and values."""

    sets: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    merge: ClassVar[Merge] = Merge.REPLACE

    def __init_subclass__(cls) -> None:
        cls.words = tuple(cls.sets)
        super().__init_subclass__()

    def compile(self, value: object) -> tuple[Resource, ...]:
        """As `Setting.compile`."""
        return defaults(self.key, self.sets[str(value)])


class Assistive(Offered):
    """Assistive technology: nobody may be kept from it, nor held to it."""

    personal: ClassVar[bool] = True
    arrangeable: ClassVar[bool] = True
