"""Settings that are one of GNOME's lockdown keys: the tightest word sets it, any other forces it off."""

from __future__ import annotations

from typing import ClassVar

from agent.policy.bases.graded import Graded
from agent.policy.bases.resource import Resource
from agent.policy.resources.dconf import Dconf
from agent.policy.resources.dconf_profile import DconfProfile


class Lockdown(Graded):
    """``switch``: the last part of the key."""

    switch: ClassVar[str]

    def compile(self, value: object) -> tuple[Resource, ...]:
        """As `Setting.compile`."""
        values = {f"/org/gnome/desktop/lockdown/{self.switch}": str(value == self.words[-1]).lower()}
        return DconfProfile(), Dconf(group=self.key.rpartition(".")[2], values=values)
