"""Kinds that are one file of configuration for a program that runs as root, which has to take it in: what the
program says that it obeys is read back, not the file.
"""

from __future__ import annotations

from typing import ClassVar

from agent.core.model import State
from agent.host.base import Host
from agent.host.lacking import need
from agent.host.services import Services
from agent.policy.bases.dropin import DropIn


class Fragment(DropIn):
    """A `DropIn` whose subclass also says which units read it (`units`)."""

    __slots__ = ()

    needs: ClassVar[tuple[str, ...]] = ("services",)
    mends_effects: ClassVar[bool] = True
    taken_in: ClassVar[bool] = True

    def units(self) -> tuple[str, ...]:
        """What has to take it in, as far as it runs. The first has to be installed."""
        raise AttributeError(type(self).__name__)

    def take_in(self, host: Host) -> None:
        """Have the programs read what lies there now, or no longer lies there."""
        for unit in self.units():
            services(host).take_in(unit)

    # -- Resource

    def lacking(self, host: Host) -> str:
        """As `Resource.lacking`."""
        units = self.units()
        return units[0] if units and not services(host).state(units[0]).known else ""

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        """As `Resource.apply`. The programs are told even where the file is as it should be: they may have
        been cut off from what was written before.
        """
        super().apply(host, before, after)
        self.take_in(host)


def services(host: Host) -> Services:
    """The machine's service manager. Raises ``not-supported`` if it has none."""
    return need(host.services, "services")
